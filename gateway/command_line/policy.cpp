// policy eval | explain | test
#include "gateway/canonical/headers.hpp"
#include "gateway/canonical/target.hpp"
#include "gateway/command_line/admin_client.hpp"
#include "gateway/command_line/context.hpp"
#include "gateway/command_line/judged_request.hpp"
#include "gateway/command_line/policy_cases.hpp"
#include "gateway/command_line/sources.hpp"
#include "gateway/policy/evaluate.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>

#include <algorithm>
#include <iostream>
#include <memory>

namespace sallyport::command_line {
namespace {

struct policy_options {
    std::string expression, bindings, request, agent;
    std::vector<std::string> files;
    bool batch = false;
};

void eval(const policy_options& options)
{
    if (options.batch) {
        for (std::string line; std::getline(std::cin, line);) print(policy::evaluate_line(line));
        return;
    }
    if (options.expression.empty()) throw command_failed(exit_status::usage, "policy eval needs an expression, or --batch");
    print(or_fail(policy::evaluate(options.expression, options.bindings.empty() ? std::string() : read_file(options.bindings))));
}

// Credentials are records: which field each takes only a running gateway knows. Without one the field of `bearer` and
// `basic` is right, because no rule ever sees Authorization; that may not be so for others, which is said.
credential_fields fields_of_credentials(const context& with, const config::configuration& config)
{
    credential_fields all;
    if (std::all_of(config.routes.begin(), config.routes.end(), [](const config::route& r) { return r.credential.empty(); })) return all;
    const auto answer = admin_client(with).try_get("/credentials");
    if (!answer) {
        std::cerr << "sallyport: no gateway runs on " << with.data.string()
                  << " to ask for its credentials: rules see the fields of those of the type header\n";
        return all;
    }
    for (const auto& one : answer->at("credentials").as_array())
        all.emplace(std::string(one.at("name").as_string()), std::string(one.at("header").as_string()));
    return all;
}

void explain(const context& with, const policy_options& options)
{
    const auto config = load_or_fail(with);
    const auto request = or_fail(request_of_message(read_file(options.request)));
    agent who;
    who.name = "nobody";
    if (!options.agent.empty()) who = agent_named(admin_client(with), options.agent);
    const policy::verdict verdict = or_fail(judge(*config, fields_of_credentials(with, *config), request, who, nullptr, local_now()));

    boost::json::array rules;
    table t({"RULE", "VERDICT", "MATCHED", "SUMMARY"});
    for (const spoken_rule& r : verdict.rules) {
        rules.push_back(boost::json::object{{"rule", r.rule},
                                            {"verdict", name_of(r.verdict)},
                                            {"matched", r.matched},
                                            {"summary", r.summary},
                                            {"error", r.error.empty() ? boost::json::value(nullptr) : boost::json::value(r.error)}});
        t.add({r.rule, std::string(name_of(r.verdict)), r.matched ? "yes" : "error: " + r.error, r.summary});
    }
    if (with.json) {
        print_json(boost::json::object{{"verdict", name_of(verdict.kind)}, {"policy", config->digest}, {"rules", std::move(rules)}});
        return;
    }
    print(name_of(verdict.kind));
    if (verdict.rules.empty())
        print("No rule matched, so the call is denied.");
    else
        t.print();
}

void test(context& with, const policy_options& options)
{
    const auto config = load_or_fail(with);
    std::vector<std::filesystem::path> files(options.files.begin(), options.files.end());
    if (files.empty()) files = case_files(with.config);
    const auto credentials = fields_of_credentials(with, *config);
    std::size_t passed = 0, failed = 0;
    boost::json::array cases;
    for (const auto& file : files) {
        for (const policy_case& one : or_fail(read_cases(file))) {
            const std::string wrong = run_case(*config, credentials, one);
            (wrong.empty() ? passed : failed)++;
            cases.push_back(boost::json::object{{"file", file.string()},
                                                {"line", one.line},
                                                {"name", one.name},
                                                {"passed", wrong.empty()},
                                                {"detail", wrong.empty() ? boost::json::value(nullptr) : boost::json::value(wrong)}});
            if (!with.json && !wrong.empty()) std::cerr << file.string() << ':' << one.line << ":1: " << one.name << ": " << wrong << '\n';
        }
    }
    if (failed > 0) with.status = exit_status::no;
    if (with.json)
        print_json(boost::json::object{{"passed", passed}, {"failed", failed}, {"cases", std::move(cases)}});
    else
        print(std::to_string(passed) + " passed, " + std::to_string(failed) + " failed");
}

}  // namespace

void add_policy(CLI::App& app, context& with)
{
    auto* policy = app.add_subcommand("policy", "rules: what they say of a request, and their tests");
    policy->require_subcommand(1);
    const auto options = std::make_shared<policy_options>();

    auto* run_eval = policy->add_subcommand("eval", "evaluates one CEL expression");
    auto* expression = run_eval->add_option("expression", options->expression, "CEL");
    run_eval->add_option("--bindings", options->bindings, "a JSON object: the variables")->type_name("FILE");
    run_eval->add_flag("--batch", options->batch, "one case a line from standard input")->excludes(expression);
    run_eval->callback([options] { eval(*options); });

    auto* run_explain = policy->add_subcommand("explain", "the verdict on one request, every rule that spoke, and why");
    run_explain->add_option("--request", options->request, "one HTTP/1.1 request message, as the agent writes it")
        ->required()
        ->type_name("FILE");
    run_explain->add_option("--agent", options->agent, "an agent of the running gateway");
    run_explain->callback([&with, options] { explain(with, *options); });

    auto* run_test = policy->add_subcommand("test", "runs the policy's own test cases");
    run_test->add_option("files", options->files, "*.test.yaml; those beside the rules by default")->type_name("FILE");
    run_test->callback([&with, options] { test(with, *options); });
}

}  // namespace sallyport::command_line
