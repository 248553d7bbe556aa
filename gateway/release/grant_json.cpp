#include "gateway/release/grant_json.hpp"

#include "gateway/identity/records_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

namespace sallyport::release {
namespace {

boost::json::value or_null(std::string_view text)
{
    if (text.empty()) return nullptr;
    return boost::json::value(text);
}

boost::json::value who_is(person_id id, const directory& people)
{
    const person* who = people.find(id);
    if (!who) return nullptr;
    return boost::json::object{{"id", who->id.text()}, {"handle", who->handle}, {"name", who->name}, {"status", name_of(who->status)}};
}

}  // namespace

std::vector<person_id> signers_of(const standing_grant& g)
{
    std::vector<person_id> all;
    for (const decision& d : g.source.decisions)
        if (d.kind == decision_kind::approve && d.grant == g.record.terms) all.push_back(d.by);
    return all;
}

boost::json::object grant_json(const standing_grant& g, const directory& people)
{
    const storage::grant_record& r = g.record;
    const agent* who = people.find(r.agent);
    boost::json::array by;
    for (const person_id id : signers_of(g)) by.push_back(who_is(id, people));
    return {
        {"id", r.id.text()},
        {"hold", r.hold.text()},
        {"summary", g.source.reasons.empty() ? boost::json::value(nullptr) : boost::json::value(g.source.reasons.front().summary)},
        {"agent", who ? boost::json::value(identity::agent_json(*who)) : boost::json::value(nullptr)},
        {"by", std::move(by)},
        {"terms", boost::json::parse(r.terms)},
        {"status", name_of(r.status())},
        {"count", r.count},
        {"used", r.used},
        {"sum", or_null(r.sum)},
        {"sum_used", r.sum.empty() ? boost::json::value(nullptr) : boost::json::value(r.sum_used)},
        {"created_at", format_rfc3339(r.created_at)},
        {"expires_at", format_rfc3339(r.expires_at)},
        {"revoked_at", r.revoked_at ? boost::json::value(format_rfc3339(*r.revoked_at)) : boost::json::value(nullptr)},
        {"revoked_by", r.revoked_by ? who_is(*r.revoked_by, people) : boost::json::value(nullptr)},
        {"revoked_why", or_null(r.revoked_why)},
    };
}

}  // namespace sallyport::release
