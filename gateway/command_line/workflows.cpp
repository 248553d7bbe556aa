// workflow simulate
#include "gateway/command_line/context.hpp"
#include "gateway/command_line/sources.hpp"
#include "workflows/simulation.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <memory>
#include <span>

namespace sallyport::command_line {
namespace {

struct simulate_options {
    std::string workflow, agent, owner, at;
    std::vector<std::string> absent;
};

template <class Word>
std::string list_of(const std::vector<Word>& words, std::string_view between = ", ")
{
    std::string text;
    for (const Word& word : words) {
        if (!text.empty()) text += between;
        if constexpr (std::is_same_v<Word, target>)
            text += word.text();
        else
            text += word;
    }
    return text;
}

boost::json::array json_of(const std::vector<std::string>& words) { return boost::json::array(words.begin(), words.end()); }

// `+1d2h30m`, and `+0s`.
std::string offset_of(duration after)
{
    std::string text = "+";
    for (const duration unit : {duration(std::chrono::days(1)), duration(std::chrono::hours(1)), duration(std::chrono::minutes(1)),
                                duration(std::chrono::seconds(1)), duration(std::chrono::milliseconds(1))}) {
        const auto whole = after / unit;
        if (whole == 0) continue;
        const std::string one = format_duration(unit);
        text += std::to_string(whole) + one.substr(1);
        after -= whole * unit;
    }
    return text.size() > 1 ? text : "+0s";
}

std::string people_count(std::size_t n) { return n == 1 ? "1 person" : std::to_string(n) + " people"; }

struct in_words {
    const workflow& asked;

