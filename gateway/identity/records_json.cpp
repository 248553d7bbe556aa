#include "gateway/identity/records_json.hpp"

#include <boost/json/array.hpp>

namespace sallyport::identity {

boost::json::object agent_json(const agent& a)
{
    boost::json::array scopes;
    for (const std::string& s : a.scopes) scopes.emplace_back(s);
    return {
        {"id", a.id.text()},
        {"name", a.name},
        {"class", name_of(a.cls)},
        {"owner", a.owner.text()},
        {"status", name_of(a.status)},
        {"purpose", a.purpose},
        {"scopes", std::move(scopes)},
        {"created_at", format_rfc3339(a.created_at)},
        {"last_seen_at", a.last_seen_at ? boost::json::value(format_rfc3339(*a.last_seen_at)) : boost::json::value(nullptr)},
    };
}

boost::json::object person_json(const person& p)
{
    boost::json::array roles, teams;
    for (const role r : p.roles) roles.emplace_back(name_of(r));
    for (const std::string& t : p.teams) teams.emplace_back(t);
    boost::json::object labels;
    for (const auto& [name, text] : p.labels) labels[name] = text;
    boost::json::value away;
    if (p.away)
        away = boost::json::object{{"from", format_rfc3339(p.away->from)},
                                   {"until", format_rfc3339(p.away->until)},
                                   {"deputy", p.away->deputy.empty() ? boost::json::value(nullptr) : boost::json::value(p.away->deputy)}};
    return {
        {"id", p.id.text()},
        {"handle", p.handle},
        {"name", p.name},
        {"email", p.email},
        {"roles", std::move(roles)},
        {"teams", std::move(teams)},
        {"status", name_of(p.status)},
        {"enrolled", p.has_passkey},
        {"labels", std::move(labels)},
        {"away", std::move(away)},
    };
}

}  // namespace sallyport::identity
