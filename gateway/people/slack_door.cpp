#include "gateway/people/slack_door.hpp"

#include "gateway/canonical/field.hpp"
#include "gateway/canonical/sha256.hpp"
#include "gateway/config/secrets.hpp"
#include "gateway/log/log.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace sallyport::people {
namespace {

constexpr std::uint64_t longest_body = 256 << 10;
constexpr int attempts = 3;             // of a transaction that lost a race
constexpr std::int64_t say_every = 60;  // seconds

// Of a field that came once.
std::string_view only(const http::request_head& head, std::string_view name)
{
    return http::count(head.fields, name) == 1 ? head.find(name).value_or("") : std::string_view();
}

bool is_form(std::string_view content_type)
{
    auto type = content_type.substr(0, content_type.find(';'));
    while (type.ends_with(' ')) type.remove_suffix(1);
    return same_ignoring_case(type, "application/x-www-form-urlencoded");
}

}  // namespace

void carry_out(const people_context& context, slack_outcome& done)
{
    if (done.answer.approved && context.approved) context.approved(*done.answer.approved);
    if (done.answer.decided && context.decided) context.decided(*done.answer.decided);
    if (context.closed)
        for (const hold& h : done.answer.closed) context.closed(h);
    for (auto& errand : done.errands)
        if (!context.slack || !context.slack(std::move(errand))) log::warning("nobody is left to answer in Slack", {});
}

http::awaitable<reply> slack_door::answer(http::exchange& x, call c)
{
    const auto& slack = c.config().notifiers.slack;
    if (!slack || !slack->signing_secret) co_return problem_reply(fail(problem::not_found));
    if (c.method != "POST") {
        reply r = problem_reply(fail(problem::method_not_allowed));
        r.headers.emplace_back("Allow", "POST");
        co_return r;
    }
    from_slack r;
    r.timestamp = only(x.head(), "x-slack-request-timestamp");
    r.signature = only(x.head(), "x-slack-signature");
    const bool form = is_form(only(x.head(), "content-type"));
    const auto signed_at = notifiers::slack_signed_at(r.timestamp);
    if (!signed_at || r.signature.empty()) co_return refuse("it has no signature");
    r.signed_at = signed_at;
    const auto body = co_await x.read_body(longest_body);
    if (!body) co_return problem_reply(body.error());

    // A small file, if it is one; it may be another with each request. Whose MAC is wrong does not reach the database, whose clock
    // says how old the request is: here it is taken by its own word.
    const auto key = config::read(*slack->signing_secret);
    if (!key) {
        log::error("Slack's signing secret cannot be read", {{"cause", key.error().detail}});
        co_return problem_reply(fail(problem::internal_error));
    }
    if (notifiers::verify_slack_signature(*key, r.timestamp, r.signature, *body, *signed_at) != notifiers::slack_signature::right)
        co_return refuse("its signature is not Slack's");
    auto read = form ? notifiers::read_slack_request(*body) : fail(problem::malformed_request, "Slack sends forms.");
    if (!read) co_return problem_reply(read.error());
    r.what = std::move(*read);
    r.body = sha256(*body);

    const auto kept_call = std::make_shared<const call>(std::move(c));
    const auto kept = std::make_shared<const from_slack>(std::move(r));
    auto done = co_await decide(x, kept_call, kept);
    if (!done) {
        if (done.error().what == problem::unauthenticated) co_return refuse("it is too old, or a clock is wrong");
        if (done.error().what == problem::internal_error) log::error("Slack's request failed", {{"cause", done.error().cause}});
        co_return problem_reply(done.error());
    }
    carry_out(context_, *done);
    co_return std::move(done->answer);
}

http::awaitable<result<slack_outcome>> slack_door::decide(http::exchange& x, std::shared_ptr<const call> c,
                                                          std::shared_ptr<const from_slack> r)
{
    for (int attempt = 1;; ++attempt) {
        auto work = [c, r](storage::transaction& tx) { return answer_slack(tx, *c, *r); };
        auto done = co_await context_.db.run(x.core().get_executor(), std::move(work));
        if (done || done.error().what != problem::conflict || attempt == attempts) co_return done;
    }
}

// Anybody can send such; the log is not theirs to fill.
reply slack_door::refuse(std::string_view why)
{
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now().time_since_epoch()).count() + say_every;
    unsaid_.fetch_add(1, std::memory_order_relaxed);
    std::int64_t before = said_at_.load(std::memory_order_relaxed);
    if (now - before >= say_every && said_at_.compare_exchange_strong(before, now, std::memory_order_relaxed))
        log::warning("a request in Slack's name was refused", {{"cause", why}, {"refused", unsaid_.exchange(0)}});
    return problem_reply(fail(problem::unauthenticated, "This is not signed by Slack, or not just now."));
}

}  // namespace sallyport::people
