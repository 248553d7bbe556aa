// audit show | verify
#include "gateway/audit/verify.hpp"
#include "gateway/command_line/admin_client.hpp"
#include "gateway/command_line/context.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <functional>
#include <iostream>

namespace sallyport::command_line {
namespace {

std::string text(const boost::json::value& value) { return value.is_string() ? std::string(value.as_string()) : std::string(); }

void each_entry(const context& with, const std::function<void(const boost::json::object&)>& use)
{
    const admin_client gateway(with);
    std::string next;
    do {
        const auto answer = gateway.get(next.empty() ? "/audit" : "/audit?cursor=" + next);
        for (const auto& entry : answer.at("entries").as_array()) use(entry.as_object());
        next = text(answer.at("next"));
    } while (!next.empty());
}

void show(const context& with)
{
    if (with.json) {
        each_entry(with, [](const boost::json::object& e) { print_json(e); });
        return;
    }
    table t({"INDEX", "AT", "KIND", "ACTION", "HOLD", "DATA"});
    each_entry(with, [&](const boost::json::object& e) {
        auto data = boost::json::serialize(e.at("data"));
        if (data.size() > 100) data = data.substr(0, 100) + "…";
        t.add({std::to_string(e.at("index").as_int64()), text(e.at("at")), text(e.at("kind")), text(e.at("action")), text(e.at("hold")),
               data});
    });
    t.print();
}

void verify(context& with)
{
    std::vector<audit::shown_entry> entries;
    each_entry(with, [&](const boost::json::object& e) {
        entries.push_back({e.at("index").as_int64(), text(e.at("kind")), text(e.at("action")), text(e.at("hold")), text(e.at("person")),
                           boost::json::serialize(e.at("data"))});
    });
    const auto found = audit::verify(entries);
    for (const auto& f : found.findings) std::cerr << "entry " << f.index << ": " << f.message << '\n';
    if (!found.findings.empty()) with.status = exit_status::no;
    if (with.json) {
        boost::json::array findings;
        for (const auto& f : found.findings) findings.push_back(boost::json::object{{"index", f.index}, {"message", f.message}});
        print_json(boost::json::object{{"ok", found.findings.empty()},
                                       {"entries", found.entries},
                                       {"decisions", found.decisions},
                                       {"signatures", found.signatures},
                                       {"releases", found.releases},
                                       {"findings", std::move(findings)}});
        return;
    }
    print(std::to_string(found.entries) + " entries, " + std::to_string(found.decisions) + " decisions (" +
          std::to_string(found.signatures) + " passkey signatures verified), " + std::to_string(found.releases) +
          " releases: " + (found.findings.empty() ? "all in order." : std::to_string(found.findings.size()) + " findings."));
}

}  // namespace

void add_audit(CLI::App& app, context& with)
{
    auto* audit = app.add_subcommand("audit", "the log");
    audit->require_subcommand(1);
    audit->add_subcommand("show", "every entry, the oldest first")->callback([&with] { show(with); });
    audit->add_subcommand("verify", "checks every decision's signature, and that nothing was released without one")->callback([&with] {
        verify(with);
    });
}

}  // namespace sallyport::command_line
