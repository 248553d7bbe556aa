// Grants: what is proposed from a held call and what it would have covered last week, what there is, and ending it.
#include "gateway/release/grants.hpp"
#include "gateway/canonical/grant_text.hpp"
#include "gateway/people/cursor.hpp"
#include "gateway/people/deciding.hpp"
#include "gateway/people/request.hpp"
#include "gateway/people/resources.hpp"
#include "gateway/release/grant_json.hpp"
#include "gateway/release/payload.hpp"
#include "storage/grant_store.hpp"
#include "storage/hold_store.hpp"
#include "workflows/eligibility.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace sallyport::people {
namespace {

using namespace std::chrono_literals;

constexpr duration looked_back = 7 * 24h;
// Of a preview: it is asked for with every change of a field.
constexpr std::size_t rows_at_once = 100;
constexpr std::size_t most_rows = 1000;
constexpr std::int64_t most_bytes = 8 << 20;

constexpr std::size_t usual_page = 50;
constexpr std::size_t largest_page = 100;
constexpr int most_readings = 5;
constexpr std::size_t most_calls_shown = 100;
constexpr std::string_view cursor_of = "grants";

// What of last week's held calls the terms cover.
class week {
public:
    week(const grant_terms& terms, time_point now) : terms_(terms), since_(now - looked_back) {}

    void look(storage::transaction& tx, const call& c, const storage::stored_hold& like)
    {
        storage::hold_query ask;
        ask.agent = like.hold.agent;
        ask.route = like.hold.route;
        ask.limit = rows_at_once;
        for (std::size_t read = 0; read < most_rows; read += rows_at_once) {
            auto rows = storage::hold_store::list(tx, ask);
            const bool last = rows.size() < ask.limit || rows.back().hold.created_at < since_;
            if (!rows.empty()) ask.cursor = storage::hold_cursor::after(rows.back());
            std::erase_if(rows, [&](const auto& row) {
                return row.hold.created_at < since_ || row.hold.id == like.hold.id ||
                       !may_read(row.hold, c.directory(), *c.person, row.now);
            });
            looked_at_ += rows.size();
            // Another method or target is not covered, whatever is in it.
            std::erase_if(
                rows, [&](const auto& row) { return row.action.method != like.action.method || row.action.target != like.action.target; });
            for (const auto& row : rows) bytes_ += row.action.content_length;
            if (bytes_ > most_bytes) return;
            storage::hold_store::read_payloads(tx, rows);
            for (const auto& row : rows) take(c, row);
            if (last) {
                complete_ = true;
                return;
            }
        }
    }

    boost::json::object json() const
    {
        // In the order in which they came, as if the grant had been there for all of them.
        decimal sum, largest;
        std::size_t passed = 0;
        const auto bound = terms_.sum ? decimal::parse(terms_.sum->at_most) : std::nullopt;
        decimal used;
        for (auto amount = amounts_.rbegin(); amount != amounts_.rend(); ++amount) {
            sum = sum + *amount;
            largest = std::max(largest, *amount);
            if (passed == static_cast<std::size_t>(terms_.count) || (bound && used + *amount > *bound)) continue;
            used = used + *amount;
            ++passed;
        }
        const bool adds_up = terms_.sum.has_value();
        return {
            {"since", format_rfc3339(since_)},
            {"looked_at", looked_at_},
            {"complete", complete_},
            {"covered", amounts_.size()},
            {"denied", denied_},
            {"sum", adds_up ? boost::json::value(sum.text()) : boost::json::value(nullptr)},
            {"largest", adds_up && !amounts_.empty() ? boost::json::value(largest.text()) : boost::json::value(nullptr)},
            {"passed", passed},
            {"beyond", amounts_.size() - passed},
        };
    }

private:
    void take(const call& c, const storage::stored_hold& row)
    {
        const auto sent = release::open_action(c.around->keys, row.action);
        if (!sent) return;
        const auto seen = release::grantable_of(*sent, row.action);
        // The task of last week's calls was another one: it is not asked.
        grant_shape shape = terms_.shape;
        shape.task = seen.task;
        if (!covers(shape, seen)) return;
        const auto amount = amount_of(terms_, seen);
        if (!amount) return;
        amounts_.push_back(*amount);
        if (row.hold.status == hold_status::denied) ++denied_;
    }

