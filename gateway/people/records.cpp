// What there is to look up: agents, people, the log (contract.md, "The people's side").
#include "gateway/people/cursor.hpp"
#include "gateway/people/request.hpp"
#include "gateway/people/resources.hpp"
#include "gateway/people/views.hpp"
#include "storage/agent_store.hpp"
#include "storage/audit_store.hpp"
#include "storage/hold_store.hpp"
#include "storage/person_store.hpp"
#include "workflows/eligibility.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace sallyport::people {
namespace {

constexpr std::size_t usual_page = 100;
constexpr std::size_t largest_page = 1000;
// Of the log, for whoever may read little of it; `next` goes on.
constexpr std::size_t rows_at_once = 500;
constexpr int most_readings = 5;
constexpr std::string_view audit_cursor = "audit";

// A page of what is ordered by name; the cursor is the last name before it.
template <class T, class Name, class View>
result<reply> page_of(const call& c, std::string_view what, const std::vector<T>& all, Name name, View view)
{
    if (const auto known = check_query(c.query, {"cursor", "limit"}); !known) return known.error();
    const auto limit = read_limit(c.query, usual_page, largest_page);
    if (!limit) return limit.error();
    const std::string_view after = find(c.query, "cursor").value_or("");
    auto from = std::find_if(all.begin(), all.end(), [&](const T& one) { return after.empty() || name(one) > after; });
    boost::json::array shown;
    boost::json::value next;
    for (; from != all.end(); ++from) {
        if (shown.size() == *limit) {
            next = boost::json::value(name(*std::prev(from)));
            break;
        }
        shown.push_back(view(*from));
    }
    return json_reply(200, {{what, std::move(shown)}, {"next", std::move(next)}});
}

template <class Id>
result<void> read_id(const call& c, std::string_view name, std::optional<Id>& to)
{
    const auto text = find(c.query, name);
    if (!text) return {};
    to = Id::parse(*text);
    if (!to) return fail(problem::malformed_request, "\"" + std::string(name) + "\" is " + std::string(Id::prefix) + " and a ULID.");
    return {};
}

// Auditors and operators read all; others what they did themselves and what is about holds that they may read.
class log_reader {
public:
    log_reader(storage::transaction& tx, const call& c) : tx_(tx), call_(c) {}

    bool reads_all() const { return call_.person->has(role::auditor) || call_.person->has(role::operator_); }

    bool may_read_hold(hold_id id)
    {
        look_up({&id, 1});
        return readable_.contains(id);
    }

    /// Those of a reading that this person may read: their holds are looked up together.
    std::vector<storage::audit_entry> chosen(std::vector<storage::audit_entry> rows)
    {
        if (reads_all()) return rows;
        std::vector<hold_id> of;
        for (const auto& e : rows)
            if (e.hold && e.person != call_.person->id) of.push_back(*e.hold);
        look_up(of);
        std::erase_if(rows, [&](const auto& e) { return e.person != call_.person->id && !(e.hold && readable_.count(*e.hold) > 0); });
        return rows;
    }

private:
    void look_up(std::span<const hold_id> ids)
    {
        std::vector<hold_id> fresh;
        for (const hold_id id : ids)
            if (known_.insert(id).second) fresh.push_back(id);
        for (const auto& found : storage::hold_store::get(tx_, fresh))
            if (may_read(found.hold, call_.directory(), *call_.person, found.now)) readable_.insert(found.hold.id);
    }

