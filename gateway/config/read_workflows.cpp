// workflows: who is asked, in which order, for how long.
#include "gateway/config/draft.hpp"
#include "workflows/agent.hpp"
#include "workflows/workflow.hpp"

#include <algorithm>

namespace sallyport::config {
namespace {

constexpr std::string_view keys[] = {"approvals", "assurance", "control", "not", "steps", "otherwise"};
constexpr std::string_view step_keys[] = {"notify", "via", "for", "remind"};
constexpr duration most_often = std::chrono::minutes(1);
constexpr std::size_t most_steps = 50;
constexpr std::uint64_t most_approvals = 100;

std::vector<target> read_targets(draft& d, const value& v, std::string_view what)
{
    std::vector<target> targets;
    const auto items = d.read.list(v, what, true);
    if (!items) return targets;
    for (const auto& item : *items) {
        const auto text = d.read.text(item, what);
        if (!text) continue;
        const auto who = target::parse(*text);
        if (!who || (who->kind != target::kind::owner && !valid_name(who->name))) {
            d.read.error(item, std::string(what) + " must name `owner`, `person:HANDLE`, `team:NAME` or `schedule:NAME`, not `" +
                                   shown(*text) + "`");
            continue;
        }
        if (who->kind == target::kind::schedule) {
            if (!d.known(d.schedules, item, "schedule", who->name)) continue;
            d.used_schedules.insert(who->name);
        }
        if (std::find(targets.begin(), targets.end(), *who) != targets.end())
            d.read.error(item, "`" + shown(*text) + "` is in this list twice");
        else
            targets.push_back(*who);
    }
    return targets;
}

void read_via(draft& d, const value& v, workflow_step& step)
{
    const auto items = d.read.list(v, "`via`", true);
    if (!items) return;
    for (const auto& item : *items) {
        const auto channel = d.read.text(item, "`via`");
        if (!channel) continue;
        if (*channel == "inbox" || *channel == "push") {
            d.read.error(item, *channel == "push" ? "push is of the inbox, for whoever has switched it on; `via` names what is besides"
                                                  : "the inbox is always a channel; `via` names those besides it");
            continue;
        }
        const bool configured = *channel == "slack"   ? d.once.contains("notifiers.slack")
                                : *channel == "email" ? d.once.contains("notifiers.email")
                                                      : d.webhooks.contains(*channel);
        // Their names are known before they are set up: people are told in the inbox meanwhile. Any other name could
        // be a slip.
        const bool usual = *channel == "slack" || *channel == "email";
        if (!configured && usual && d.complete)
            d.read.warning(item, "`" + *channel + "` is not configured in `notifiers`: the inbox alone tells people");
        if (!configured && !usual) {
            if (!d.complete) continue;
            std::vector<std::string_view> channels;
            if (d.once.contains("notifiers.slack")) channels.push_back("slack");
            if (d.once.contains("notifiers.email")) channels.push_back("email");
            for (const auto& [id, place] : d.webhooks) channels.push_back(id);
            d.read.error(item, "the channel `" + shown(*channel) + "` is not configured in `notifiers`" +
                                   (channels.empty() ? ", which has none" : "; there is " + one_of(channels)));
            continue;
        }
        if (std::find(step.via.begin(), step.via.end(), *channel) != step.via.end())
            d.read.error(item, "`" + shown(*channel) + "` is in this list twice");
        else
            step.via.push_back(*channel);
    }
}

workflow_step read_step(draft& d, const value& v)
{
    workflow_step step;
    const section s(d.read, v, "a step", step_keys);
    if (!s) return step;
    if (const auto notify = s.need("notify")) {
        const auto before = d.read.errors.size();
        step.notify = read_targets(d, *notify, "`notify`");
        if (step.notify.empty() && d.read.errors.size() == before && d.complete) d.read.error(*notify, "`notify` must name somebody");
    }
    if (const auto via = s.find("via")) read_via(d, *via, step);
    if (s.need("for")) s.take(step.for_, "for", &reading::duration);
    if (const auto at = s.find("remind"); at && s.take(step.remind, "remind", &reading::duration)) {
        if (step.remind < most_often)
            d.read.error(*at, "`remind` must be 1m at least: people who are asked all the time stop reading");
        else if (step.for_ > duration{} && step.remind >= step.for_)
            d.read.error(*at, "`remind` must be shorter than `for`, else nobody is reminded");
    }
    return step;
}

bool has_owner(const std::vector<target>& targets)
{
    return std::any_of(targets.begin(), targets.end(), [](const target& t) { return t.kind == target::kind::owner; });
}

// A control is a promise about the rest: what does not keep it is an error, and what it implies need not be written.
void hold_to_control(draft& d, const value& at, workflow& w)
{
    switch (w.control) {
    case control::none: return;
    case control::confirm:
        if (w.approvals != 1 || has_owner(w.not_) ||
            std::none_of(w.steps.begin(), w.steps.end(), [](const workflow_step& s) { return has_owner(s.notify); }))
            d.read.error(at, "`control: confirm` is the owner's own word: `owner` in `notify`, not in `not`, and one approval");
        return;
    case control::four_eyes:
        if (!has_owner(w.not_)) w.not_.push_back(target{});
        return;
    }
}

// Nobody can ever give the answer: said here, not when the first call has waited in vain.
void warn_if_unreachable(draft& d, const value& v, const workflow& w)
{
    std::vector<target> who;
    for (const auto& step : w.steps)
        for (const auto& t : step.notify)
            if (std::find(who.begin(), who.end(), t) == who.end() && std::find(w.not_.begin(), w.not_.end(), t) == w.not_.end())
                who.push_back(t);
    const bool persons = std::all_of(who.begin(), who.end(), [](const target& t) { return t.kind == target::kind::person; });
    if (who.empty())
        d.read.warning(v, "workflow `" + w.name + "`: `not` excludes everybody whom its steps notify");
    else if (persons && who.size() < static_cast<std::size_t>(w.approvals))
        d.read.warning(v, "workflow `" + w.name + "` needs " + std::to_string(w.approvals) + " approvals, but only " +
                              std::to_string(who.size()) + " may give one");
}

void read_workflow(draft& d, const entry& e)
{
    if (!valid_name(e.key)) {
        d.read.error_at_key(e, "a workflow's name must be 1 to 64 of a-z 0-9 . _ - and begin with a letter or digit, not `" + shown(e.key) +
                                   "`");
        return;
    }
    workflow w;
    w.name = e.key;
    const value& v = e.value;
    const bool is_new = d.add(d.workflows, "workflow", w.name, v);
    const auto before = d.read.errors.size();
    const section s(d.read, v, "workflow `" + w.name + "`", keys);
    if (!s) return;
    std::uint64_t approvals = 1;
    s.take(approvals, "approvals", &reading::number, std::uint64_t{1}, most_approvals);
    w.approvals = static_cast<int>(approvals);
    constexpr reading::choice_of<assurance> assurances[] = {
        {"click", assurance::click}, {"session", assurance::session}, {"passkey", assurance::passkey}};
    if (const auto at = s.find("assurance")) w.assurance = d.read.choice(*at, "`assurance`", assurances).value_or(assurance::passkey);
    if (const auto at = s.find("not")) w.not_ = read_targets(d, *at, "`not`");
    // Silence is never consent (lessons: "time-out may be set to allow").
    constexpr reading::choice_of<bool> only_deny[] = {{"deny", true}};
    if (const auto at = s.find("otherwise")) d.read.choice(*at, "`otherwise`", only_deny);
    if (const auto at = s.need("steps")) {
        const auto items = d.read.list(*at, "`steps`");
        if (items && items->empty()) d.read.error(*at, "`steps` must have at least one step");
        if (items && items->size() > most_steps) d.read.error(*at, "`steps` must have at most " + std::to_string(most_steps) + " steps");
        if (items)
            for (const auto& item : *items) w.steps.push_back(read_step(d, item));
    }
    constexpr reading::choice_of<control> controls[] = {{"confirm", control::confirm}, {"four-eyes", control::four_eyes}};
    if (const auto at = s.find("control")) {
        w.control = d.read.choice(*at, "`control`", controls).value_or(control::none);
        if (d.read.errors.size() == before) hold_to_control(d, *at, w);
    }
    if (d.read.errors.size() == before && d.complete) warn_if_unreachable(d, v, w);
    if (is_new) d.config.workflows.emplace(w.name, std::move(w));
}

}  // namespace

void read_workflows(draft& d, const value& v)
{
    const auto entries = d.read.members(v, "`workflows`");
    if (!entries) return;
    for (const auto& e : *entries) read_workflow(d, e);
}

}  // namespace sallyport::config
