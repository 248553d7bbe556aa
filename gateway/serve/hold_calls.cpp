#include "gateway/serve/hold_calls.hpp"

#include "gateway/identity/form.hpp"
#include "gateway/identity/hold_json.hpp"
#include "gateway/log/log.hpp"
#include "gateway/release/handover.hpp"
#include "gateway/release/hold_moves.hpp"
#include "gateway/release/payload.hpp"
#include "gateway/serve/answers.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace sallyport::serve {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr std::string_view holds_path = "/.sallyport/holds";
constexpr duration longest_wait = 60s;
constexpr auto keep_alive_every = 14s;
constexpr std::size_t page = 50;

// --- what is known of a hold, and what its agent is told -------------------------------------------------------------------

struct known_hold {
    hold state;
    std::string rules;  // JSON, of its action
    std::optional<storage::kept_response> response;
};

http::awaitable<result<known_hold>> look(services& all, http::exchange& x, hold_id id, agent_id whose, bool with_response)
{
    auto work = [id, whose, with_response](storage::transaction& tx) -> result<known_hold> {
        auto read = storage::hold_store::get(tx, id);
        // Another agent's is no hold, and the answer says no more than for an unknown one.
        if (!read || read->hold.agent != whose) return fail(problem::no_hold);
        known_hold known{std::move(read->hold), std::move(read->action.rules), std::nullopt};
        if (with_response && known.state.status == hold_status::released) known.response = storage::hold_store::response(tx, id);
        return known;
    };
    co_return co_await all.db.run(x.core().get_executor(), std::move(work));
}

// How a closed hold is told to whoever made the call; none while it is open, or when it was released.
std::optional<failure> problem_of(const hold& h)
{
    switch (h.status) {
    case hold_status::held:
    case hold_status::approved:
    case hold_status::releasing:
    case hold_status::released: return std::nullopt;
    case hold_status::denied: return fail(problem::denied_by_person);
    case hold_status::expired: return fail(problem::expired);
    case hold_status::withdrawn: return fail(problem::withdrawn);
    case hold_status::undeliverable: return fail(problem::undeliverable);
    case hold_status::void_: return fail(problem::void_, h.detail);
    case hold_status::unknown: return fail(problem::outcome_unknown);
    }
    return fail(problem::internal_error);
}

http::awaitable<void> answer_open(http::exchange& x, const hold& h)
{
    const std::string location = std::string(holds_path) + "/" + h.id.text();
    const std::string action = h.action.text(), id = h.id.text();
    const std::array<field, 4> more{{{"Location", location}, {"Retry-After", "5"}, {"Sallyport-Action", action}, {"Sallyport-Hold", id}}};
    const std::string body = boost::json::serialize(identity::agent_view(h));
    co_await answer_json(x, 202, body, more);
}

http::awaitable<void> answer_released(services& all, http::exchange& x, const known_hold& known)
{
    identity::problem_context context;
    context.action = known.state.action;
    context.hold = known.state.id;
    if (!known.response) {
        co_await answer_problem(x, fail(problem::response_gone), context);
        co_return;
    }
    const auto answer = release::open_answer(all.keys, *known.response);
    if (!answer) {
        log::error("kept answer cannot be opened", {{"hold", known.state.id.text()}, {"cause", answer.error().cause}});
        co_await answer_problem(x, fail(problem::internal_error), context);
        co_return;
    }
    const std::string action = known.state.action.text(), id = known.state.id.text();
    std::vector<field> headers;
    for (const auto& [name, value] : answer->headers) headers.push_back({name, value});
    headers.push_back({"Sallyport-Action", action});
    headers.push_back({"Sallyport-Hold", id});
    // To HEAD the upstream said how long a body would be (RFC 9110 §9.3.2), which the empty one does not tell.
    if (x.is_head_request() && answer->declared_length) {
        if (co_await x.begin_response(answer->status, headers, answer->declared_length)) co_await x.end_response();
        co_return;
    }
    co_await x.respond(answer->status, headers, answer->body);
}

// As if the call had been slow: the upstream's answer, the refusal, or 202 while it is open.
http::awaitable<void> answer_hold(services& all, http::exchange& x, const known_hold& known)
{
    const hold& h = known.state;
    if (!closed(h.status)) {
        co_await answer_open(x, h);
    } else if (h.status == hold_status::released) {
        co_await answer_released(all, x, known);
    } else {
        const std::vector<spoken_rule> rules = identity::read_rules(known.rules);
        const auto view = identity::agent_view(h);
        identity::problem_context context;
        context.action = h.action;
        context.hold = h.id;
        context.rules = rules;
        if (const auto& said = view.at("reason"); said.is_string()) context.reason = std::string_view(said.as_string());
        co_await answer_problem(x, *problem_of(h), context);
    }
}

