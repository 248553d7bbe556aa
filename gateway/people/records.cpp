#include "gateway/people/request.hpp"
#include "gateway/people/resources.hpp"
#include "gateway/people/views.hpp"
#include "storage/agent_store.hpp"
#include "storage/audit_store.hpp"
#include "storage/person_store.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <charconv>

namespace sallyport::people {
namespace {

constexpr std::size_t usual_page = 100;
constexpr std::size_t largest_page = 1000;

}  // namespace

result<reply> list_agents(storage::transaction& tx, const call& c)
{
    if (const auto known = check_query(c.query, {}); !known) return known.error();
    boost::json::array all;
    for (const agent& a : storage::agent_store::list(tx)) all.push_back(agent_json(a));
    return json_reply(200, {{"agents", std::move(all)}, {"next", nullptr}});
}

result<reply> list_people(storage::transaction& tx, const call& c)
{
    if (const auto known = check_query(c.query, {}); !known) return known.error();
    boost::json::array all;
    for (const person& p : storage::person_store::list(tx)) all.push_back(person_json(p));
    return json_reply(200, {{"people", std::move(all)}, {"next", nullptr}});
}

// No decision of this release leaves a grant behind, so there are none.
result<reply> list_grants(storage::transaction&, const call& c)
{
    if (const auto known = check_query(c.query, {}); !known) return known.error();
    return json_reply(200, {{"grants", boost::json::array{}}, {"next", nullptr}});
}

result<reply> list_audit(storage::transaction& tx, const call& c)
{
    if (!c.person->has(role::auditor) && !c.person->has(role::operator_))
        return fail(problem::not_permitted, "Auditors and operators read the log.");
    if (const auto known = check_query(c.query, {"kind", "action", "hold", "cursor", "limit"}); !known) return known.error();
    storage::audit_query ask;
    const auto limit = read_limit(c.query, usual_page, largest_page);
    if (!limit) return limit.error();
    ask.limit = *limit;
    ask.kind = find(c.query, "kind").value_or("");
    if (const auto text = find(c.query, "action")) {
        ask.action = action_id::parse(*text);
        if (!ask.action) return fail(problem::malformed_request, "\"action\" is act_ and a ULID.");
    }
    if (const auto text = find(c.query, "hold")) {
        ask.hold = hold_id::parse(*text);
        if (!ask.hold) return fail(problem::malformed_request, "\"hold\" is hld_ and a ULID.");
    }
    if (const auto text = find(c.query, "cursor")) {
        std::int64_t at = 0;
        if (std::from_chars(text->data(), text->data() + text->size(), at).ec != std::errc{})
            return fail(problem::malformed_request, "\"cursor\" is not one of ours.");
        ask.cursor = at;
    }
    boost::json::array all;
    const auto rows = storage::audit_store::list(tx, ask);
    for (const auto& e : rows) all.push_back(audit_json(e));
    boost::json::value next;
    if (rows.size() == ask.limit) next = std::to_string(rows.back().index);
    return json_reply(200, {{"audit", std::move(all)}, {"next", std::move(next)}});
}

result<reply> describe(storage::transaction&, const call&)
{
    reply r;
    r.body = openapi();
    return r;
}

}  // namespace sallyport::people
