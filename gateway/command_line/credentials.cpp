// credential put | list | remove
#include "gateway/command_line/admin_client.hpp"
#include "gateway/command_line/context.hpp"
#include "workflows/percent_encoding.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>

#include <memory>

namespace sallyport::command_line {
namespace {

struct credential_options {
    std::string name, type, header;
};

void put(const context& with, const credential_options& options)
{
    std::string text = read_standard_input();
    if (text.ends_with('\n')) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
    boost::json::object body{{"name", options.name}, {"type", options.type}, {"secret", text}};
    if (!options.header.empty()) body["header"] = options.header;
    const auto answer = admin_client(with).post("/credentials", body);
    if (with.json) return print_json(answer);
    print("Stored, sealed. It will not be shown again.");
}

void list(const context& with)
{
    const auto answer = admin_client(with).get("/credentials");
    if (with.json) {
        for (const auto& c : answer.at("credentials").as_array()) print_json(c);
        return;
    }
    table t({"NAME", "TYPE", "HEADER"});
    for (const auto& c : answer.at("credentials").as_array())
        t.add({std::string(c.at("name").as_string()), std::string(c.at("type").as_string()), std::string(c.at("header").as_string())});
    t.print();
}

}  // namespace

void add_credentials(CLI::App& app, context& with)
{
    auto* credential = app.add_subcommand("credential", "upstream credentials, sealed at rest and never printed");
    credential->require_subcommand(1);
    const auto options = std::make_shared<credential_options>();

    auto* add = credential->add_subcommand("put", "stores a credential; the secret is read from standard input");
    add->add_option("name", options->name, "what routes call it")->required();
    add->add_option("--type", options->type, "header, bearer, or basic (the secret is then user:password)")->required();
    add->add_option("--header", options->header, "the field, for the type header")->type_name("NAME");
    add->callback([&with, options] { put(with, *options); });

    credential->add_subcommand("list", "names and types")->callback([&with] { list(with); });

    auto* remove = credential->add_subcommand("remove", "forgets a credential");
    remove->add_option("name", options->name, "the credential")->required();
    remove->callback([&with, options] {
        const auto answer = admin_client(with).erase("/credentials/" + percent_encoded(options->name));
        if (with.json) print_json(answer);
    });
}

}  // namespace sallyport::command_line
