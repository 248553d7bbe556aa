// agent add | list | show | suspend | resume | revoke | rotate
#include "gateway/command_line/admin_client.hpp"
#include "gateway/command_line/context.hpp"
#include "gateway/jose/key.hpp"
#include "workflows/percent_encoding.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>

#include <memory>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sallyport::command_line {
namespace {

struct agent_options {
    std::string name, cls, owner, purpose, key, key_out, overlap;
    std::vector<std::string> scopes;
};

// Only the public key of a pair made here goes to the gateway; the private one is written once, and not kept.
struct registered_key {
    std::string text;  // PEM or JWK
    std::string file;  // of a private key made here
};

void write_private_key(const std::filesystem::path& path, std::string_view pem)
{
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) throw command_failed(exit_status::no, path.string() + ": cannot be made (it must not exist yet)");
    const bool written =
        ::fchmod(file, 0600) == 0 && ::write(file, pem.data(), pem.size()) == static_cast<ssize_t>(pem.size()) && ::fsync(file) == 0;
    if (::close(file) != 0 || !written) {
        ::unlink(path.c_str());
        throw command_failed(exit_status::no, path.string() + ": cannot be written");
    }
}

registered_key make_or_read_key(const agent_options& options)
{
    if (!options.key.empty()) {
        const std::string text = read_file(options.key);
        auto key = jose::public_key::parse(text);
        if (!key) throw command_failed(exit_status::no, options.key + ": " + key.error().detail);
        return {key->pem(), {}};
    }
    const std::filesystem::path path = options.key_out.empty() ? options.name + ".key.pem" : options.key_out;
    const auto pair = or_fail(jose::private_key::generate(jose::key_type::p256));
    write_private_key(path, pair.pem().reveal());
    return {pair.public_half().pem(), path.string()};
}

void show_agent(const context& with, const boost::json::object& answer)
{
    if (with.json) return print_json(answer);
    const auto& a = answer.at("agent").as_object();
    const auto text = [&](std::string_view name) { return a.at(name).is_string() ? std::string(a.at(name).as_string()) : "-"; };
    std::string scopes;
    for (const auto& s : a.at("scopes").as_array()) scopes += (scopes.empty() ? "" : " ") + std::string(s.as_string());
    table t({"NAME", "CLASS", "OWNER", "STATUS", "SCOPES", "LAST SEEN", "ID"});
    t.add({text("name"), text("class"), text("owner"), text("status"), scopes, text("last_seen_at"), text("id")});
    t.print();
    if (const auto* file = answer.if_contains("key_file"); file && file->is_string())
        print("The private key is in " + std::string(file->as_string()) + "; it is kept nowhere else.");
}

void list_agents(const context& with)
{
    const auto answer = admin_client(with).get("/agents");
    if (with.json) {
        for (const auto& a : answer.at("agents").as_array()) print_json(a);
        return;
    }
    table t({"NAME", "CLASS", "OWNER", "STATUS", "SCOPES", "LAST SEEN"});
    for (const auto& value : answer.at("agents").as_array()) {
        const auto& a = value.as_object();
        const auto text = [&](std::string_view name) { return a.at(name).is_string() ? std::string(a.at(name).as_string()) : "never"; };
        std::string scopes;
        for (const auto& s : a.at("scopes").as_array()) scopes += (scopes.empty() ? "" : " ") + std::string(s.as_string());
        t.add({text("name"), text("class"), text("owner"), text("status"), scopes, text("last_seen_at")});
    }
    t.print();
}

void add_agent(const context& with, const agent_options& options)
{
    const admin_client gateway(with);
    gateway.get("/agents");  // before a key is made: is there a gateway at all?
    const auto key = make_or_read_key(options);
    boost::json::object body{
        {"name", options.name}, {"class", options.cls}, {"owner", options.owner}, {"purpose", options.purpose}, {"key", key.text}};
    boost::json::array scopes;
    for (const auto& s : options.scopes) scopes.emplace_back(s);
    body["scopes"] = std::move(scopes);
    try {
        auto answer = gateway.post("/agents", body);
        answer["key_file"] = key.file.empty() ? boost::json::value(nullptr) : boost::json::value(key.file);
        show_agent(with, answer);
    } catch (const command_failed&) {
        if (!key.file.empty()) ::unlink(key.file.c_str());
        throw;
    }
}

void rotate_agent(const context& with, const agent_options& options)
{
    const admin_client gateway(with);
    gateway.get("/agents/" + percent_encoded(options.name));
    const auto key = make_or_read_key(options);
    boost::json::object body{{"key", key.text}};
    if (!options.overlap.empty()) body["overlap"] = options.overlap;
    try {
        auto answer = gateway.post("/agents/" + percent_encoded(options.name) + "/rotate", body);
        answer["key_file"] = key.file.empty() ? boost::json::value(nullptr) : boost::json::value(key.file);
        show_agent(with, answer);
    } catch (const command_failed&) {
        if (!key.file.empty()) ::unlink(key.file.c_str());
        throw;
    }
}

}  // namespace

void add_agents(CLI::App& app, context& with)
{
    auto* agent = app.add_subcommand("agent", "the inventory of agents");
    agent->require_subcommand(1);
    const auto options = std::make_shared<agent_options>();

    auto* add = agent->add_subcommand("add", "registers an agent with an owner and a key");
    add->add_option("name", options->name, "1 to 64 of a-z 0-9 . _ -")->required();
    add->add_option("--class", options->cls, "personal, consumer, workforce or digital-worker")->required();
    add->add_option("--owner", options->owner, "a person's handle, or team:NAME")->required();
    add->add_option("--scope", options->scopes, "ROUTE, or ROUTE:read; may be repeated")->required();
    add->add_option("--purpose", options->purpose, "what it is for");
    auto* key = add->add_option("--key", options->key, "its public key, PEM or JWK; without it a pair is made")->type_name("FILE");
    add->add_option("--key-out", options->key_out, "where the private key made goes (NAME.key.pem)")->type_name("FILE")->excludes(key);
    add->callback([&with, options] { add_agent(with, *options); });

    auto* list = agent->add_subcommand("list", "every agent: whose it is, what it can reach, when it was last seen");
    list->callback([&with] { list_agents(with); });

    auto* show = agent->add_subcommand("show", "one agent");
    show->add_option("name", options->name, "the agent's name")->required();
    show->callback([&with, options] { show_agent(with, admin_client(with).get("/agents/" + percent_encoded(options->name))); });

    const auto act = [&](const char* verb, const char* help) {
        auto* command = agent->add_subcommand(verb, help);
        command->add_option("name", options->name, "the agent's name")->required();
        command->callback([&with, options, verb = std::string(verb)] {
            show_agent(with, admin_client(with).post("/agents/" + percent_encoded(options->name) + "/" + verb, {}));
        });
    };
    act("suspend", "refuses the agent from now on; its held calls become void");
    act("resume", "ends a suspension");
    act("revoke", "refuses the agent for ever; its held calls become void");

    auto* rotate = agent->add_subcommand("rotate", "gives the agent another key");
    rotate->add_option("name", options->name, "the agent's name")->required();
    auto* new_key = rotate->add_option("--key", options->key, "the new public key, PEM or JWK")->type_name("FILE");
    rotate->add_option("--key-out", options->key_out, "where the private key made goes (NAME.key.pem)")
        ->type_name("FILE")
        ->excludes(new_key);
    rotate->add_option("--overlap", options->overlap, "how long the old key stays good, as 24h; by default it ends now")
        ->type_name("DURATION");
    rotate->callback([&with, options] { rotate_agent(with, *options); });
}

}  // namespace sallyport::command_line