// How it stands now, to whoever made the call. The hold is committed: whatever goes wrong, the agent learns where to ask.
http::awaitable<void> tell_hold(services& all, http::exchange& x, const waiting_call& call)
{
    const auto known = co_await look(all, x, call.hold, call.whose, true);
    if (known) {
        co_await answer_hold(all, x, *known);
        co_return;
    }
    identity::problem_context context;
    context.action = call.action;
    context.hold = call.hold;
    co_await answer_problem(x, known.error(), context);
}

// --- waiting -----------------------------------------------------------------------------------------------------------

enum class until { changed, closed };

// What a wait has to know of its hold, and no more: ten thousand may wait at once.
struct glimpse {
    std::int64_t version = 0;
    bool closed = false;
};

http::awaitable<result<glimpse>> glimpse_of(services& all, http::exchange& x, hold_id id, agent_id whose)
{
    auto work = [id, whose](storage::transaction& tx) -> result<glimpse> {
        const auto read = storage::hold_store::get(tx, id);
        if (!read || read->hold.agent != whose) return fail(problem::no_hold);
        return glimpse{read->hold.version, closed(read->hold.status)};
    };
    co_return co_await all.db.run(x.core().get_executor(), std::move(work));
}

// True: the hold has changed since the beginning (or closed), or the time has passed: look at it. False: the agent left, or had
// its answer already, because that was too long to be kept.
http::awaitable<bool> wait_for(services& all, worker& w, http::exchange& x, hold_id id, agent_id whose, until what,
                               clock::time_point deadline, bool takes_answer)
{
    http::signal told;
    const worker::waiting place(w, id, told);
    std::optional<release::waiting_agent> for_answer;
    if (takes_answer && !x.is_head_request()) for_answer.emplace(all.releaser.waiting(), id, x.core(), told);
    std::optional<std::int64_t> first;
    for (;;) {
        const auto seen = co_await glimpse_of(all, x, id, whose);
        if (for_answer && for_answer->offered()) {
            co_await for_answer->pass_on(x);
            co_return false;
        }
        if (clock::now() >= deadline || x.stopping()) co_return true;
        auto pause = deadline;
        if (seen) {
            if (!first) first = seen->version;
            if (seen->closed || (what == until::changed && seen->version != *first)) co_return true;
        } else if (seen.error().what == problem::storage_unavailable) {
            // The database is away: the hold is not, and the agent may still be waiting when it is back.
            pause = std::min(deadline, clock::now() + 500ms);
        } else {
            co_return true;
        }
        if (co_await x.wait(told, pause) == http::woke::gone) co_return false;
    }
}

// --- the agent's own holds -----------------------------------------------------------------------------------------------

struct parameters {
    std::map<std::string, std::string, std::less<>> all;

    std::string_view get(std::string_view name) const
    {
        const auto found = all.find(name);
        return found == all.end() ? std::string_view() : std::string_view(found->second);
    }
};

result<parameters> read_query(const std::string& query, std::initializer_list<std::string_view> known)
{
    auto read = identity::parse_form(query);
    if (!read) return fail(problem::malformed_request, "The query is malformed.");
    for (const auto& [name, value] : *read)
        if (std::find(known.begin(), known.end(), name) == known.end())
            return fail(problem::malformed_request, "The query has an unknown parameter.");
    return parameters{std::move(*read)};
}

// Written as a duration, if perhaps a longer one than any that is read.
bool looks_like_duration(std::string_view text)
{
    const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
    return digits > 0 && text.front() != '0' && parse_duration("1" + std::string(text.substr(digits)));
}

// `wait=30s`; above a minute it is a minute.
result<duration> read_wait(const parameters& query)
{
    const auto text = query.get("wait");
    if (query.all.find("wait") == query.all.end() || text == "0s") return duration{};
    if (!looks_like_duration(text)) return fail(problem::malformed_request, "wait is a duration, as 30s.");
    return std::min(parse_duration(text).value_or(longest_wait), longest_wait);
}