    const grant_terms& terms_;
    time_point since_;
    std::vector<decimal> amounts_;  // newest first
    std::size_t looked_at_ = 0, denied_ = 0;
    std::int64_t bytes_ = 0;
    bool complete_ = false;
};

std::vector<std::string> fields_read(const call& c, const std::string& route)
{
    const config::route* found = c.config().find_route(route);
    return found ? c.config().rules.body_fields(found->index) : std::vector<std::string>();
}

reply preview(storage::transaction& tx, const call& c, const storage::stored_hold& held, const grant_terms& terms)
{
    week past(terms, held.now);
    past.look(tx, c, held);
    return json_reply(200, {{"grant", terms_json(terms)}, {"week", past.json()}});
}

bool may_revoke(const call& c, const release::standing_grant& g)
{
    const person& who = *c.person;
    if (who.has(role::operator_)) return true;
    const auto signers = release::signers_of(g);
    if (std::find(signers.begin(), signers.end(), who.id) != signers.end()) return true;
    const agent* of = c.directory().find(g.record.agent);
    return of && directory::owned_by(of->owner, who);
}

boost::json::object view(const call& c, const release::standing_grant& g)
{
    auto shown = release::grant_json(g, c.directory());
    shown["may_revoke"] = g.record.status() == grant_status::active && may_revoke(c, g);
    return shown;
}

// Of an id that is unknown, and of one that this person may not know of: the same.
result<release::standing_grant> readable_grant(storage::transaction& tx, const call& c)
{
    const auto id = grant_id::parse(c.path[1]);
    auto found = id ? release::find_grant(tx, *id) : std::nullopt;
    if (!found || !may_read(found->source, c.directory(), *c.person, found->record.now))
        return fail(problem::not_found, "There is no such grant.");
    return std::move(*found);
}

result<storage::grant_query> read_grant_query(const call& c)
{
    if (const auto known = check_query(c.query, {"status", "agent", "cursor", "limit"}); !known) return known.error();
    storage::grant_query ask;
    for (auto list = find(c.query, "status").value_or(""); !list.empty();) {
        const auto end = std::min(list.find(','), list.size());
        const auto status = grant_status_named(list.substr(0, end));
        if (!status) return fail(problem::malformed_request, "\"status\" is a comma list of active, exhausted, expired and revoked.");
        ask.status.push_back(*status);
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    const auto from = open_cursor(c, cursor_of);
    if (!from) return from.error();
    if (*from) ask.cursor = storage::grant_cursor::parse(**from);
    return ask;
}

}  // namespace

result<reply> propose_grant(storage::transaction& tx, const call& c)
{
    if (const auto known = check_query(c.query, {}); !known) return known.error();
    const auto held = readable_hold(tx, c, c.path[1], false);
    if (!held) return held.error();
    if (const auto may = may_decide(c, *held); !may) return may.error();
    const auto seen = grantable_hold(tx, c, *held);
    if (!seen) return seen.error();
    const auto terms = propose(*seen, fields_read(c, held->hold.route));
    if (const auto fine = check_terms(terms, *seen); !fine) return fine.error();
    return preview(tx, c, *held, terms);
}

result<reply> preview_grant(storage::transaction& tx, const call& c)
{
    const auto given = message::read(c.body, {"grant"});
    if (!given) return given.error();
    const json::value* grant = given->find("grant");
    if (!grant) return fail(problem::malformed_request, "\"grant\" is missing.");
    const auto terms = read_terms(*grant);
    if (!terms) return terms.error();
    const auto held = readable_hold(tx, c, c.path[1], false);
    if (!held) return held.error();
    if (const auto may = may_decide(c, *held); !may) return may.error();
    const auto seen = grantable_hold(tx, c, *held);
    if (!seen) return seen.error();
    if (const auto fine = check_terms(*terms, *seen); !fine) return fine.error();
    return preview(tx, c, *held, *terms);
}

result<reply> list_grants(storage::transaction& tx, const call& c)
{
    const auto wanted = read_limit(c.query, usual_page, largest_page);
    auto ask = read_grant_query(c);
    if (!ask) return ask.error();
    if (!wanted) return wanted.error();
    if (const auto name = find(c.query, "agent")) {
        const agent* who = c.directory().agent_named(*name);
        if (!who) return json_reply(200, {{"grants", boost::json::array{}}, {"next", nullptr}});
        ask->agent = who->id;
    }
    ask->limit = largest_page;

    boost::json::array page;
    bool more = true, full = false;
    for (int reading = 0; more && !full && reading < most_readings; ++reading) {
        const auto rows = storage::grant_store::list(tx, *ask);
        more = rows.size() == ask->limit;
        std::vector<hold_id> of;
        for (const auto& row : rows) of.push_back(row.hold);
        std::map<hold_id, hold> sources;
        for (auto& source : storage::hold_store::get(tx, of)) sources.emplace(source.hold.id, std::move(source.hold));
        for (const auto& row : rows) {
            const auto source = sources.find(row.hold);
            const bool readable = source != sources.end() && may_read(source->second, c.directory(), *c.person, row.now);
            full = readable && page.size() == *wanted;
            if (full) break;
            ask->cursor = storage::grant_cursor{row.created_at, row.id};
            if (readable) page.push_back(view(c, {row, source->second}));
        }
    }
    boost::json::value next;
    if ((more || full) && ask->cursor) next = boost::json::value(seal_cursor(c, cursor_of, ask->cursor->text()));
    return json_reply(200, {{"grants", std::move(page)}, {"next", std::move(next)}});
}

result<reply> show_grant(storage::transaction& tx, const call& c)
{
    if (const auto known = check_query(c.query, {}); !known) return known.error();
    const auto found = readable_grant(tx, c);
    if (!found) return found.error();
    boost::json::array calls;
    for (const auto& h : storage::hold_store::get(tx, storage::grant_store::approved_by(tx, found->record.id, most_calls_shown)))
        if (may_read(h.hold, c.directory(), *c.person, h.now))
            calls.push_back(boost::json::object{{"hold", h.hold.id.text()},
                                                {"status", name_of(h.hold.status)},
                                                {"summary", h.hold.reasons.empty() ? std::string() : h.hold.reasons.front().summary},
                                                {"at", format_rfc3339(h.hold.created_at)}});
    return json_reply(200, {{"grant", view(c, *found)}, {"calls", std::move(calls)}});
}

result<reply> revoke_grant(storage::transaction& tx, const call& c)
{
    const auto found = readable_grant(tx, c);
    if (!found) return found.error();
    if (!may_revoke(c, *found))
        return fail(problem::not_permitted, "Only who signed a grant, the agent's owners and operators may end it.");
    auto ended = release::revoke_grant(tx, found->record, c.person->id, "by " + c.person->name, c.directory());
    // Revoked before: it is what was asked for.
    auto now = release::find_grant(tx, found->record.id);
    reply r = json_reply(200, {{"grant", view(c, now ? *now : *found)}});
    if (ended) r.closed = std::move(*ended);
    return r;
}

}  // namespace sallyport::people
