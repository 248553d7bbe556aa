// policies: what the rules say, compiled once all is known.
#include "gateway/config/draft.hpp"
#include "gateway/config/rule_hints.hpp"

#include <algorithm>

namespace sallyport::config {
namespace {

constexpr std::string_view keys[] = {"id", "team", "route", "when", "verdict", "on_error", "mode", "workflow", "summary"};
constexpr std::string_view default_workflow = "default";  // what a rule that errs holds by (semantics.md "Judging a call")

std::size_t place_of_route(const configuration& c, std::string_view id)
{
    const auto at = std::find_if(c.routes.begin(), c.routes.end(), [&](const route& r) { return r.id == id; });
    return static_cast<std::size_t>(at - c.routes.begin());
}

void read_rule_routes(draft& d, const value& v, policy::rule_definition& rule)
{
    const auto all = [](const value& x) { return x.node->kind == yaml::node::kind::scalar && x.node->text == "*"; };
    if (all(v)) {
        for (std::size_t i = 0; i < d.config.routes.size(); ++i) rule.routes.push_back(i);
        return;
    }
    const auto items = d.read.list(v, "`route`", true);
    if (!items) return;
    if (items->empty()) return d.read.error(v, "`route` must name a route, a list of them, or \"*\" for every one");
    for (const auto& item : *items) {
        if (all(item)) {
            d.read.error(item, "\"*\" stands alone: `route: \"*\"`");
            continue;
        }
        const auto id = d.read.text(item, "`route`");
        if (!id || !d.known(d.routes, item, "route", *id)) continue;
        const auto place = place_of_route(d.config, *id);
        if (place == d.config.routes.size()) continue;  // its own mistake is said there
        if (std::find(rule.routes.begin(), rule.routes.end(), place) != rule.routes.end())
            d.read.error(item, "`" + shown(*id) + "` is in this list twice");
        else
            rule.routes.push_back(place);
    }
}

void read_rule(draft& d, const value& v)
{
    const section s(d.read, v, "a policy", keys);
    if (!s) return;
    written_rule written;
    written.place = v;
    auto& rule = written.definition;
    if (const auto id = s.need("id"); id && s.take(rule.id, "id", &reading::name)) d.add(d.rules_by_id, "policy", rule.id, *id);
    s.take(rule.team, "team", &reading::name);
    if (const auto at = s.need("route")) read_rule_routes(d, *at, rule);

    constexpr reading::choice_of<verdict_kind> verdicts[] = {
        {"allow", verdict_kind::allow}, {"hold", verdict_kind::hold}, {"deny", verdict_kind::deny}};
    constexpr reading::choice_of<verdict_kind> strict_verdicts[] = {{"hold", verdict_kind::hold}, {"deny", verdict_kind::deny}};
    constexpr reading::choice_of<policy::mode> modes[] = {{"enforce", policy::mode::enforce}, {"shadow", policy::mode::shadow}};
    const auto verdict = s.need("verdict");
    if (verdict) rule.verdict = d.read.choice(*verdict, "`verdict`", verdicts).value_or(verdict_kind::deny);
    if (const auto at = s.find("on_error")) rule.on_error = d.read.choice(*at, "`on_error`", strict_verdicts).value_or(verdict_kind::hold);
    if (const auto at = s.find("mode")) rule.mode = d.read.choice(*at, "`mode`", modes).value_or(policy::mode::enforce);

    const auto workflow = s.find("workflow");
    if (workflow) {
        if (const auto name = d.read.text(*workflow, "`workflow`"); name && d.known(d.workflows, *workflow, "workflow", *name)) {
            rule.workflow = *name;
            d.used_workflows.insert(*name);
        }
    } else if (verdict && rule.verdict == verdict_kind::hold) {
        d.read.error(*verdict, "`verdict: hold` needs a `workflow`, which says who is asked");
    }

    if (const auto summary = s.find("summary"); summary && s.take(rule.summary, "summary", &reading::text)) written.summary = summary;
    const auto when = s.need("when");
    if (!when || !s.take(rule.when, "when", &reading::text)) return;
    if (rule.when.find_first_not_of(" \t\r\n") == std::string::npos)
        return d.read.error(*when, "`when` must be a condition; `true` is one that always holds");
    written.when = *when;
    d.rules.push_back(std::move(written));
}

}  // namespace

void read_policies(draft& d, const value& v)
{
    const auto items = d.read.list(v, "`policies`");
    if (!items) return;
    for (const auto& item : *items) read_rule(d, item);
}

void compile_rules(draft& d)
{
    std::vector<policy::rule_definition> definitions;
    for (const auto& rule : d.rules) definitions.push_back(rule.definition);
    std::vector<policy::compile_error> errors;
    const bool has_default = d.config.workflows.contains(default_workflow);
    d.config.rules = policy::rule_set::compile(std::move(definitions), d.config.routes.size(), has_default, errors);
    for (auto& e : errors) {
        const auto& rule = d.rules.at(e.rule);
        const bool in_summary = e.where == policy::compile_error::where::summary && rule.summary;
        d.read.error_in(in_summary ? *rule.summary : rule.when, e.offset, one_line((in_summary ? "`summary`: " : "`when`: ") + e.message));
    }
}

void warn_of_leftovers(draft& d)
{
    std::vector<bool> ruled(d.config.routes.size(), false);
    bool default_used = false;
    for (const auto& written : d.rules) {
        const auto& rule = written.definition;
        if (rule.mode == policy::mode::enforce)
            for (const auto place : rule.routes) ruled[place] = true;
        if (never_true(rule.when)) d.read.warning(written.when, "this condition never holds, so policy `" + rule.id + "` does nothing");
        std::vector<std::string_view> prefixes;
        for (const auto place : rule.routes) prefixes.push_back(d.config.routes[place].prefix);
        for (auto& remark : vain_comparisons(rule.when, prefixes))
            d.read.warning_in(written.when, remark.offset, std::move(remark.message));
        if (rule.routes.empty()) d.read.warning(written.place, "there is no route for policy `" + rule.id + "`");
        if (rule.workflow.empty() && rule.on_error == verdict_kind::hold && may_err(rule.when)) {
            default_used = true;
            if (!d.config.workflows.contains(default_workflow))
                d.read.warning(
                    written.when,
                    "policy `" + rule.id +
                        "` may be unable to judge a call; without a `workflow` of its own or one named `default` it then denies");
        }
    }
    for (std::size_t i = 0; i < ruled.size(); ++i)
        if (!ruled[i])
            d.read.warning(d.routes.at(d.config.routes[i].id),
                           "route `" + d.config.routes[i].id + "` has no rule in force: every call to it is denied");
    for (const auto& [name, place] : d.workflows)
        if (!d.used_workflows.contains(name) && !(name == default_workflow && default_used))
            d.read.warning(place, "no policy uses workflow `" + name + "`");
    for (const auto& [name, place] : d.schedules)
        if (!d.used_schedules.contains(name)) d.read.warning(place, "no workflow uses schedule `" + name + "`");
}

}  // namespace sallyport::config