result<std::vector<hold_status>> read_statuses(std::string_view list)
{
    std::vector<hold_status> statuses;
    while (!list.empty()) {
        const auto end = std::min(list.find(','), list.size());
        const auto status = hold_status_named(list.substr(0, end));
        if (!status) return fail(problem::malformed_request, "status is a comma list of hold states.");
        statuses.push_back(*status);
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return statuses;
}

http::awaitable<void> list_holds(services& all, http::exchange& x, agent_id whose, const std::string& query_text)
{
    const auto query = read_query(query_text, {"status", "cursor", "limit"});
    if (!query) {
        co_await answer_problem(x, query.error());
        co_return;
    }
    storage::hold_query ask;
    ask.agent = whose;
    ask.limit = page;
    const auto statuses = read_statuses(query->get("status"));
    const auto cursor = query->get("cursor");
    if (!cursor.empty()) ask.cursor = storage::hold_cursor::parse(cursor);
    if (const auto limit = query->get("limit"); !limit.empty()) {
        const auto [end, error] = std::from_chars(limit.data(), limit.data() + limit.size(), ask.limit);
        if (error != std::errc{} || end != limit.data() + limit.size() || ask.limit < 1 || ask.limit > 100) ask.limit = 0;
    }
    if (!statuses || (!cursor.empty() && !ask.cursor) || ask.limit == 0) {
        co_await answer_problem(x, !statuses ? statuses.error() : fail(problem::malformed_request, "cursor or limit is not acceptable."));
        co_return;
    }
    ask.status = *statuses;
    const std::size_t limit = ask.limit;
    auto work = [ask](storage::transaction& tx) { return storage::hold_store::list(tx, ask); };
    const auto found = co_await all.db.run(x.core().get_executor(), std::move(work));
    if (!found) {
        co_await answer_problem(x, found.error());
        co_return;
    }
    boost::json::array holds;
    for (const auto& one : *found) holds.push_back(identity::agent_view(one.hold));
    boost::json::value next;
    if (found->size() == limit) next = storage::hold_cursor::after(found->back()).text();
    const std::string body = boost::json::serialize(boost::json::object{{"holds", std::move(holds)}, {"next", std::move(next)}});
    co_await answer_json(x, 200, body);
}

http::awaitable<void> show_hold(services& all, worker& w, http::exchange& x, hold_id id, agent_id whose, duration wait, bool response)
{
    const auto deadline = clock::now() + wait;
    x.release_buffers();
    const bool go_on = co_await wait_for(all, w, x, id, whose, response ? until::closed : until::changed, deadline, response);
    if (!go_on) co_return;
    const auto known = co_await look(all, x, id, whose, response);
    if (!known) {
        co_await answer_problem(x, known.error());
        co_return;
    }
    if (response) {
        co_await answer_hold(all, x, *known);
        co_return;
    }
    const hold& h = known->state;
    const std::string action = h.action.text(), hold_text = h.id.text();
    const std::array<field, 2> more{{{"Sallyport-Action", action}, {"Sallyport-Hold", hold_text}}};
    const std::string body = boost::json::serialize(identity::agent_view(h));
    co_await answer_json(x, 200, body, more);
}

http::awaitable<void> withdraw(services& all, http::exchange& x, hold_id id, agent_id whose)
{
    const identity::standing_ptr standing = all.standings.current();
    struct withdrawal {
        hold now;
        std::optional<failure> refused;  // of a hold that is the agent's
    };
    auto work = [id, whose, standing](storage::transaction& tx) -> result<withdrawal> {
        auto read = storage::hold_store::get_for_update(tx, id);
        if (!read || read->hold.agent != whose) return fail(problem::no_hold);
        hold before = read->hold;
        auto moved = release::apply(tx, std::move(*read), happened::withdrawn{}, *standing->directory);
        if (moved) return withdrawal{std::move(moved->hold.hold), std::nullopt};
        if (moved.error().what != problem::hold_closed) return moved.error();
        return withdrawal{std::move(before), moved.error()};
    };
    const auto done = co_await all.db.run(x.core().get_executor(), std::move(work));
    if (!done) {
        co_await answer_problem(x, done.error());
        co_return;
    }
    const hold& now = done->now;
    if (done->refused) {
        identity::problem_context context;
        context.action = now.action;
        context.hold = now.id;
        co_await answer_problem(x, *done->refused, context);
        co_return;
    }
    release::count_closed(all.metrics, now);
    log::info("hold closed", {{"hold", id.text()}, {"action", now.action.text()}, {"status", name_of(now.status)}});
    const std::string action = now.action.text(), hold_text = now.id.text();
    const std::array<field, 2> more{{{"Sallyport-Action", action}, {"Sallyport-Hold", hold_text}}};
    const std::string body = boost::json::serialize(identity::agent_view(now));
    co_await answer_json(x, 200, body, more);
}

// Server-sent events (WHATWG HTML §9.2): the state at once, then each change, until the last one.
http::awaitable<void> stream_hold(services& all, worker& w, http::exchange& x, hold_id id, agent_id whose)
{
    http::signal told;
    const worker::waiting place(w, id, told);
    std::int64_t shown = -1;
    bool begun = false;
    for (;;) {
        const auto known = co_await look(all, x, id, whose, false);
        if (!known && !begun) {
            co_await answer_problem(x, known.error());
            co_return;
        }
        if (!begun) {
            const std::array<field, 2> headers{{{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}}};
            if (!co_await x.begin_response(200, headers)) co_return;
            x.release_buffers();
            begun = true;
        }
        if (known && known->state.version != shown) {
            shown = known->state.version;
            const std::string event = "event: hold\ndata: " + boost::json::serialize(identity::agent_view(known->state)) + "\n\n";
            if (!co_await x.write_body(event)) co_return;
            if (closed(known->state.status)) break;
        }
        // The database is away: asked again soon, for the change that woke us may be what could not be read.
        const auto pause = known ? clock::duration(keep_alive_every) : clock::duration(500ms);
        const auto woke = co_await x.wait(told, clock::now() + pause);
        if (woke == http::woke::gone) co_return;
        if (x.stopping()) break;
        if (woke == http::woke::deadline && !co_await x.write_body(": still here\n\n")) co_return;
    }
    co_await x.end_response();
}

}  // namespace

