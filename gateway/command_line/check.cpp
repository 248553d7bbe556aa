// check
#include "gateway/command_line/admin_client.hpp"
#include "gateway/command_line/context.hpp"
#include "gateway/command_line/sources.hpp"
#include "gateway/config/load.hpp"
#include "gateway/config/report.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>

#include <algorithm>
#include <iostream>
#include <optional>
#include <set>

namespace sallyport::command_line {
namespace {

using names = std::set<std::string, std::less<>>;

// What a running gateway knows by that name; none when it cannot be asked.
std::optional<names> known(const admin_client& gateway, const std::string& target, std::string_view list, std::string_view member)
{
    const auto answer = gateway.try_get(target);
    if (!answer) return std::nullopt;
    names all;
    for (const auto& value : answer->at(list).as_array()) all.emplace(value.at(member).as_string());
    return all;
}

// References to records are warnings: they can be made at any time (semantics.md, "Records, files, process").
void check_records(const context& with, config::load_result& loaded)
{
    const admin_client gateway(with);
    const auto credentials = known(gateway, "/credentials", "credentials", "name");
    if (!credentials) return;
    const auto people = known(gateway, "/people", "people", "handle");
    const auto teams = known(gateway, "/teams", "teams", "name");
    const auto everyone = people ? std::optional(everybody(gateway)) : std::nullopt;
    const auto warn = [&](std::string message) { loaded.warnings.push_back({with.config.string(), 0, 0, std::move(message)}); };

    for (const auto& route : loaded.config->routes)
        if (!route.credential.empty() && !credentials->contains(route.credential))
            warn("route " + route.id + ": there is no credential " + route.credential + " (sallyport credential put)");
    if (const auto& oidc = loaded.config->oidc)
        for (const auto& [group, team] : oidc->groups)
            if (teams && !teams->contains(team)) warn("sign_in.oidc: there is no team " + team);
    for (const auto& [name, flow] : loaded.config->workflows) {
        const auto check_target = [&](const target& t) {
            if (t.kind == target::kind::person && people && !people->contains(t.name))
                warn("workflow " + name + ": there is no person " + t.name);
            if (t.kind == target::kind::team && teams && !teams->contains(t.name))
                warn("workflow " + name + ": there is no team " + t.name);
        };
        for (const auto& step : flow.steps)
            for (const auto& t : step.notify) check_target(t);
        for (const auto& t : flow.not_) check_target(t);
        for (const auto& t : flow.break_glass) check_target(t);
        for (const auto& p : flow.places) {
            check_target(p.of);
            if (p.of.kind != target::kind::team || !everyone) continue;
            const auto able = std::count_if(everyone->begin(), everyone->end(), [&](const person& who) {
                return who.in_team(p.of.name) && who.has(role::approver) && who.status == person_status::active;
            });
            if (able < p.approvals)
                warn("workflow " + name + ": " + std::to_string(p.approvals) + " of team " + p.of.name + " must approve, and it has " +
                     (able == 1 ? "one approver" : std::to_string(able) + " approvers"));
        }
    }
    if (!people) return;
    for (const auto& [name, schedule] : loaded.config->arranged.on_call) {
        names on_call(schedule.people.begin(), schedule.people.end());
        for (const auto& o : schedule.overrides) on_call.insert(o.person);
        std::erase_if(on_call, [&](const std::string& handle) { return people->contains(handle); });
        const std::string strangers = "schedule " + name + ": there is no person ";
        for (const auto& handle : on_call) warn(strangers + handle);
    }
}

void check(context& with)
{
    auto loaded = config::load(with.config);
    if (loaded.config) check_records(with, loaded);
    if (with.json)
        print(config::json_report(loaded));
    else
        std::cerr << config::text_report(loaded);
    if (!loaded.config)
        with.status = exit_status::no;
    else if (!with.json)
        print("The configuration is right. Policy " + loaded.config->digest + ".");
}

}  // namespace

void add_check(CLI::App& app, context& with)
{
    app.add_subcommand("check", "reads the whole configuration and says every error at once")->callback([&with] { check(with); });
}

}  // namespace sallyport::command_line