    storage::transaction& tx_;
    const call& call_;
    std::set<hold_id> known_, readable_;
};

result<storage::audit_query> read_audit_query(const call& c)
{
    if (const auto known = check_query(c.query, {"kind", "action", "hold", "agent", "person", "cursor", "limit"}); !known)
        return known.error();
    storage::audit_query ask;
    const auto limit = read_limit(c.query, usual_page, largest_page);
    if (!limit) return limit.error();
    ask.limit = *limit;
    if (const auto kind = find(c.query, "kind")) {
        constexpr std::string_view kinds[] = {"verdict", "hold", "decision", "release", "outcome", "admin"};
        if (std::find(std::begin(kinds), std::end(kinds), *kind) == std::end(kinds))
            return fail(problem::malformed_request, "\"kind\" is verdict, hold, decision, release, outcome or admin.");
        ask.kind = *kind;
    }
    if (const auto read = read_id(c, "action", ask.action); !read) return read.error();
    if (const auto read = read_id(c, "hold", ask.hold); !read) return read.error();
    if (const auto read = read_id(c, "agent", ask.agent); !read) return read.error();
    if (const auto read = read_id(c, "person", ask.person); !read) return read.error();
    const auto from = open_cursor(c, audit_cursor);
    if (!from) return from.error();
    if (*from) ask.cursor = std::stoll(**from);  // ours: a number
    return ask;
}

}  // namespace

result<reply> list_agents(storage::transaction& tx, const call& c)
{
    return page_of(
        c, "agents", storage::agent_store::list(tx), [](const agent& a) -> const std::string& { return a.name; }, agent_json);
}

result<reply> show_agent(storage::transaction& tx, const call& c)
{
    if (const auto known = check_query(c.query, {}); !known) return known.error();
    const auto id = agent_id::parse(c.path[1]);
    const auto found = id ? storage::agent_store::by_id(tx, *id) : storage::agent_store::by_name(tx, c.path[1]);
    if (!found) return fail(problem::not_found, "There is no such agent.");
    return json_reply(200, {{"agent", agent_json(*found)}});
}

result<reply> list_people(storage::transaction& tx, const call& c)
{
    return page_of(
        c, "people", storage::person_store::list(tx), [](const person& p) -> const std::string& { return p.handle; }, person_json);
}

result<reply> show_person(storage::transaction& tx, const call& c)
{
    if (const auto known = check_query(c.query, {}); !known) return known.error();
    const auto id = person_id::parse(c.path[1]);
    const auto found = id ? storage::person_store::by_id(tx, *id) : storage::person_store::by_handle(tx, c.path[1]);
    if (!found) return fail(problem::not_found, "There is no such person.");
    return json_reply(200, {{"person", person_json(*found)}});
}

result<reply> list_audit(storage::transaction& tx, const call& c)
{
    auto ask = read_audit_query(c);
    if (!ask) return ask.error();
    const std::size_t wanted = ask->limit;
    log_reader reader(tx, c);
    // Of a hold that this person may not read there is to see what they did themselves, and nothing else is looked at: where
    // the page ends must not say that there is more.
    if (ask->hold && !reader.reads_all() && !reader.may_read_hold(*ask->hold)) {
        if (ask->person && ask->person != c.person->id) return json_reply(200, {{"audit", boost::json::array{}}, {"next", nullptr}});
        ask->person = c.person->id;
    }
    ask->limit = reader.reads_all() ? std::min(wanted + 1, largest_page) : rows_at_once;
    boost::json::array all;
    bool more = true, full = false;
    for (int reading = 0; more && !full && reading < most_readings; ++reading) {
        auto rows = storage::audit_store::list(tx, *ask);
        more = rows.size() == ask->limit;
        if (rows.empty()) break;
        const auto last = rows.back().index;
        for (const auto& e : reader.chosen(std::move(rows))) {
            full = all.size() == wanted;
            if (full) break;
            ask->cursor = e.index;
            all.push_back(audit_json(e));
        }
        if (!full) ask->cursor = last;
    }
    boost::json::value next;
    // Newest first: nothing stands behind entry 0.
    if ((more || full) && ask->cursor && *ask->cursor > 0)
        next = boost::json::value(seal_cursor(c, audit_cursor, std::to_string(*ask->cursor)));
    return json_reply(200, {{"audit", std::move(all)}, {"next", std::move(next)}});
}

result<reply> describe(storage::transaction&, const call&)
{
    reply r;
    r.body = openapi();
    return r;
}

}  // namespace sallyport::people
