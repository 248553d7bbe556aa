#include "gateway/release/releaser.hpp"

#include "gateway/forward/send.hpp"
#include "gateway/http/block_on.hpp"
#include "gateway/log/log.hpp"
#include "gateway/release/hold_moves.hpp"
#include "gateway/release/receipt.hpp"
#include "gateway/release/recheck.hpp"

#include <algorithm>

namespace sallyport::release {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr std::size_t claims_at_once = 32;
constexpr std::size_t sending_at_once = 512;
// NOTIFY and the local wake-up are quicker; this is for the word that was lost.
constexpr auto look_every = 1s;
constexpr auto database_pause = 500ms;

metrics::histogram& hold_seconds(metrics::registry& registry, hold_status outcome)
{
    return registry.time("sallyport_hold_seconds", "From the making of a hold to its end.", {{"outcome", name_of(outcome)}});
}

}  // namespace

struct releaser::ready {
    storage::stored_hold held;  // `releasing`
    sallyport::action action;
    identity::standing_ptr standing;
    clock::time_point claimed_at;
    time_point decided_at;
};

struct releaser::worker {
    lane of;
    http::task_group group;
    http::signal pause;

    worker(const lane& l, http::task_group::error_sink sink) : of(l), group(l.core->get_executor(), std::move(sink)) {}
};

void count_closed(metrics::registry& registry, const hold& h)
{
    if (!h.closed_at) return;
    hold_seconds(registry, h.status).observe(*h.closed_at - h.created_at);
}

releaser::releaser(storage::database& db, keyring keys, const identity::standings& all, const identity::signing_keys& signing,
                   metrics::registry& registry, std::string replica, std::vector<lane> lanes)
    : db_(db),
      keys_(std::move(keys)),
      standings_(all),
      signing_(signing),
      release_seconds_(registry.time("sallyport_release_seconds", "From the last decision to the upstream.", {})),
      registry_(registry),
      replica_(std::move(replica))
{
    const auto sink = [](std::string_view what) { log::error("releasing failed", {{"cause", what}}); };
    // All of them from the start, so that graphs have something to draw.
    for (const auto status : {hold_status::released, hold_status::denied, hold_status::expired, hold_status::withdrawn,
                              hold_status::undeliverable, hold_status::void_, hold_status::unknown})
        hold_seconds(registry, status);
    for (const lane& l : lanes) workers_.push_back(std::make_unique<worker>(l, sink));
}

releaser::~releaser() = default;

void releaser::start()
{
    worker& first = *workers_.front();
    first.of.core->post([this, &first] { first.group.spawn(run()); });
}

void releaser::wake() noexcept
{
    // One word on its way is enough, however many call.
    if (wake_posted_.exchange(true)) return;
    workers_.front()->of.core->post([this] {
        wake_posted_.store(false);
        woken_.fire();
    });
}

http::awaitable<void> releaser::all_sent(http::steady_time deadline)
{
    http::core& here = *workers_.front()->of.core;
    http::signal never;
    while (sending_.load() > 0 && clock::now() < deadline) co_await never.wait(here.timers(), std::min(clock::now() + 100ms, deadline));
}

void releaser::stop(http::steady_time deadline)
{
    stopping_ = true;
    wake();
    http::block_on(*workers_.front()->of.core, [this, deadline] { return all_sent(deadline); });
    for (const auto& w : workers_)
        http::block_on(*w->of.core, [&group = w->group] {
            group.cancel();
            return group.join();
        });
}

// On a database thread: what may be sent leaves this transaction as `releasing`, and nothing else is ever sent.
result<std::vector<std::shared_ptr<releaser::ready>>> releaser::claim(storage::transaction& tx)
{
    const auto standing = standings_.current();
    std::vector<std::shared_ptr<ready>> all;
    for (auto& read : storage::hold_store::claim_approved(tx, replica_, claims_at_once)) {
        event what = happened::claimed{};
        auto opened = open_action(keys_, read.action);
        if (!opened) {
            log::error("held action cannot be opened",
                       {{"hold", read.hold.id.text()}, {"action", read.action.id.text()}, {"cause", opened.error().cause}});
            what = happened::voided{"what was stored cannot be read"};
        } else if (auto why = why_void(read, *opened, *standing)) {
            what = happened::voided{std::move(*why)};
        }
        const time_point decided_at = read.hold.decided_at.value_or(read.now);
        auto done = apply(tx, std::move(read), what, *standing->directory, {replica_, std::nullopt});
        if (!done) return done.error();
        const hold& now = done->hold.hold;
        if (now.status == hold_status::releasing)
            all.push_back(std::make_shared<ready>(ready{std::move(done->hold), std::move(*opened), standing, clock::now(), decided_at}));
        else
            log::info("hold closed",
                      {{"hold", now.id.text()}, {"action", now.action.text()}, {"status", name_of(now.status)}, {"detail", now.detail}});
    }
    return all;
}