    std::string operator()(const played::step_begun& e) const { return "step " + std::to_string(e.step) + " begins: " + list_of(e.whom); }
    std::string operator()(const played::step_skipped& e) const
    {
        // The last one lasts all the same: nobody comes behind it.
        return "step " + std::to_string(e.step) + (e.step < asked.steps.size() ? " is skipped: " : " reaches nobody: ") +
               list_of(e.why, "; ");
    }
    std::string operator()(const played::hand_over& e) const
    {
        return "schedule " + e.schedule + " changes: " + (e.on_call.empty() ? "nobody" : list_of(e.on_call)) + " on call";
    }
    std::string operator()(const played::told& e) const
    {
        return (e.again ? "reminded by " : "told by ") + list_of(e.via) + ": " + list_of(e.people);
    }
    std::string operator()(const played::ended& e) const
    {
        if (e.how == hold_status::held) return "more happens than is shown here";
        std::string text = "it ends: " + std::string(name_of(e.how)) + ", " + people_count(e.reached) + " told";
        if (e.reached < static_cast<std::size_t>(asked.approvals))
            text += "; " + std::to_string(asked.approvals) + " must approve, so nobody's approval is enough";
        return text;
    }
};

struct in_json {
    boost::json::object operator()(const played::step_begun& e) const
    {
        boost::json::array whom;
        for (const target& t : e.whom) whom.emplace_back(t.text());
        return {{"event", "step"}, {"step", e.step}, {"notify", std::move(whom)}};
    }
    boost::json::object operator()(const played::step_skipped& e) const
    {
        return {{"event", "skipped"}, {"step", e.step}, {"why", json_of(e.why)}};
    }
    boost::json::object operator()(const played::hand_over& e) const
    {
        return {{"event", "hand-over"}, {"schedule", e.schedule}, {"on_call", json_of(e.on_call)}};
    }
    boost::json::object operator()(const played::told& e) const
    {
        return {{"event", e.again ? "reminded" : "told"}, {"people", json_of(e.people)}, {"via", json_of(e.via)}};
    }
    boost::json::object operator()(const played::ended& e) const
    {
        return {{"event", "ended"}, {"status", name_of(e.how)}, {"reached", e.reached}};
    }
};

boost::json::array places_of(const workflow& w)
{
    boost::json::array all;
    for (const place& p : w.places) all.push_back(boost::json::object{{"of", p.of.text()}, {"approvals", p.approvals}});
    return all;
}

const workflow& workflow_named(const config::configuration& config, const std::string& name)
{
    const auto found = config.workflows.find(name);
    if (found != config.workflows.end()) return found->second;
    std::vector<std::string> names;
    for (const auto& [known, flow] : config.workflows) names.push_back(known);
    throw command_failed(exit_status::no, "There is no workflow " + name +
                                              (names.empty() ? "; the configuration has none." : "; there are: " + list_of(names) + "."));
}

// Whose agent the held call would be; nobody's where neither is given, and then `owner` means nobody.
agent caller(const admin_client& gateway, const simulate_options& options)
{
    if (!options.agent.empty()) return agent_named(gateway, options.agent);
    agent nobody;
    if (options.owner.empty()) return nobody;
    const auto owner = owner_name::parse(options.owner);
    if (!owner) throw command_failed(exit_status::usage, "--owner is a person's handle or team:NAME");
    nobody.owner = *owner;
    return nobody;
}

time_point begin_of(const std::string& text)
{
    if (text.empty()) return local_now();
    const auto at = parse_rfc3339(text);
    if (!at) throw command_failed(exit_status::usage, "--at is a time such as 2026-01-05T09:00:00Z");
    return *at;
}

void simulate(const context& with, const simulate_options& options)
{
    const time_point at = begin_of(options.at);
    const auto config = load_or_fail(with);
    const workflow& asked = workflow_named(*config, options.workflow);
    const admin_client gateway(with);
    const directory people(0, everybody(gateway), team_names(gateway), {}, {config, &config->arranged});
    std::vector<absent_person> absent;
    for (const auto& said : options.absent) {
        const auto equals = said.find('=');
        absent.push_back({said.substr(0, equals), equals == std::string::npos ? std::string() : said.substr(equals + 1)});
        for (const std::string& handle : {absent.back().handle, absent.back().deputy})
            if (!handle.empty() && !people.person_with_handle(handle))
                throw command_failed(exit_status::no, "There is no person " + handle + ".");
    }
    const agent by = caller(gateway, options);

    const auto events = sallyport::simulate(asked, by, people, absent, at);
    if (with.json) {
        boost::json::array all;
        for (const played_event& e : events) {
            boost::json::object one = std::visit(in_json{}, e.what);
            one["at"] = format_rfc3339(e.at);
            one["after"] = e.at == at ? std::string("0s") : format_duration(e.at - at);
            all.push_back(std::move(one));
        }
        print_json(boost::json::object{{"workflow", asked.name},
                                       {"at", format_rfc3339(at)},
                                       {"owner", by.owner.name.empty() ? boost::json::value(nullptr) : boost::json::value(by.owner.text())},
                                       {"absent", json_of(options.absent)},
                                       {"approvals", asked.approvals},
                                       {"places", places_of(asked)},
                                       {"assurance", name_of(asked.assurance)},
                                       {"events", std::move(all)}});
        return;
    }
    std::string places;
    for (const place& p : asked.places)
        places += (places.empty() ? " (" : ", ") + std::to_string(p.approvals) + " of " + sallyport::in_words(p.of);
    print(asked.name + ": " + std::to_string(asked.approvals) + (asked.approvals == 1 ? " approval" : " approvals") +
          (places.empty() ? places : places + ")") + " by " + std::string(name_of(asked.assurance)) + ", asked at " + format_rfc3339(at));
    if (!asked.break_glass.empty()) print("may break the glass: " + list_of<target>(asked.break_glass));
    std::size_t width = 0;
    for (const played_event& e : events) width = std::max(width, offset_of(e.at - at).size());
    for (const played_event& e : events) {
        std::string line = offset_of(e.at - at);
        line.append(width - line.size() + 2, ' ');
        print(line + std::visit(in_words{asked}, e.what));
    }
}

}  // namespace

void add_workflows(CLI::App& app, context& with)
{
    auto* workflow = app.add_subcommand("workflow", "who is asked, in which order, for how long");
    workflow->require_subcommand(1);
    const auto options = std::make_shared<simulate_options>();

    auto* play = workflow->add_subcommand("simulate", "plays an escalation against a virtual clock: nobody decides");
    play->add_option("name", options->workflow, "a workflow of the configuration")->required();
    play->add_option("--absent", options->absent, "people who are away, and who decides in their place")->type_name("PERSON[=DEPUTY]");
    auto* agent = play->add_option("--agent", options->agent, "an agent of the running gateway, for its owner");
    play->add_option("--owner", options->owner, "a person's handle or team:NAME: the agent's owner")->excludes(agent);
    play->add_option("--at", options->at, "when the call is held, instead of now")->type_name("TIME");
    play->callback([&with, options] { simulate(with, *options); });
}

}  // namespace sallyport::command_line
