// token --agent NAME --key FILE [--intent …] [--scope …] [--url …]
#include "gateway/command_line/admin_client.hpp"
#include "gateway/command_line/context.hpp"
#include "gateway/command_line/http_client.hpp"
#include "gateway/config/load.hpp"
#include "gateway/jose/jwt.hpp"
#include "gateway/jose/random.hpp"
#include "workflows/percent_encoding.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <memory>

namespace sallyport::command_line {
namespace {

struct token_options {
    std::string agent, key, intent, url;
    std::vector<std::string> scopes;
};

struct endpoint {
    std::string url;     // where it is reached
    std::string issuer;  // what it calls itself
};

std::string member(const boost::json::value& of, std::string_view name)
{
    const auto* found = of.is_object() ? of.as_object().if_contains(name) : nullptr;
    return found && found->is_string() ? std::string(found->as_string()) : std::string();
}

client_answer send(const client_request& request)
{
    auto answered = exchange(request);
    if (const auto* why = std::get_if<std::string>(&answered)) throw command_failed(exit_status::unreachable, request.url + ": " + *why);
    return std::get<client_answer>(std::move(answered));
}

boost::json::value json_of(const client_answer& answer)
{
    boost::system::error_code error;
    auto body = boost::json::parse(answer.body, error);
    return error ? boost::json::value() : body;
}

// A gateway may be reached by another URL than its own: it says itself (RFC 8414) whom an assertion must be for.
endpoint endpoint_of(const context& with, const token_options& options)
{
    if (options.url.empty()) {
        const auto loaded = config::load(with.config);
        if (!loaded.config) throw command_failed(exit_status::no, "The configuration has errors (see `sallyport check`); or give --url.");
        return {loaded.config->agents_url, loaded.config->agents_url};
    }
    endpoint found;
    found.url = options.url.ends_with('/') ? options.url.substr(0, options.url.size() - 1) : options.url;
    client_request request;
    request.method = "GET";
    request.url = found.url + "/.well-known/oauth-authorization-server";
    found.issuer = member(json_of(send(request)), "issuer");
    if (found.issuer.empty()) throw command_failed(exit_status::unreachable, request.url + ": the answer is not a gateway's");
    return found;
}

std::string assertion(const jose::private_key& key, const std::string& agent, const std::string& issuer)
{
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(local_now().time_since_epoch()).count();
    const boost::json::object claims{{"iss", agent}, {"sub", agent},    {"aud", issuer},
                                     {"iat", now},   {"exp", now + 60}, {"jti", random_text(16)}};
    return jose::sign_compact(key, "JWT", boost::json::serialize(claims));
}

void ask(const context& with, const token_options& options)
{
    const endpoint gateway = endpoint_of(with, options);
    const secret pem(read_file(options.key));
    auto key = jose::private_key::from_pem(pem.reveal());
    if (!key) throw command_failed(exit_status::no, options.key + ": " + key.error().detail);

    client_request request;
    request.method = "POST";
    request.url = gateway.url + "/oauth2/token";
    request.headers = {"Content-Type: application/x-www-form-urlencoded"};
    request.body = "grant_type=client_credentials&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&"
                   "client_assertion=" +
                   assertion(*key, options.agent, gateway.issuer);
    if (!options.scopes.empty()) {
        std::string scopes;
        for (const auto& s : options.scopes) scopes += (scopes.empty() ? "" : " ") + s;
        request.body += "&scope=" + percent_encoded(scopes);
    }
    if (!options.intent.empty()) {
        const boost::json::array details{boost::json::object{{"type", "sallyport_task"}, {"intent", options.intent}}};
        request.body += "&authorization_details=" + percent_encoded(boost::json::serialize(details));
    }

    const auto answer = send(request);
    const auto body = json_of(answer);
    if (!body.is_object()) throw command_failed(exit_status::unreachable, request.url + ": the answer is not a token endpoint's");
    const auto text = [&](std::string_view name) { return member(body, name); };
    if (answer.status != 200) {
        const std::string name = text("error").empty() ? text("title") : text("error") + ": " + text("error_description");
        throw command_failed(answer.status == 503 ? exit_status::unreachable : exit_status::no, "No token: " + name);
    }
    if (with.json)
        print_json(body);
    else
        print(text("access_token"));
}

}  // namespace

void add_token(CLI::App& app, context& with)
{
    auto* token = app.add_subcommand("token", "asks the token endpoint for an access token");
    const auto options = std::make_shared<token_options>();
    token->add_option("--agent", options->agent, "the agent's name")->required();
    token->add_option("--key", options->key, "its private key (PEM)")->required()->type_name("FILE");
    token->add_option("--intent", options->intent, "what the task is for, in a sentence that approvers will read");
    token->add_option("--scope", options->scopes, "ROUTE, or ROUTE:read; may be repeated; everything by default");
    token->add_option("--url", options->url, "the gateway's agents_url; else from the configuration");
    token->callback([&with, options] { ask(with, *options); });
}

}  // namespace sallyport::command_line
