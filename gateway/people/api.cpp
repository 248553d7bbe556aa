#include "gateway/people/api.hpp"

#include "gateway/canonical/sha256.hpp"
#include "gateway/identity/decision_token.hpp"
#include "gateway/identity/problem_document.hpp"
#include "gateway/log/log.hpp"
#include "gateway/people/request.hpp"
#include "gateway/people/resources.hpp"
#include "storage/person_store.hpp"
#include "storage/session_store.hpp"
#include "workflows/eligibility.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <optional>
#include <utility>

namespace sallyport::people {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr std::string_view api_prefix = "/api/v1/";
constexpr std::uint64_t longest_body = 256 << 10;
constexpr auto keep_alive_every = 14s;
constexpr auto directory_patience = 2s;
constexpr int attempts = 3;  // of a transaction that lost a race

constexpr std::string_view content_security =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; manifest-src "
    "'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types service-worker";

void add_security(std::vector<field>& headers)
{
    headers.push_back({"Content-Security-Policy", content_security});
    headers.push_back({"X-Content-Type-Options", "nosniff"});
    headers.push_back({"Referrer-Policy", "no-referrer"});
    headers.push_back({"Cross-Origin-Opener-Policy", "same-origin"});
    headers.push_back({"Cross-Origin-Resource-Policy", "same-origin"});
    headers.push_back({"Permissions-Policy", "publickey-credentials-get=(self), publickey-credentials-create=(self)"});
}

http::awaitable<void> send(http::exchange& x, const reply& r)
{
    std::vector<field> headers;
    if (!r.media_type.empty()) headers.push_back({"Content-Type", r.media_type});
    headers.push_back({"Cache-Control", "no-store"});
    add_security(headers);
    for (const auto& [name, value] : r.headers) headers.push_back({name, value});
    co_await x.respond(r.status, headers, r.body);
}

bool changes_something(std::string_view method) { return method != "GET" && method != "HEAD"; }

// Checks that hold for every request of this listener, before anything of it is believed. `by_pages`: only pages of ours ask for that.
std::optional<failure> refused_at_the_door(const http::request_head& head, const std::string& origin, bool by_pages)
{
    if (!is_host_of(head.host, origin)) return fail(problem::misdirected_request);
    if (!by_pages || !changes_something(head.method)) return std::nullopt;
    const auto from = head.find("origin");
    if (!from || http::count(head.fields, "origin") != 1 || *from != origin) return fail(problem::cross_origin);
    return std::nullopt;
}

reply only_reading()
{
    reply r = problem_reply(fail(problem::method_not_allowed));
    r.headers.emplace_back("Allow", "GET, HEAD");
    return r;
}

http::awaitable<void> send_page(http::exchange& x, const web::asset& asset)
{
    std::vector<field> headers{{"Content-Type", asset.media_type}, {"ETag", asset.etag}, {"Vary", "Accept-Encoding"}};
    headers.push_back({"Cache-Control", asset.immutable ? "public, max-age=31536000, immutable" : "no-cache"});
    add_security(headers);
    if (x.head().find("if-none-match") == asset.etag) {
        co_await x.respond(304, headers, {});
        co_return;
    }
    const bool compressed = !asset.gzip.empty() && http::list_has(x.head().find("accept-encoding").value_or(""), "gzip");
    if (compressed) headers.push_back({"Content-Encoding", "gzip"});
    co_await x.respond(200, headers, compressed ? asset.gzip : asset.bytes);
}

}  // namespace

api::api(people_context context)
    : context_(std::move(context)),
      around_{context_.keys, context_.keys.derive("people.statement"), context_.keys.derive("people.challenge"),
              context_.keys.derive(identity::decision_token_purpose), context_.push_key}
{
}

http::awaitable<void> api::serve(http::exchange& x)
{
    call c;
    c.standing = context_.standings.current();
    c.around = &around_;
    c.method = x.head().method;
    const std::string origin = origin_of(c.config().public_url);
    const std::string path(x.head().target.substr(0, x.head().target.find('?')));
    if (const auto refused = refused_at_the_door(x.head(), origin, path != slack_path)) {
        co_await send(x, problem_reply(*refused));
        co_return;
    }
    if (path == slack_path) {
        const reply r = co_await slack_.answer(x, std::move(c));
        co_await send(x, r);
        co_return;
    }
    if (path == openid_path || path == openid_callback_path) {
        co_await pass_openid_door(x, std::move(c));
        co_return;
    }
    if (!path.starts_with(api_prefix)) {
        const web::asset* asset = context_.find_asset(path);
        if (!asset) asset = context_.find_page(path);
        if (!asset)
            co_await send(x, problem_reply(fail(problem::not_found)));
        else if (changes_something(c.method))
            co_await send(x, only_reading());
        else
            co_await send_page(x, *asset);
        co_return;
    }

    auto target = read_target(x.head().target.substr(api_prefix.size() - 1));
    if (!target) {
        co_await send(x, problem_reply(target.error()));
        co_return;
    }
    c.path = std::move(target->path);
    c.query = std::move(target->query);
    c.session = session_of(x.head().fields);
    c.user_agent = user_agent_of(x.head().fields);
    std::string allowed;
    const resource* found = find_resource(c.method, c.path, allowed);
    if (!found) {
        reply refused = problem_reply(fail(allowed.empty() ? problem::not_found : problem::method_not_allowed));
        if (!allowed.empty()) refused.headers.emplace_back("Allow", allowed);
        co_await send(x, refused);
        co_return;
    }
    if (x.head().has_body()) {
        if (!is_json(x.head().find("content-type").value_or(""))) {
            co_await send(x, problem_reply(fail(problem::unsupported_media_type)));
            co_return;
        }
        const auto body = co_await x.read_body(longest_body);
        if (!body) {
            co_await send(x, problem_reply(body.error()));
            co_return;
        }
        c.body = *body;
    }
    const reply r = co_await answer(x, c, *found);
    if (r.status == 0) {
        co_await stream_events(x, std::move(c));
        co_return;
    }
    co_await send(x, r);
}

