#include "gateway/serve/serve_call.hpp"

#include "gateway/audit/call_record.hpp"
#include "gateway/canonical/action.hpp"
#include "gateway/canonical/content_digest.hpp"
#include "gateway/canonical/sha256.hpp"
#include "gateway/canonical/target.hpp"
#include "gateway/forward/forward.hpp"
#include "gateway/identity/hold_json.hpp"
#include "gateway/identity/token_endpoint.hpp"
#include "gateway/jose/random.hpp"
#include "gateway/log/log.hpp"
#include "gateway/policy/call_body.hpp"
#include "gateway/release/payload.hpp"
#include "gateway/release/recheck.hpp"
#include "gateway/serve/answers.hpp"
#include "gateway/serve/hold_calls.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <chrono>

namespace sallyport::serve {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t longest_form = 64 << 10;
constexpr std::string_view token_path = "/oauth2/token";
constexpr std::string_view oauth = "/oauth2";
constexpr std::string_view well_known = "/.well-known";
constexpr std::string_view own_path = "/.sallyport";

time_point local_now() { return std::chrono::time_point_cast<duration>(std::chrono::system_clock::now()); }

bool is_under(std::string_view path, std::string_view parent)
{
    return path.starts_with(parent) && (path.size() == parent.size() || path[parent.size()] == '/');
}

http::awaitable<void> refuse(services& all, http::exchange& x, failure why)
{
    count_refusal(all.metrics, why.what);
    co_await answer_problem(x, why);
}

// --- what needs no token ------------------------------------------------------------------------------------------------

http::awaitable<void> serve_token(services& all, worker& w, http::exchange& x)
{
    if (x.head().method != "POST") {
        const std::array<field, 2> allow{{{"Allow", "POST"}, {"Content-Type", identity::problem_media_type}}};
        const std::string body = identity::problem_document(fail(problem::method_not_allowed));
        co_await x.respond(405, allow, body);
        co_return;
    }
    // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): the core may swap its pointer while the body is read
    const identity::standing_ptr standing = w.standing();
    const std::string content_type(x.head().find("content-type").value_or(""));
    const auto body = co_await x.read_body(longest_form);
    if (!body) {
        co_await refuse(all, x, body.error());
        co_return;
    }
    const identity::oauth_settings settings{standing->config->agents_url, standing->config->limits.access_token};
    const auto call = std::make_shared<const identity::token_call>(
        identity::token_call::read(settings, *standing->directory, content_type, *body, local_now()));
    identity::oauth_answer answer;
    if (call->answer()) {
        answer = *call->answer();
    } else {
        const identity::token_queue::place place(*all.token_queue);
        if (!place) {
            co_await refuse(all, x, fail(problem::overloaded, "Too many ask for tokens at once."));
            co_return;
        }
        auto work = [&all, call, random = random10(), jti = random_text(16)](storage::transaction& tx) {
            return call->grant(tx, all.signing, random, jti);
        };
        auto done = co_await all.db.run(x.core().get_executor(), std::move(work));
        if (!done) {
            co_await refuse(all, x, done.error());
            co_return;
        }
        answer = std::move(*done);
    }
    if (answer.error.empty())
        log::info("token issued", {{"agent", answer.agent}});
    else
        log::info("token refused", {{"agent", answer.agent}, {"cause", answer.error}});
    co_await answer_json(x, answer.status, answer.body);
}

http::awaitable<void> serve_well_known(services& all, worker& w, http::exchange& x, std::string_view path)
{
    const bool reads = x.head().method == "GET" || x.head().method == "HEAD";
    std::string body;
    if (reads && path == "/.well-known/oauth-authorization-server")
        body = identity::metadata(w.standing()->config->agents_url);
    else if (reads && path == "/.well-known/jwks.json")
        body = all.signing.jwks();
    if (body.empty()) {
        failure nothing = fail(reads ? problem::not_found : problem::method_not_allowed);
        co_await refuse(all, x, std::move(nothing));
        co_return;
    }
    const std::array<field, 2> headers{{{"Content-Type", "application/json"}, {"Cache-Control", "max-age=300"}}};
    co_await x.respond(200, headers, body);
}

// --- a call under a route -----------------------------------------------------------------------------------------------

// Everything known of the call while it is judged. The texts are in `memory`, so that the connection's buffer may move.
struct call {
    identity::standing_ptr standing;
    caller who;
    const config::route* route = nullptr;
    route_counters counters;  // of that route
    const identity::credential* credential = nullptr;
    worker::borrowed_memory memory;
    action_id id;
    time_point now;
    clock::time_point began;
    policy::call_facts facts;
    std::optional<json::document> body;
    std::string_view bytes;  // of the body, once it was read
    bool has_body = false;   // there is one, read or not
    bool body_was_read = false;
    preferences prefers;
};

result<void> route_call(call& c, const http::request_head& head, const canonical_target& target)
{
    const config::configuration& config = *c.standing->config;
    const auto match = config.match_route(head.host, target.path);
    if (!match.route) return fail(problem::no_route, "No route leads to that path.");
    c.route = match.route;
    if (auto refused = target.refused_by({c.route->keep_encoded_slash, c.route->keep_path_parameters})) return *refused;
    if (!identity::permits(c.who.token->scopes, c.route->id, head.method))
        return fail(problem::insufficient_scope,
                    "The token's scope does not cover " + std::string(head.method) + " on the route " + c.route->id + ".");
    if (head.content_length.value_or(0) > c.route->body_limit)
        return fail(problem::body_too_large, "The route takes bodies of at most " + std::to_string(c.route->body_limit) + " bytes.");

    c.credential = c.route->credential.empty() ? nullptr : c.standing->credential_of(*c.route);
    call_memory& m = *c.memory;
    m.method = head.method;
    m.request_host = head.host;
    m.host = host_name(head.host);
    m.path = match.rest.empty() ? std::string_view("/") : match.rest;
    m.request_target = target.path;
    if (target.query) {
        m.query = *target.query;
        m.request_target += '?';
        m.request_target += *target.query;
    }
    append_target(m.target, c.route->upstream.base, match.rest, target.query);
    fields_to_upstream(head.fields, c.credential ? std::string_view(c.credential->header) : std::string_view(), m.headers);
    c.has_body = head.has_body();
    c.prefers = parse_prefer(head.fields);

    c.facts.method = m.method;
    c.facts.host = m.host;
    c.facts.path = m.path;
    c.facts.query = m.query;
    c.facts.headers = m.headers.fields();
    c.facts.agent = c.who.agent;
    c.facts.task = c.who.token->task ? &c.who.token->task->facts : nullptr;
    c.facts.now = c.now;
    return {};
}

// A body may take its time: whoever was suspended or ran out of token meanwhile is refused.
result<void> still_stands(const worker& w, const call& c)
{
    if (c.who.token->expires_at <= local_now())
        return fail(problem::unauthenticated, "The access token expired before the body was there.");
    if (w.standing() == c.standing) return {};
    if (auto who = active_agent(*w.standing(), c.who.agent->id); !who) return who.error();
    return {};
}

// The whole body, and what it says where a rule of the route wants to know.
result<void> take_body(call& c, std::string_view bytes)
{
    c.bytes = bytes;
    c.body_was_read = true;
    if (!c.standing->config->rules.reads_body(c.route->index)) return {};
    auto parsed = policy::read_body(c.facts.headers, c.bytes);
    if (!parsed) return parsed.error();
    c.body = std::move(*parsed);
    c.facts.body = c.body ? &c.body->root() : nullptr;
    return {};
}

http::awaitable<result<void>> read_body(const worker& w, call& c, http::exchange& x)
{
    const auto bytes = co_await x.read_body(c.route->body_limit);
    if (!bytes) co_return bytes.error();
    if (auto stands = still_stands(w, c); !stands) co_return stands.error();
    co_return take_body(c, *bytes);
}

std::string rule_ids(const policy::verdict& verdict)
{
    std::string ids;
    for (const spoken_rule& r : verdict.rules)
        if (r.matched || !r.error.empty()) ids += (ids.empty() ? "" : " ") + r.rule;
    return ids;
}

// Before the call goes on or is refused: kill -9 loses none.
bool record_verdict(worker& w, call& c, verdict_kind kind, std::string_view rules)
{
    std::optional<digest> content;
    if (c.body_was_read && !c.bytes.empty()) content = sha256(c.bytes);
    audit::encode(audit::verdict_record{kind, c.now, c.id, c.who.agent->id, c.route->id, rules, c.standing->config->digest,
                                        c.memory->method, c.route->upstream.authority, c.memory->target, content},
                  c.memory->record);
    return w.journal().append(c.memory->record);
}

void record_outcome(worker& w, call& c, clock::time_point when, int status, std::optional<problem> why)
{
    // By the steady clock: no further reading, and never before the verdict, whatever is done to the system's.
    const time_point at = c.now + std::chrono::duration_cast<duration>(when - c.began);
    audit::encode(audit::outcome_record{at, c.id, c.who.agent->id, status, why}, c.memory->record);
    if (!w.journal().append(c.memory->record)) log::error("journal: the outcome was not written", {{"action", c.id.text()}});
}

http::awaitable<void> pass_on(services& all, worker& w, http::exchange& x, call& c)
{
    identity::problem_context context;
    context.action = c.id;
    if (!c.route->credential.empty() && !c.credential) {
        const failure missing = fail(problem::credential_missing,
                                     "The credential " + c.route->credential + " of the route " + c.route->id + " does not exist.");
        record_outcome(w, c, c.began, 0, missing.what);
        co_await answer_problem(x, missing, context);
        co_return;
    }
    std::array<char, action_id::length> id;
    c.id.write(id.data());
    const std::array<field, 1> added{{{"Sallyport-Action", {id.data(), id.size()}}}};
    forward::outgoing request{c.memory->method,           c.memory->target, c.route->upstream.authority,
                              c.memory->headers.fields(), std::nullopt,     {}};
    if (c.credential)
        request.credential = forward::injected_credential{c.credential->header, c.credential->value.reveal(), &c.credential->forms};
    const auto source = c.has_body && !c.body_was_read ? forward::body_source::from_agent() : forward::body_source::whole(c.bytes);

    const auto passed = co_await forward::forward(x, w.upstreams(), *c.route, request, source, added);
    const auto upstream_time =
        passed.times.first_byte > passed.times.connected ? passed.times.first_byte - passed.times.connected : clock::duration{};
    all.call_seconds.observe(std::chrono::duration_cast<duration>(passed.times.ended - c.began - upstream_time));
    record_outcome(w, c, passed.times.ended, passed.status, passed.failed ? std::optional(passed.failed->what) : std::nullopt);
    if (!passed.failed) co_return;
    log::warning("call failed", {{"action", c.id.text()},
                                 {"agent", c.who.agent->name},
                                 {"route", c.route->id},
                                 {"problem", facts(passed.failed->what).name},
                                 {"cause", passed.failed->cause.empty() ? std::string_view(passed.failed->detail)
                                                                        : std::string_view(passed.failed->cause)}});
    if (!passed.head_written) co_await answer_problem(x, *passed.failed, context);
}

release::held_call to_hold(services& all, call& c, policy::verdict verdict, std::string idempotency_key)
{
    action held;
    held.id = c.id;
    held.agent = c.who.agent->id;
    held.route = c.route->id;
    held.method = c.memory->method;
    held.authority = c.route->upstream.authority;
    held.target = c.memory->target;
    for (const field& f : c.memory->headers) held.headers.emplace_back(f.name, f.value);
    held.body = c.bytes;
    if (!c.bytes.empty()) held.content_digest = content_digest(c.bytes);

    release::held_call h;
    storage::action_record& record = h.record;
    record.id = held.id;
    record.agent = held.agent;
    if (const auto& task = c.who.token->task) record.task = identity::task_json(*task);
    record.route = held.route;
    record.policy = c.standing->config->digest;
    record.method = held.method;
    record.scheme = scheme_of(c.route->upstream);
    record.authority = held.authority;
    record.target = held.target;
    record.request_host = c.memory->request_host;
    record.request_target = c.memory->request_target;
    record.content_digest = held.content_digest.value_or("");
    record.digest = action_digest(held).base64url();
    record.content_length = static_cast<std::int64_t>(held.body.size());
    record.media_type = field_text(c.memory->headers.find("content-type").value_or(""));
    record.sealed_payload = release::seal_payload(all.keys, held);
    record.rules = identity::rules_json(verdict.rules);
    record.idempotency_key = std::move(idempotency_key);
    h.id = hold_id::make(c.now, random10());
    h.workflows = release::demanded(*c.standing->config, verdict);
    h.reasons = std::move(verdict.reasons);
    return h;
}

patience patience_of(const call& c)
{
    if (c.prefers.respond_async) return std::nullopt;
    return c.prefers.wait ? std::min<duration>(*c.prefers.wait, c.route->wait_max) : c.route->wait_default;
}

http::awaitable<void> deny(services& all, worker& w, http::exchange& x, call& c)
{
    const policy::verdict verdict = c.standing->config->rules.judge(c.route->index, c.facts);
    // A refusal stands also when it cannot be written down.
    if (!record_verdict(w, c, verdict_kind::deny, rule_ids(verdict)))
        log::error("journal: a denial was not written", {{"action", c.id.text()}});
    log::info("denied", {{"action", c.id.text()}, {"agent", c.who.agent->name}, {"route", c.route->id}, {"rules", rule_ids(verdict)}});
    all.call_seconds.observe(std::chrono::duration_cast<duration>(clock::now() - c.began));
    identity::problem_context context;
    context.action = c.id;
    context.rules = verdict.rules;
    const failure why = fail(problem::denied_by_policy, verdict.rules.empty() ? "No rule allows this call." : "");
    co_await answer_problem(x, why, context);
}

http::awaitable<result<release::held_call>> prepare_hold(services& all, const worker& w, http::exchange& x, call& c)
{
    const auto key = parse_idempotency_key(x.head().fields);
    if (!key) co_return key.error();
    std::string kept_key(key->value_or(""));
    if (!c.body_was_read)
        if (const auto read = co_await read_body(w, c, x); !read) co_return read.error();
    if (!c.route->credential.empty() && !c.credential)
        co_return fail(problem::credential_missing,
                       "The credential " + c.route->credential + " of the route " + c.route->id + " does not exist.");
    auto verdict = c.standing->config->rules.judge(c.route->index, c.facts);
    log::info("held", {{"action", c.id.text()}, {"agent", c.who.agent->name}, {"route", c.route->id}, {"rules", rule_ids(verdict)}});
    co_return to_hold(all, c, std::move(verdict), std::move(kept_key));
}

// Judges, and serves to the end what is not held.
http::awaitable<std::optional<waiting_call>> judge_and_serve(services& all, worker& w, http::exchange& x, caller who,
                                                             identity::standing_ptr standing, const canonical_target& target,
                                                             time_point now, clock::time_point began)
{
    call c;
    c.standing = std::move(standing);
    c.who = std::move(who);
    c.memory = w.borrow();
    c.now = now;
    c.began = began;
    if (const auto routed = route_call(c, x.head(), target); !routed) {
        co_await refuse(all, x, routed.error());
        co_return std::nullopt;
    }
    c.counters = w.counters(*c.route);  // before the first wait: the worker's table is that of c.standing only now
    const policy::rule_set& rules = c.standing->config->rules;
    if (rules.reads_body(c.route->index)) {
        result<void> read;
        if (const auto at_hand = x.body_at_hand(c.route->body_limit))
            read = take_body(c, *at_hand);
        else
            read = co_await read_body(w, c, x);
        if (!read) {
            co_await refuse(all, x, read.error());
            co_return std::nullopt;
        }
    }

    c.id = action_id::make(now, random10());
    const verdict_kind kind = rules.judge_quickly(c.route->index, c.facts, &c.memory->rules);
    c.counters.count(kind);
    identity::problem_context context;
    context.action = c.id;
    switch (kind) {
    case verdict_kind::deny: co_await deny(all, w, x, c); co_return std::nullopt;
    case verdict_kind::hold: {
        auto prepared = co_await prepare_hold(all, w, x, c);
        if (!prepared) {
            co_await answer_problem(x, prepared.error(), context);
            co_return std::nullopt;
        }
        const auto made = co_await make_hold(all, x, std::move(*prepared));
        if (!made) co_return std::nullopt;
        co_return waiting_call{made->hold, made->action, c.who.agent->id, patience_of(c)};
    }
    case verdict_kind::allow: break;
    }
    if (!record_verdict(w, c, kind, c.memory->rules)) {
        const failure full = fail(problem::storage_unavailable, "The call cannot be recorded.");
        co_await answer_problem(x, full, context);
        co_return std::nullopt;
    }
    co_await pass_on(all, w, x, c);
    co_return std::nullopt;
}

// All but the waiting, so that a call which waits keeps nothing of what it took to come so far.
http::awaitable<std::optional<waiting_call>> serve_until_held(services& all, worker& w, http::exchange& x)
{
    const auto began = clock::now();
    const time_point now = local_now();
    const http::request_head& head = x.head();
    std::string scratch;
    const auto target = read_target(head.target, head.host, scratch);
    if (!target) {
        co_await refuse(all, x, target.error());
        co_return std::nullopt;
    }
    if (target->path == token_path) {
        co_await serve_token(all, w, x);
        co_return std::nullopt;
    }
    if (is_under(target->path, well_known) && target->path != well_known) {
        const std::string path(target->path);
        co_await serve_well_known(all, w, x, path);
        co_return std::nullopt;
    }

    identity::standing_ptr standing = w.standing();
    // What no route keeps is refused before anybody is identified: it is the framing's kind of wrong.
    if (const auto refused = target->refused_by(standing->config->kept_by_some_route())) {
        co_await refuse(all, x, *refused);
        co_return std::nullopt;
    }
    auto who = identify(w, all.signing, *standing, head, now);
    if (!who) {
        co_await refuse(all, x, who.error());
        co_return std::nullopt;
    }
    if (is_under(target->path, own_path)) {
        co_await serve_holds(all, w, x, std::move(*who), std::string(target->path), std::string(target->query.value_or("")));
        co_return std::nullopt;
    }
    if (is_under(target->path, oauth) || target->path == well_known) {
        failure nowhere = fail(problem::no_route, "That path is the gateway's own and leads nowhere.");
        co_await refuse(all, x, std::move(nowhere));
        co_return std::nullopt;
    }
    co_return co_await judge_and_serve(all, w, x, std::move(*who), std::move(standing), *target, now, began);
}

}  // namespace

http::awaitable<void> serve_agent(services& all, worker& w, http::exchange& x)
{
    const auto held = co_await serve_until_held(all, w, x);
    if (held) co_await wait_for_people(all, w, x, *held);
}

}  // namespace sallyport::serve
