// person invite | list | disable | enable | label | absent | back, team add | remove | join | leave | list
#include "gateway/command_line/admin_client.hpp"
#include "gateway/command_line/context.hpp"
#include "workflows/percent_encoding.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>

#include <memory>
#include <string>
#include <vector>

namespace sallyport::command_line {
namespace {

struct person_options {
    std::string handle, name, email, role, team, from, until, deputy;
    std::vector<std::string> labels, removed;
    bool reset = false;
};

std::string joined(const boost::json::value& list)
{
    std::string text;
    for (const auto& item : list.as_array()) text += (text.empty() ? "" : " ") + std::string(item.as_string());
    return text.empty() ? "-" : text;
}

void print_people(const boost::json::array& people)
{
    table t({"HANDLE", "NAME", "EMAIL", "ROLES", "TEAMS", "STATUS"});
    for (const auto& value : people) {
        const auto& p = value.as_object();
        const auto text = [&](std::string_view name) { return std::string(p.at(name).as_string()); };
        t.add({text("handle"), text("name"), text("email"), joined(p.at("roles")), joined(p.at("teams")), text("status")});
    }
    t.print();
}

void invite(const context& with, const person_options& options)
{
    boost::json::object body{{"handle", options.handle}, {"reset", options.reset}};
    if (!options.name.empty()) body["name"] = options.name;
    if (!options.email.empty()) body["email"] = options.email;
    if (!options.role.empty()) body["role"] = options.role;
    const auto answer = admin_client(with).post("/people", body);
    if (with.json) return print_json(answer);
    print("Give this link to " + std::string(answer.at("person").at("name").as_string()) + " alone. It can be used once, until " +
          std::string(answer.at("expires_at").as_string()) + ".");
    print(std::string(answer.at("link").as_string()));
}

void list_people(const context& with)
{
    const auto answer = admin_client(with).get("/people");
    const auto& people = answer.at("people").as_array();
    if (!with.json) return print_people(people);
    for (const auto& p : people) print_json(p);
}

void act(const context& with, const person_options& options, const std::string& verb)
{
    const auto answer = admin_client(with).post("/people/" + percent_encoded(options.handle) + "/" + verb, {});
    if (with.json) return print_json(answer);
    print_people({answer.at("person")});
}

void label(const context& with, const person_options& options)
{
    boost::json::object set;
    for (const std::string& one : options.labels) {
        const auto equals = one.find('=');
        if (equals == std::string::npos) throw command_failed(exit_status::usage, "A label is KEY=VALUE, not " + one + ".");
        set[one.substr(0, equals)] = one.substr(equals + 1);
    }
    const boost::json::object body{{"set", std::move(set)}, {"remove", boost::json::array(options.removed.begin(), options.removed.end())}};
    const auto answer = admin_client(with).post("/people/" + percent_encoded(options.handle) + "/label", body);
    if (with.json) return print_json(answer);
    for (const auto& [key, value] : answer.at("person").at("labels").as_object())
        print(std::string(key) + "=" + std::string(value.as_string()));
}

// A time as people give it on a command line: with its zone, to the minute at least.
void absent(const context& with, const person_options& options)
{
    boost::json::object body{{"until", options.until}};
    if (!options.from.empty()) body["from"] = options.from;
    if (!options.deputy.empty()) body["deputy"] = options.deputy;
    const auto answer = admin_client(with).post("/people/" + percent_encoded(options.handle) + "/absent", body);
    if (with.json) return print_json(answer);
    const auto& away = answer.at("person").at("away").as_object();
    print(options.handle + " is away from " + std::string(away.at("from").as_string()) + " until " +
          std::string(away.at("until").as_string()) +
          (away.at("deputy").is_null() ? std::string("; nobody decides in their place.")
                                       : "; " + std::string(away.at("deputy").as_string()) + " decides in their place."));
}

void print_team(const context& with, const boost::json::object& answer)
{
    if (with.json) return print_json(answer);
    print(std::string(answer.at("team").at("name").as_string()) + ": " + joined(answer.at("team").at("members")));
}

void list_teams(const context& with)
{
    const auto answer = admin_client(with).get("/teams");
    if (with.json) {
        for (const auto& team : answer.at("teams").as_array()) print_json(team);
        return;
    }
    table t({"TEAM", "MEMBERS"});
    for (const auto& team : answer.at("teams").as_array()) t.add({std::string(team.at("name").as_string()), joined(team.at("members"))});
    t.print();
}

void add_person_commands(CLI::App& app, context& with, const std::shared_ptr<person_options>& options)
{
    auto* person = app.add_subcommand("person", "people");
    person->require_subcommand(1);

    auto* command = person->add_subcommand("invite", "makes a one-time link by which a person enrols a passkey");
    command->add_option("handle", options->handle, "1 to 64 of a-z 0-9 . _ -")->required();
    command->add_option("--name", options->name, "as others see it");
    command->add_option("--email", options->email, "where mail goes");
    command->add_option("--role", options->role, "approver (the default), operator or auditor");
    command->add_flag("--reset", options->reset,
                      "removes the person's passkeys and links to an identity provider, and ends their sessions");
    command->callback([&with, options] { invite(with, *options); });

    person->add_subcommand("list", "everybody")->callback([&with] { list_people(with); });

    auto* disable = person->add_subcommand("disable", "signs a person out and lets them decide nothing more");
    disable->add_option("handle", options->handle, "the person's handle")->required();
    disable->callback([&with, options] { act(with, *options, "disable"); });
    auto* enable = person->add_subcommand("enable", "takes that back");
    enable->add_option("handle", options->handle, "the person's handle")->required();
    enable->callback([&with, options] { act(with, *options, "enable"); });

    auto* labels = person->add_subcommand("label", "what `where:` expressions read of a person");
    labels->add_option("handle", options->handle, "the person's handle")->required();
    labels->add_option("labels", options->labels, "set these")->type_name("KEY=VALUE");
    labels->add_option("--remove", options->removed, "remove this one")->type_name("KEY")->allow_extra_args(false);
    labels->callback([&with, options] { label(with, *options); });

    auto* away = person->add_subcommand("absent", "nobody tells them, and their deputy decides in their place");
    away->add_option("handle", options->handle, "the person's handle")->required();
    away->add_option("--from", options->from, "instead of now, such as 2026-01-05T09:00:00Z")->type_name("TIME");
    away->add_option("--until", options->until, "when they are back")->type_name("TIME")->required();
    away->add_option("--deputy", options->deputy, "an active approver")->type_name("HANDLE");
    away->callback([&with, options] { absent(with, *options); });
    auto* back = person->add_subcommand("back", "ends an absence");
    back->add_option("handle", options->handle, "the person's handle")->required();
    back->callback([&with, options] { act(with, *options, "back"); });
}

void add_team_commands(CLI::App& app, context& with, const std::shared_ptr<person_options>& options)
{
    auto* team = app.add_subcommand("team", "teams: named groups of people");
    team->require_subcommand(1);
    const auto path = [](const person_options& o) { return "/teams/" + percent_encoded(o.team); };

    auto* add = team->add_subcommand("add", "makes a team");
    add->add_option("team", options->team, "1 to 64 of a-z 0-9 . _ -")->required();
    add->callback([&with, options] { print_team(with, admin_client(with).post("/teams", {{"name", options->team}})); });

    auto* remove = team->add_subcommand("remove", "removes a team that owns no agent");
    remove->add_option("team", options->team, "the team")->required();
    remove->callback([&with, options, path] { print_team(with, admin_client(with).erase(path(*options))); });

    auto* join = team->add_subcommand("join", "makes a person a member");
    join->add_option("team", options->team, "the team")->required();
    join->add_option("handle", options->handle, "the person's handle")->required();
    join->callback([&with, options, path] {
        print_team(with, admin_client(with).post(path(*options) + "/members", {{"handle", options->handle}}));
    });

    auto* leave = team->add_subcommand("leave", "ends a membership");
    leave->add_option("team", options->team, "the team")->required();
    leave->add_option("handle", options->handle, "the person's handle")->required();
    leave->callback([&with, options, path] {
        print_team(with, admin_client(with).erase(path(*options) + "/members/" + percent_encoded(options->handle)));
    });

    team->add_subcommand("list", "every team and its members")->callback([&with] { list_teams(with); });
}

}  // namespace

void add_people(CLI::App& app, context& with)
{
    const auto options = std::make_shared<person_options>();
    add_person_commands(app, with, options);
    add_team_commands(app, with, options);
}

}  // namespace sallyport::command_line