// A navigation, not a resource: it answers with pages and redirects.
http::awaitable<void> api::pass_openid_door(http::exchange& x, call c)
{
    if (c.method != "GET") {
        reply refused = problem_reply(fail(problem::method_not_allowed));
        refused.headers.emplace_back("Allow", "GET");
        co_await send(x, refused);
        co_return;
    }
    auto target = read_target(x.head().target);
    if (!target) {
        co_await send(x, problem_reply(target.error()));
        co_return;
    }
    c.path = std::move(target->path);
    c.query = std::move(target->query);
    c.user_agent = user_agent_of(x.head().fields);
    reply r;
    if (c.path.size() == 2) {
        r = co_await openid_.begin(x.core(), c);
    } else {
        std::string attempt = cookie_of(x.head().fields, attempt_cookie, openid::longest_sealed);
        r = co_await openid_.finish(x.core(), c, std::move(attempt));
        co_await after_commit(x, r);
    }
    co_await send(x, r);
}

http::awaitable<void> api::after_commit(http::exchange& x, const reply& done)
{
    if (done.approved && context_.approved) context_.approved(*done.approved);
    if (done.glass_broken) {
        const hold& h = *done.glass_broken;
        const decision* broken = h.glass_broken();
        log::warning("glass broken",
                     {{"hold", h.id.text()}, {"action", h.action.text()}, {"person", broken ? broken->by.text() : std::string()}});
        if (context_.glass_broken) context_.glass_broken(h);
    }
    if (done.decided && context_.decided) context_.decided(*done.decided);
    if (context_.closed)
        for (const hold& h : done.closed) context_.closed(h);
    if (done.directory_generation > 0) co_await await_directory(x, done.directory_generation);
}

// Status 0: the event stream, for a person who is signed in.
http::awaitable<reply> api::answer(http::exchange& x, call& c, const resource& to)
{
    for (int attempt = 1;; ++attempt) {
        auto done = co_await in_transaction(x, c, to);
        if (done) {
            co_await after_commit(x, *done);
            co_return std::move(*done);
        }
        if (done.error().what == problem::conflict && attempt < attempts) continue;
        if (done.error().what == problem::internal_error)
            log::error("people's API failed", {{"path", to.path}, {"cause", done.error().cause}});
        co_return problem_reply(done.error());
    }
}

http::awaitable<result<reply>> api::in_transaction(http::exchange& x, const call& c, const resource& to)
{
    auto work = [c = std::make_shared<call>(c), &to](storage::transaction& tx) -> result<reply> {
        if (to.needs_session) {
            const auto session = c->session.empty() ? std::nullopt : storage::session_store::find(tx, sha256(c->session).view());
            if (session) c->person = storage::person_store::by_id(tx, session->person);
            if (!c->person) return fail(problem::unauthenticated, "Sign in first.");
        }
        if (to.answer) return to.answer(tx, *c);
        reply stream;
        stream.status = 0;
        return stream;
    };
    co_return co_await context_.db.run(x.core().get_executor(), std::move(work));
}

// The answer to an enrolment waits until our own snapshot knows the passkey: the next hold can then reach its owner.
http::awaitable<void> api::await_directory(http::exchange& x, std::int64_t generation)
{
    if (context_.directory_changed) context_.directory_changed();
    const auto deadline = clock::now() + directory_patience;
    http::signal pause;
    while (context_.standings.current()->directory->generation() < generation && clock::now() < deadline)
        co_await pause.wait(x.core().timers(), clock::now() + 20ms);
}

http::awaitable<void> api::stream_events(http::exchange& x, call c)
{
    const auto open = context_.events.subscribe(x.core());
    std::vector<field> headers{{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}};
    add_security(headers);
    if (!co_await x.begin_response(200, headers)) co_return;
    if (x.is_head_request()) {
        co_await x.end_response();
        co_return;
    }
    if (!co_await x.write_body(": open\n\n")) co_return;
    x.release_buffers();
    const std::string hash(sha256(c.session).view());
    for (;;) {
        const auto woke = co_await x.wait(open->wake, clock::now() + keep_alive_every);
        if (woke == http::woke::gone) co_return;
        if (x.stopping()) break;
        const auto taken = open->take();
        if (taken.behind) break;
        if (taken.news.empty()) {
            if (!co_await x.write_body(": still here\n\n")) co_return;
        }
        // Whether the session still stands is asked with each piece of news: who was signed out hears nothing more.
        auto work = [hash](storage::transaction& tx) -> std::pair<std::optional<sallyport::person>, time_point> {
            const auto session = storage::session_store::find(tx, hash);
            return {session ? storage::person_store::by_id(tx, session->person) : std::nullopt, tx.now()};
        };
        const auto asked = co_await context_.db.run(x.core().get_executor(), std::move(work));
        if (!asked || !asked->first) break;
        const auto& [who, now] = *asked;
        const auto standing = context_.standings.current();
        std::string text;
        for (const auto& h : taken.news) {
            if (!may_read(*h, *standing->directory, *who, now)) continue;
            text += "event: hold\ndata: " +
                    boost::json::serialize(boost::json::object{{"hold", h->id.text()}, {"status", name_of(h->status)}}) + "\n\n";
        }
        if (!text.empty() && !co_await x.write_body(text)) co_return;
    }
    co_await x.end_response();
}

}  // namespace sallyport::people