http::awaitable<std::optional<storage::created>> make_hold(services& all, http::exchange& x, release::held_call call)
{
    identity::problem_context context;
    context.action = call.record.id;
    const auto made = co_await all.holds.make(x.core().get_executor(), std::move(call));
    failure why;
    if (!made) {
        why = made.error();
    } else {
        switch (made->what.what) {
        case storage::created::kind::created:
            if (closed(made->status)) release::count_closed(all.metrics, made->status, {});
            release::count_passed_over(all.metrics, made->passed_over);
            co_return made->what;
        case storage::created::kind::same: co_return made->what;
        case storage::created::kind::inactive: why = fail(problem::agent_suspended); break;
        case storage::created::kind::conflict:
            why = fail(problem::idempotency_conflict, "This Idempotency-Key was used for another action.");
            break;
        case storage::created::kind::overloaded: why = fail(problem::overloaded, "Too many calls are held already."); break;
        }
    }
    co_await answer_problem(x, why, context);
    co_return std::nullopt;
}

http::awaitable<void> wait_for_people(services& all, worker& w, http::exchange& x, waiting_call call)
{
    x.release_buffers();
    // Without patience the state is told as it is; a wait of no time looks once.
    const auto deadline = clock::now() + call.wait.value_or(duration{});
    const bool go_on = co_await wait_for(all, w, x, call.hold, call.whose, until::closed, deadline, true);
    if (go_on) co_await tell_hold(all, x, call);
}

http::awaitable<void> serve_holds(services& all, worker& w, http::exchange& x, caller who, std::string path, std::string query)
{
    const agent_id whose = who.agent->id;
    const std::string method(x.head().method);
    const bool reads = method == "GET" || method == "HEAD";
    std::string_view rest = path;
    const auto nothing_here = fail(problem::not_found);
    const auto wrong_method = fail(problem::method_not_allowed);
    if (!rest.starts_with(holds_path)) {
        co_await answer_problem(x, nothing_here);
        co_return;
    }
    rest.remove_prefix(holds_path.size());
    if (rest.empty()) {
        if (reads)
            co_await list_holds(all, x, whose, query);
        else
            co_await answer_problem(x, wrong_method);
        co_return;
    }
    if (rest.front() != '/') {
        co_await answer_problem(x, nothing_here);
        co_return;
    }
    rest.remove_prefix(1);
    const auto slash = std::min(rest.find('/'), rest.size());
    const auto id = hold_id::parse(rest.substr(0, slash));
    const std::string part(rest.substr(std::min(slash + 1, rest.size())));
    if (!id || !(slash == rest.size() || part == "response" || part == "events")) {
        co_await answer_problem(x, id ? nothing_here : fail(problem::no_hold));
        co_return;
    }
    if (method == "DELETE" && part.empty()) {
        co_await withdraw(all, x, *id, whose);
        co_return;
    }
    if (!reads) {
        co_await answer_problem(x, wrong_method);
        co_return;
    }
    if (part == "events") {
        co_await stream_hold(all, w, x, *id, whose);
        co_return;
    }
    const auto parsed = read_query(query, {"wait"});
    const auto wait = parsed ? read_wait(*parsed) : result<duration>(parsed.error());
    if (!wait) {
        co_await answer_problem(x, wait.error());
        co_return;
    }
    co_await show_hold(all, w, x, *id, whose, *wait, part == "response");
}

}  // namespace sallyport::serve
