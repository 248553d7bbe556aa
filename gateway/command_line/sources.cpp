#include "gateway/command_line/sources.hpp"

#include "gateway/config/load.hpp"
#include "gateway/config/report.hpp"
#include "workflows/percent_encoding.hpp"

#include <boost/json/array.hpp>

#include <iostream>
#include <string_view>

namespace sallyport::command_line {
namespace {

std::string text(const boost::json::object& of, std::string_view member) { return std::string(of.at(member).as_string()); }

person read_person(const boost::json::object& p)
{
    person who;
    who.id = person_id::parse(text(p, "id")).value_or(person_id());
    who.handle = text(p, "handle");
    who.name = text(p, "name");
    for (const auto& word : p.at("roles").as_array())
        if (const auto known = role_named(word.as_string())) who.roles.push_back(*known);
    for (const auto& team : p.at("teams").as_array()) who.teams.emplace_back(team.as_string());
    who.status = person_status_named(text(p, "status")).value_or(person_status::disabled);
    who.has_passkey = p.at("enrolled").as_bool();
    for (const auto& [key, value] : p.at("labels").as_object()) who.labels.emplace(key, std::string(value.as_string()));
    if (const auto* away = p.at("away").if_object()) {
        const auto from = parse_rfc3339(text(*away, "from")), until = parse_rfc3339(text(*away, "until"));
        const auto& deputy = away->at("deputy");
        if (from && until) who.away = absence{*from, *until, deputy.is_string() ? std::string(deputy.as_string()) : std::string()};
    }
    return who;
}

}  // namespace

config::snapshot load_or_fail(const context& with)
{
    auto loaded = config::load(with.config);
    if (loaded.config) return std::move(loaded.config);
    std::cerr << config::text_report(loaded);
    throw command_failed(exit_status::no, "The configuration has errors.");
}

agent agent_named(const admin_client& gateway, const std::string& name)
{
    const auto answer = gateway.get("/agents/" + percent_encoded(name));
    const auto& a = answer.at("agent").as_object();
    agent who;
    who.id = agent_id::parse(text(a, "id")).value_or(agent_id());
    who.name = name;
    who.cls = agent_class_named(text(a, "class")).value_or(agent_class::personal);
    who.owner = owner_name::parse(text(a, "owner")).value_or(owner_name());
    return who;
}

std::vector<person> everybody(const admin_client& gateway)
{
    std::vector<person> all;
    const auto answer = gateway.get("/people");
    for (const auto& one : answer.at("people").as_array()) all.push_back(read_person(one.as_object()));
    return all;
}

std::vector<std::string> team_names(const admin_client& gateway)
{
    std::vector<std::string> all;
    const auto answer = gateway.get("/teams");
    for (const auto& one : answer.at("teams").as_array()) all.push_back(text(one.as_object(), "name"));
    return all;
}

}  // namespace sallyport::command_line
