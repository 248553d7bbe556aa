// grant list | show | revoke
#include "gateway/command_line/admin_client.hpp"
#include "gateway/command_line/context.hpp"
#include "workflows/percent_encoding.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>

#include <memory>

namespace sallyport::command_line {
namespace {

struct grant_options {
    std::string id, agent, status = "active";
};

std::string text(const boost::json::object& of, std::string_view name)
{
    const auto& value = of.at(name);
    return value.is_string() ? std::string(value.as_string()) : "-";
}

std::string agent_of(const boost::json::object& grant)
{
    const auto& agent = grant.at("agent");
    return agent.is_object() ? text(agent.as_object(), "name") : "-";
}

std::string signers(const boost::json::object& grant)
{
    std::string all;
    for (const auto& who : grant.at("by").as_array())
        if (who.is_object()) all += (all.empty() ? "" : ", ") + text(who.as_object(), "handle");
    return all.empty() ? "-" : all;
}

std::string calls_left(const boost::json::object& grant)
{
    return std::to_string(grant.at("count").as_int64() - grant.at("used").as_int64()) + " of " +
           std::to_string(grant.at("count").as_int64());
}

void list(const context& with, const grant_options& options)
{
    const admin_client gateway(with);
    table t({"GRANT", "STATUS", "AGENT", "CALLS LEFT", "EXPIRES", "BY", "FOR CALLS LIKE"});
    std::string next;
    do {
        const auto answer = gateway.get("/grants?status=" + percent_encoded(options.status) +
                                        (options.agent.empty() ? "" : "&agent=" + percent_encoded(options.agent)) +
                                        (next.empty() ? "" : "&cursor=" + percent_encoded(next)));
        for (const auto& value : answer.at("grants").as_array()) {
            const auto& g = value.as_object();
            if (with.json)
                print_json(value);
            else
                t.add(
                    {text(g, "id"), text(g, "status"), agent_of(g), calls_left(g), text(g, "expires_at"), signers(g), text(g, "summary")});
        }
        next = answer.at("next").is_string() ? std::string(answer.at("next").as_string()) : std::string();
    } while (!next.empty());
    if (!with.json) t.print();
}

std::string rule_in_words(const boost::json::object& rule)
{
    const std::string pointer = text(rule, "pointer").empty() ? "the body" : text(rule, "pointer");
    if (rule.contains("any")) return pointer + " any " + text(rule, "type");
    if (rule.contains("at_most")) return pointer + " from " + text(rule, "at_least") + " to " + text(rule, "at_most");
    return pointer + " = " + text(rule, "equals");
}

void show(const context& with, const boost::json::object& answer)
{
    if (with.json) return print_json(answer);
    const auto& g = answer.at("grant").as_object();
    const auto& terms = g.at("terms").as_object();
    const auto& shape = terms.at("shape").as_object();
    print("Calls like: " + text(g, "summary"));
    print("  " + text(g, "id") + ", " + text(g, "status") + ", until " + text(g, "expires_at"));
    print("  of " + agent_of(g) + ", signed by " + signers(g) + " with " + text(g, "hold"));
    print("  " + text(shape, "method") + " " + text(shape, "scheme") + "://" + text(shape, "authority") + text(shape, "target"));
    if (shape.at("fields").is_array())
        for (const auto& rule : shape.at("fields").as_array()) print("    " + rule_in_words(rule.as_object()));
    else
        print("    the very same body");
    print("  calls left: " + calls_left(g));
    if (g.at("sum").is_string()) print("  used of the sum: " + text(g, "sum_used") + " of " + text(g, "sum"));
    if (g.at("revoked_at").is_string()) print("  revoked " + text(g, "revoked_at") + ": " + text(g, "revoked_why"));
}

}  // namespace

void add_grants(CLI::App& app, context& with)
{
    auto* grant = app.add_subcommand("grant", "what approvals left behind for similar calls");
    grant->require_subcommand(1);
    const auto options = std::make_shared<grant_options>();

    auto* all = grant->add_subcommand("list", "what there is, and what is left of it");
    all->add_option("--status", options->status, "active, or a list with commas of active, exhausted, expired, revoked")
        ->capture_default_str();
    all->add_option("--agent", options->agent, "of that agent only");
    all->callback([&with, options] { list(with, *options); });

    auto* one = grant->add_subcommand("show", "one grant");
    one->add_option("id", options->id, "grt_…")->required();
    one->callback([&with, options] { show(with, admin_client(with).get("/grants/" + percent_encoded(options->id))); });

    auto* revoke = grant->add_subcommand("revoke", "ends a grant, as the administrator of this machine");
    revoke->add_option("id", options->id, "grt_…")->required();
    revoke->callback([&with, options] { show(with, admin_client(with).erase("/grants/" + percent_encoded(options->id))); });
}

}  // namespace sallyport::command_line
