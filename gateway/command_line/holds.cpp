// hold list | show | deny
#include "gateway/command_line/admin_client.hpp"
#include "gateway/command_line/context.hpp"
#include "workflows/percent_encoding.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>

#include <memory>

namespace sallyport::command_line {
namespace {

struct hold_options {
    std::string id, reason, status = "held";
};

std::string sentence(const boost::json::object& hold)
{
    const auto& reasons = hold.at("reasons").as_array();
    return reasons.empty() ? "-" : std::string(reasons[0].at("summary").as_string());
}

void list(const context& with, const hold_options& options)
{
    const admin_client gateway(with);
    table t({"HOLD", "STATUS", "AGENT", "EXPIRES", "WHAT"});
    std::string next;
    do {
        const auto answer =
            gateway.get("/holds?status=" + percent_encoded(options.status) + (next.empty() ? "" : "&cursor=" + percent_encoded(next)));
        for (const auto& value : answer.at("holds").as_array()) {
            const auto& h = value.as_object();
            if (with.json)
                print_json(value);
            else
                t.add({std::string(h.at("hold").as_string()), std::string(h.at("status").as_string()),
                       std::string(h.at("agent").at("name").as_string()), std::string(h.at("expires_at").as_string()), sentence(h)});
        }
        next = answer.at("next").is_string() ? std::string(answer.at("next").as_string()) : std::string();
    } while (!next.empty());
    if (!with.json) t.print();
}

void show(const context& with, const boost::json::object& answer)
{
    if (with.json) return print_json(answer);
    const auto& h = answer.at("hold").as_object();
    const auto& request = h.at("request").as_object();
    print(sentence(h));
    print("  " + std::string(h.at("hold").as_string()) + ", " + std::string(h.at("status").as_string()) + ", until " +
          std::string(h.at("expires_at").as_string()));
    print("  for " + std::string(h.at("agent").at("name").as_string()) + " of " + std::string(h.at("agent").at("owner").as_string()));
    print("  " + std::string(request.at("method").as_string()) + " " + std::string(request.at("authority").as_string()) +
          std::string(request.at("target").as_string()));
}

}  // namespace

void add_holds(CLI::App& app, context& with)
{
    auto* hold = app.add_subcommand("hold", "the queue of held calls");
    hold->require_subcommand(1);
    const auto options = std::make_shared<hold_options>();

    auto* all = hold->add_subcommand("list", "what waits for people");
    all->add_option("--status", options->status, "held, or a list with commas")->capture_default_str();
    all->callback([&with, options] { list(with, *options); });

    auto* one = hold->add_subcommand("show", "one hold");
    one->add_option("id", options->id, "hld_…")->required();
    one->callback([&with, options] { show(with, admin_client(with).get("/holds/" + percent_encoded(options->id))); });

    auto* deny = hold->add_subcommand("deny", "refuses a held call, as the administrator of this machine");
    deny->add_option("id", options->id, "hld_…")->required();
    deny->add_option("--reason", options->reason, "what the agent is told");
    deny->callback([&with, options] {
        show(with, admin_client(with).post("/holds/" + percent_encoded(options->id) + "/deny", {{"reason", options->reason}}));
    });
}

}  // namespace sallyport::command_line