http::awaitable<void> releaser::run()
{
    http::core& here = *workers_.front()->of.core;
    while (!stopping_) {
        std::size_t claimed = 0;
        bool reachable = true;
        if (sending_.load() < sending_at_once) {
            auto work = [this](storage::transaction& tx) { return claim(tx); };
            auto got = co_await db_.run(here.get_executor(), std::move(work));
            if (got) {
                claimed = got->size();
                for (auto& one : *got) {
                    ++sending_;
                    worker& to = *workers_[next_worker_++ % workers_.size()];
                    to.of.core->post([this, &to, one = std::move(one)]() mutable { to.group.spawn(release_one(to, std::move(one))); });
                }
            } else {
                reachable = false;
                if (got.error().what != problem::storage_unavailable && got.error().what != problem::conflict)
                    log::error("claiming failed", {{"cause", got.error().detail + " " + got.error().cause}});
            }
        }
        if (claimed == claims_at_once) continue;
        co_await woken_.wait(here.timers(), clock::now() + (reachable ? clock::duration(look_every) : clock::duration(database_pause)));
    }
}

result<hold> releaser::record(storage::transaction& tx, const ready& one, const event& what, const answer* kept)
{
    auto read = storage::hold_store::get_for_update(tx, one.held.hold.id);
    if (!read) return fail(problem::internal_error, "", "the hold is gone");
    const time_point now = read->now;
    auto done = apply(tx, std::move(*read), what, *one.standing->directory, {replica_, std::nullopt});
    if (!done) return done.error();
    if (kept && done->moved)
        storage::hold_store::keep_response(tx,
                                           seal_answer(keys_, one.held.hold.id, *kept, now + one.standing->config->limits.keep_response));
    return std::move(done->hold.hold);
}

http::awaitable<void> releaser::release_one(worker& at, std::shared_ptr<ready> one)
{
    const config::configuration& config = *one->standing->config;
    const config::route& route = *config.find_route(one->action.route);
    const identity::credential* credential = one->standing->credential_of(route);
    const auto extra_values = signed_fields(signing_, config.agents_url, route, one->held, one->action);

    std::vector<field> extra;
    for (const auto& [name, value] : extra_values) extra.push_back({name, value});
    const std::vector<field> headers = forward::fields_of(one->action);
    forward::outgoing request{one->action.method, one->action.target, one->action.authority, headers, std::nullopt, extra};
    if (credential) request.credential = forward::injected_credential{credential->header, credential->value.reveal(), &credential->forms};

    const auto sent = co_await forward::send(*at.of.pool, route, request, one->action.body, config.limits.response_bytes);
    if (sent.kind != forward::sent_kind::nothing_sent) {
        // The database's clock said when it was decided and claimed; the steady one measures from there.
        const auto since_claim = std::chrono::duration_cast<duration>(sent.times.connected - one->claimed_at);
        release_seconds_.observe(one->held.now - one->decided_at + since_claim);
    }

    event what = happened::lost{"no whole answer was seen"};
    answer kept;
    bool keep = false;
    switch (sent.kind) {
    case forward::sent_kind::nothing_sent: what = happened::sent_nothing{sent.why ? sent.why->detail : std::string()}; break;
    case forward::sent_kind::answered:
        what = happened::answered{sent.answer.status};
        kept = {sent.answer.status, sent.answer.headers, sent.answer.body};
        keep = true;
        break;
    case forward::sent_kind::too_long: what = happened::answered{sent.answer.status}; break;
    case forward::sent_kind::unknown:
        if (route.idempotent) what = happened::sent_nothing{"no whole answer was seen, and the upstream is idempotent"};
        break;
    }
    log::info("release", {{"hold", one->held.hold.id.text()},
                          {"action", one->action.id.text()},
                          {"status", sent.answer.status},
                          {"problem", sent.why ? facts(sent.why->what).name : std::string_view()},
                          {"cause", sent.why ? std::string_view(sent.why->cause) : std::string_view()}});

    // The outcome is written however long the database is away: without it the hold would be `unknown`.
    for (;;) {
        auto write = [this, one, what, kept = keep ? std::make_shared<const answer>(kept) : nullptr](storage::transaction& tx) {
            return record(tx, *one, what, kept.get());
        };
        const auto done = co_await db_.run(at.of.core->get_executor(), std::move(write));
        if (done) {
            count_closed(registry_, *done);
            break;
        }
        if (done.error().what != problem::storage_unavailable && done.error().what != problem::conflict) {
            log::error("outcome not recorded", {{"hold", one->held.hold.id.text()},
                                                {"action", one->action.id.text()},
                                                {"cause", done.error().detail + " " + done.error().cause}});
            break;
        }
        if (stopping_) break;
        http::signal pause;
        co_await pause.wait(at.of.core->timers(), clock::now() + database_pause);
    }
    --sending_;
    if (what.index() == event(happened::sent_nothing{}).index()) co_return;
    wake();
}

}  // namespace sallyport::release
