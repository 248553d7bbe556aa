#include "gateway/people/cursor.hpp"
#include "gateway/people/ladder.hpp"
#include "gateway/people/pace.hpp"
#include "gateway/people/request.hpp"
#include "gateway/people/resources.hpp"
#include "gateway/people/views.hpp"
#include "gateway/release/grants.hpp"
#include "gateway/release/payload.hpp"
#include "storage/agent_store.hpp"
#include "storage/grant_store.hpp"
#include "workflows/eligibility.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <vector>

namespace sallyport::people {
namespace {

constexpr std::size_t usual_page = 50;
constexpr std::size_t largest_page = 100;
constexpr std::size_t longest_search = 200;
// A page with large bodies on it ends early, and so does the search of somebody who may read few of many: `next` goes on.
constexpr std::int64_t most_body_bytes = 2 << 20;
constexpr std::size_t rows_at_once = 100;
constexpr int most_readings = 10;
constexpr std::string_view cursor_of = "holds";

// What cannot be unsealed is shown without its fields and body, and such a hold cannot be released either.
boost::json::object view(const call& c, const storage::stored_hold& h)
{
    auto sent = release::open_action(c.around->keys, h.action);
    if (!sent) {
        action without;
        without.method = h.action.method;
        without.authority = h.action.authority;
        without.target = h.action.target;
        return hold_json(h, without, c.config(), c.directory(), *c.person);
    }
    return hold_json(h, *sent, c.config(), c.directory(), *c.person);
}

// What their approvals left behind.
void add_left_grants(storage::transaction& tx, std::span<const storage::stored_hold> holds, boost::json::array& shown)
{
    std::vector<hold_id> ids;
    for (const auto& h : holds)
        if (std::any_of(h.hold.decisions.begin(), h.hold.decisions.end(), [](const decision& d) { return !d.grant.empty(); }))
            ids.push_back(h.hold.id);
    for (const storage::grant_record& g : storage::grant_store::left_by(tx, ids))
        for (std::size_t i = 0; i < holds.size(); ++i)
            if (holds[i].hold.id == g.hold) shown[i].as_object()["left_grant"] = g.id.text();
}

bool reads_all(const person& who) { return who.has(role::auditor) || who.has(role::operator_); }

// Those of a reading that are shown: what this person may read and, where the database was not asked for it, `q` finds.
std::vector<storage::stored_hold> chosen(storage::transaction& tx, const call& c, std::vector<storage::stored_hold> rows,
                                         std::string_view q)
{
    std::erase_if(rows, [&](const auto& row) { return !may_read(row.hold, c.directory(), *c.person, row.now); });
    if (q.empty() || rows.empty()) return rows;
    std::vector<hold_id> ids;
    for (const auto& row : rows) ids.push_back(row.hold.id);
    const auto found = storage::hold_store::matching(tx, ids, q);
    std::erase_if(rows, [&](const auto& row) { return std::find(found.begin(), found.end(), row.hold.id) == found.end(); });
    return rows;
}

result<std::vector<hold_status>> statuses(const call& c)
{
    std::vector<hold_status> all;
    auto list = find(c.query, "status").value_or("");
    while (!list.empty()) {
        const auto end = std::min(list.find(','), list.size());
        const auto status = hold_status_named(list.substr(0, end));
        if (!status) return fail(problem::malformed_request, "\"status\" is a comma list of hold states.");
        all.push_back(*status);
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return all;
}

}  // namespace

result<storage::stored_hold> readable_hold(storage::transaction& tx, const call& c, std::string_view text, bool lock)
{
    const auto id = hold_id::parse(text);
    if (!id) return fail(problem::no_hold);
    auto found = lock ? storage::hold_store::get_to_decide(tx, *id) : storage::hold_store::get(tx, *id);
    if (!found || !may_read(found->hold, c.directory(), *c.person, found->now)) return fail(problem::no_hold);
    return std::move(*found);
}

result<grantable_call> grantable_hold(storage::transaction& tx, const call& c, const storage::stored_hold& h)
{
    for (const demand& d : h.hold.demands)
        if (std::any_of(d.asks.not_.begin(), d.asks.not_.end(),
                        [](const sallyport::target& t) { return t.kind == sallyport::target::kind::last_approver; }))
            return fail(problem::not_eligible,
                        "The workflow " + d.asks.name + " wants somebody else each time: no grant can stand for that.");
    storage::stored_hold with = h;
    storage::hold_store::read_payloads(tx, std::span(&with, 1));
    const auto sent = release::open_action(c.around->keys, with.action);
    if (!sent) return sent.error();
    return release::grantable_of(*sent, with.action);
}

boost::json::object shown(storage::transaction& tx, const call& c, storage::stored_hold h)
{
    storage::hold_store::read_payloads(tx, std::span(&h, 1));
    boost::json::array one;
    one.push_back(view(c, h));
    add_left_grants(tx, std::span(&h, 1), one);
    boost::json::object& shown = one[0].as_object();
    boost::json::array& workflows = shown.at("workflows").as_array();
    for (std::size_t i = 0; i < workflows.size(); ++i)
        workflows[i].as_object()["ladder"] = ladder_json(h.hold, h.hold.demands[i], c.directory(), h.now);
    return std::move(shown);
}

result<reply> list_holds(storage::transaction& tx, const call& c)
{
    if (const auto known = check_query(c.query, {"status", "agent", "route", "alike", "q", "cursor", "limit"}); !known)
        return known.error();
    const auto wanted = read_limit(c.query, usual_page, largest_page);
    if (!wanted) return wanted.error();
    auto status = statuses(c);
    if (!status) return status.error();
    storage::hold_query ask;
    ask.status = std::move(*status);
    ask.route = find(c.query, "route").value_or("");
    const std::string_view q = find(c.query, "q").value_or("");
    if (q.size() > longest_search) return fail(problem::malformed_request, "\"q\" is longer than 200 bytes.");
    // The database searches for those alone who may read all that it looks into: where a page ends must not say what is in
    // the others.
    const bool everything = reads_all(*c.person);
    if (everything) ask.q = q;
    ask.limit = everything ? std::min(*wanted + 1, rows_at_once) : rows_at_once;
    if (const auto name = find(c.query, "agent")) {
        const agent* who = c.directory().agent_named(*name);
        if (!who) return json_reply(200, {{"holds", boost::json::array{}}, {"next", nullptr}});
        ask.agent = who->id;
    }
    ask.alike = find(c.query, "alike").value_or("");
    if (!ask.alike.empty() && (ask.agent || !ask.route.empty() || !q.empty()))
        return fail(problem::malformed_request, "\"alike\" names agent and route already, and goes with neither of them, nor with \"q\".");
    if (ask.alike.size() > longest_search) return fail(problem::malformed_request, "\"alike\" is longer than 200 bytes.");
    const auto from = open_cursor(c, cursor_of);
    if (!from) return from.error();
    if (*from) ask.cursor = storage::hold_cursor::parse(**from);

    // Payloads are large: first it is decided which rows are shown, then theirs are read.
    std::vector<storage::stored_hold> page;
    std::int64_t bytes = 0;
    bool more = true, full = false;
    for (int reading = 0; more && !full && reading < most_readings; ++reading) {
        auto rows = storage::hold_store::list(tx, ask);
        more = rows.size() == ask.limit;
        if (rows.empty()) break;
        const auto last = storage::hold_cursor::after(rows.back());
        for (auto& row : chosen(tx, c, std::move(rows), everything ? std::string_view() : q)) {
            bytes += row.action.content_length;
            full = page.size() == *wanted || (bytes > most_body_bytes && !page.empty());
            if (full) break;
            ask.cursor = storage::hold_cursor::after(row);
            page.push_back(std::move(row));
        }
        if (!full) ask.cursor = last;
    }
    // Alike ones are shown whole, on one page.
    if (!ask.alike.empty()) remember_shown(tx, c, page);
    storage::hold_store::read_payloads(tx, page);
    boost::json::array holds;
    for (auto& row : page) {
        holds.push_back(view(c, row));
        row.action.sealed_payload = {};
    }
    add_left_grants(tx, page, holds);
    boost::json::value next;
    if ((more || full) && ask.cursor) next = boost::json::value(seal_cursor(c, cursor_of, ask.cursor->text()));
    return json_reply(200, {{"holds", std::move(holds)}, {"next", std::move(next)}});
}

result<reply> show_hold(storage::transaction& tx, const call& c)
{
    if (const auto known = check_query(c.query, {"shown"}); !known) return known.error();
    const std::string_view to_people = find(c.query, "shown").value_or("true");
    if (to_people != "true" && to_people != "false") return fail(problem::malformed_request, "\"shown\" is true or false.");
    const auto found = readable_hold(tx, c, c.path[1], false);
    if (!found) return found.error();
    if (to_people == "true") remember_shown(tx, c, {&*found, 1});
    return json_reply(200, {{"hold", shown(tx, c, *found)}});
}

}  // namespace sallyport::people
