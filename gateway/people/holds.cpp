#include "gateway/people/request.hpp"
#include "gateway/people/resources.hpp"
#include "gateway/people/views.hpp"
#include "gateway/release/payload.hpp"
#include "storage/agent_store.hpp"
#include "workflows/eligibility.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>

namespace sallyport::people {
namespace {

constexpr std::size_t usual_page = 50;
constexpr std::size_t largest_page = 100;
constexpr std::size_t longest_search = 200;
// A page with large bodies on it ends early, and so does the search of somebody who may read few of many: `next` goes on.
constexpr std::int64_t most_body_bytes = 4 << 20;
constexpr int most_readings = 20;

// What cannot be unsealed is shown without its fields and body, and such a hold cannot be released either.
boost::json::object shown(const call& c, const storage::stored_hold& h)
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
    auto found = lock ? storage::hold_store::get_for_update(tx, *id, storage::payload::read)
                      : storage::hold_store::get(tx, *id, storage::payload::read);
    if (!found || !may_read(found->hold, c.directory(), *c.person)) return fail(problem::no_hold);
    return std::move(*found);
}

result<reply> list_holds(storage::transaction& tx, const call& c)
{
    if (const auto known = check_query(c.query, {"status", "agent", "route", "q", "cursor", "limit"}); !known) return known.error();
    const auto wanted = read_limit(c.query, usual_page, largest_page);
    if (!wanted) return wanted.error();
    auto status = statuses(c);
    if (!status) return status.error();
    storage::hold_query ask;
    ask.status = std::move(*status);
    ask.route = find(c.query, "route").value_or("");
    ask.q = find(c.query, "q").value_or("");
    if (ask.q.size() > longest_search) return fail(problem::malformed_request, "\"q\" is longer than 200 bytes.");
    ask.limit = *wanted;
    ask.payload = storage::payload::read;
    if (const auto name = find(c.query, "agent")) {
        const agent* who = c.directory().agent_named(*name);
        if (!who) return json_reply(200, {{"holds", boost::json::array{}}, {"next", nullptr}});
        ask.agent = who->id;
    }
    if (const auto text = find(c.query, "cursor")) {
        ask.cursor = storage::hold_cursor::parse(*text);
        if (!ask.cursor) return fail(problem::malformed_request, "\"cursor\" is not one of ours.");
    }

    boost::json::array holds;
    boost::json::value next;
    // Rows that this person may not read are passed over, so that a page is full where there is anything to see.
    std::int64_t bytes = 0;
    const auto full = [&] { return holds.size() == *wanted || bytes > most_body_bytes; };
    bool more = true;
    for (int reading = 0; more && !full() && reading < most_readings; ++reading) {
        const auto rows = storage::hold_store::list(tx, ask);
        more = rows.size() == ask.limit;
        for (const auto& row : rows) {
            if (full()) {
                more = true;
                break;
            }
            ask.cursor = storage::hold_cursor::after(row);
            if (!may_read(row.hold, c.directory(), *c.person)) continue;
            bytes += row.action.content_length;
            holds.push_back(shown(c, row));
        }
    }
    if (more && ask.cursor) next = ask.cursor->text();
    return json_reply(200, {{"holds", std::move(holds)}, {"next", std::move(next)}});
}

result<reply> show_hold(storage::transaction& tx, const call& c)
{
    if (const auto known = check_query(c.query, {}); !known) return known.error();
    const auto found = readable_hold(tx, c, c.path[1], false);
    if (!found) return found.error();
    return json_reply(200, {{"hold", shown(c, *found)}});
}

}  // namespace sallyport::people
