// workflows: who is asked, in which order, for how long.
#include "gateway/config/draft.hpp"
#include "workflows/agent.hpp"
#include "workflows/workflow.hpp"

#include <algorithm>

namespace sallyport::config {
namespace {

constexpr std::string_view keys[] = {"approvals", "assurance", "break_glass", "control", "not", "steps", "otherwise"};
constexpr std::string_view step_keys[] = {"notify", "via", "for", "remind", "within"};
constexpr duration most_often = std::chrono::minutes(1);
constexpr std::size_t most_steps = 50;
constexpr std::uint64_t most_approvals = 100;

constexpr std::string_view where = "where:";

// A word that means people. `said` reports at a place within that word.
template <class Error>
std::optional<target> read_target(draft& d, std::string_view word, std::string_view what, bool last_approver, Error said)
{
    auto who = target::parse(word);
    if (!who || (who->kind == target::kind::last_approver && !last_approver)) {
        const std::string_view more = last_approver ? ", `last-approver`" : "";
        std::string message(what);
        message.append(" must name `owner`, `initiator`, `person:HANDLE`, `team:NAME`, `schedule:NAME`").append(more);
        said(std::size_t{0}, message.append(" or `where:EXPRESSION`, not `").append(shown(word)).append("`"));
        return std::nullopt;
    }
    if (who->kind == target::kind::schedule) {
        if (d.config.arranged.hours.contains(who->name)) {
            std::string message("the schedule `");
            said(std::size_t{0}, message.append(who->name).append("` says when people work, not who is on call; it belongs in `within`"));
            return std::nullopt;
        }
        if (!d.schedules.contains(who->name)) {
            if (d.complete) said(std::size_t{0}, d.unknown(d.schedules, "schedule", who->name));
            return std::nullopt;
        }
        d.used_schedules.insert(who->name);
    }
    if (who->kind == target::kind::where) {
        const auto mistakes = d.expressions->add(who->name);
        for (const auto& m : mistakes) said(where.size() + m.offset, one_line(std::string(what) + ": " + m.message));
        if (!mistakes.empty()) return std::nullopt;
    }
    return who;
}

std::vector<target> read_targets(draft& d, const value& v, std::string_view what, bool last_approver = false)
{
    std::vector<target> targets;
    const auto items = d.read.list(v, what, true);
    if (!items) return targets;
    for (const auto& item : *items) {
        const auto text = d.read.text(item, what);
        if (!text) continue;
        auto who = read_target(d, *text, what, last_approver, [&](std::size_t offset, std::string message) {
            if (offset > 0)
                d.read.error_in(item, offset, std::move(message));
            else
                d.read.error(item, std::move(message));
        });
        if (!who) continue;
        if (std::find(targets.begin(), targets.end(), *who) != targets.end())
            d.read.error(item, "`" + shown(*text) + "` is in this list twice");
        else
            targets.push_back(*std::move(who));
    }
    return targets;
}

// `2`, or how many of whom: `{ "team:finance": 1, "team:legal": 1 }`.
void read_approvals(draft& d, const value& v, workflow& w)
{
    if (v.node->kind != yaml::node::kind::map) {
        if (const auto n = d.read.number(v, "`approvals`", 1, most_approvals)) w.approvals = static_cast<int>(*n);
        return;
    }
    const auto entries = d.read.members(v, "`approvals`");
    if (!entries) return;
    if (entries->empty()) d.read.error(v, "`approvals` must be a number, or name those who must approve");
    std::uint64_t sum = 0;
    for (const auto& e : *entries) {
        auto of = read_target(d, e.key, "`approvals`", false,
                              [&](std::size_t, std::string message) { d.read.error_at_key(e, std::move(message)); });
        const auto n = d.read.number(e.value, "`approvals`", 1, most_approvals);
        if (!of || !n) continue;
        if (of->kind == target::kind::person && *n > 1) d.read.error(e.value, "one person gives one approval");
        sum += *n;
        w.places.push_back({*std::move(of), static_cast<int>(*n)});
    }
    if (sum > most_approvals) d.read.error(v, "`approvals` must be at most " + std::to_string(most_approvals) + " in all");
    w.approvals = static_cast<int>(sum);
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
    if (const auto at = s.find("within"); at && s.take(step.within, "within", &reading::name)) {
        if (!d.known(d.schedules, *at, "schedule", step.within)) return step;
        d.used_schedules.insert(step.within);
        if (d.config.arranged.on_call.contains(step.within))
            d.read.error(*at, "the schedule `" + step.within + "` says who is on call, not when people work; it has no `hours`");
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

bool is_owner(const target& t) { return t.kind == target::kind::owner || t.kind == target::kind::initiator; }

// A place that nobody can fill is a workflow that nobody can satisfy.
void check_places(draft& d, const value& at, const workflow& w)
{
    std::vector<target> asked;
    for (const auto& step : w.steps) asked.insert(asked.end(), step.notify.begin(), step.notify.end());
    const bool persons = std::all_of(asked.begin(), asked.end(), [](const target& t) { return t.kind == target::kind::person; });
    for (const place& p : w.places) {
        const auto same = [&](const target& t) { return t == p.of || (is_owner(t) && is_owner(p.of)); };
        if (std::any_of(w.not_.begin(), w.not_.end(), same))
            d.read.error(at, "nobody can give the approval of " + in_words(p.of) + ": `not` excludes them");
        else if (persons && p.of.kind == target::kind::person && std::none_of(asked.begin(), asked.end(), same))
            d.read.error(at, "nobody can give the approval of " + in_words(p.of) + ": no step asks them");
        else if (std::none_of(asked.begin(), asked.end(), same) && d.complete)
            d.read.warning(at, "workflow `" + w.name + "`: no step notifies " + in_words(p.of) +
                                   "; only those of them whom a step names otherwise can approve");
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
    const auto approvals = s.find("approvals");
    if (approvals) read_approvals(d, *approvals, w);
    constexpr reading::choice_of<assurance> assurances[] = {
        {"click", assurance::click}, {"session", assurance::session}, {"passkey", assurance::passkey}};
    if (const auto at = s.find("assurance")) w.assurance = d.read.choice(*at, "`assurance`", assurances).value_or(assurance::passkey);
    if (const auto at = s.find("not")) w.not_ = read_targets(d, *at, "`not`", true);
    if (const auto at = s.find("break_glass")) w.break_glass = read_targets(d, *at, "`break_glass`");
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
    if (d.read.errors.size() == before && approvals) check_places(d, *approvals, w);
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
