#include "workflows/eligibility.hpp"

#include <algorithm>

namespace sallyport {
namespace {

bool any_names(const std::vector<target>& targets, const owner_name& owner, const directory& people, const person& who, const shifts& when)
{
    return std::any_of(targets.begin(), targets.end(), [&](const target& t) { return means(t, owner, people, who, when); });
}

// In `not`, what is not known excludes: an unknown schedule might be anybody's.
bool excludes(const target& t, const owner_name& owner, const directory& people, const person& who, time_point now)
{
    if (t.kind == target::kind::schedule && !people.schedule_named(t.name)) return true;
    return means(t, owner, people, who, {now, now});
}

const target* excluded_by(const hold& held, const directory& people, const person& who, time_point now)
{
    for (const demand& d : held.demands)
        for (const target& t : d.asks.not_)
            if (excludes(t, held.owner, people, who, now)) return &t;
    return nullptr;
}

bool able_to_decide(const person& who) { return who.status == person_status::active && who.has(role::approver); }

bool asked(const hold& held, const demand& d, const directory& people, const person& who, time_point now)
{
    for (std::size_t i = 0; i <= d.step && i < d.asks.steps.size(); ++i)
        if (any_names(d.asks.steps[i].notify, held.owner, people, who, {beginning(held, d, i), now})) return true;
    return false;
}

// When a step that has not begun, and names that person, will begin if nothing is skipped.
std::optional<time_point> asked_from(const hold& held, const directory& people, const person& who)
{
    std::optional<time_point> first;
    for (const demand& d : held.demands) {
        for (std::size_t i = d.step + 1; i < d.asks.steps.size(); ++i) {
            const time_point begins = beginning(held, d, i);
            if (!any_names(d.asks.steps[i].notify, held.owner, people, who, {begins, begins})) continue;
            if (!first || begins < *first) first = begins;
            break;
        }
    }
    return first;
}

std::string sentence_for_exclusion(const target& t, const owner_name& owner)
{
    switch (t.kind) {
    case target::kind::owner:
        return owner.kind == owner_name::kind::team ? "Your team " + owner.name + " owns this agent, and its owner may not decide this."
                                                    : "You own this agent, and its owner may not decide this.";
    case target::kind::person: return "The workflow excludes you by name.";
    case target::kind::team: return "The workflow excludes your team " + t.name + ".";
    case target::kind::schedule: return "The workflow excludes whoever is on call in " + t.name + ".";
    }
    return "The workflow excludes you.";
}

bool same_steps(const workflow& a, const workflow& b)
{
    // `via` only says how people are told, `for` only when: neither changes who is asked.
    return std::equal(a.steps.begin(), a.steps.end(), b.steps.begin(), b.steps.end(),
                      [](const workflow_step& x, const workflow_step& y) { return x.notify == y.notify; });
}

const demand* demand_of(const hold& held, const std::string& name)
{
    const auto found = std::find_if(held.demands.begin(), held.demands.end(), [&](const demand& d) { return d.asks.name == name; });
    return found == held.demands.end() ? nullptr : &*found;
}

// Whether a decision counts in a workflow as it is now.
bool counts_now(const hold& held, const decision& given, const workflow& now, const directory& people, const person& who)
{
    const demand* known = demand_of(held, now.name);
    if (known && same_steps(known->asks, now))
        return std::find(given.counts_in.begin(), given.counts_in.end(), now.name) != given.counts_in.end();
    // It was never asked by these steps, so it counts as if they had been the hold's: those begun by then.
    time_point begins = held.created_at;
    for (const workflow_step& s : now.steps) {
        if (begins > given.at) return false;
        if (any_names(s.notify, held.owner, people, who, {begins, given.at})) return able_to_decide(who);
        begins += s.for_;
    }
    return false;
}

// `not` that the hold knew was obeyed when the decision was taken; what is new is asked now.
bool newly_excluded(const hold& held, std::span<const workflow> demanded, const directory& people, const person& who, time_point now)
{
    for (const workflow& w : demanded)
        for (const target& t : w.not_) {
            const bool known = std::any_of(held.demands.begin(), held.demands.end(), [&](const demand& d) {
                return std::find(d.asks.not_.begin(), d.asks.not_.end(), t) != d.asks.not_.end();
            });
            if (!known && excludes(t, held.owner, people, who, now)) return true;
        }
    return false;
}

// Whoever could read it and not decide it is not reached.
bool inbox_reaches(const hold& held, const person& who)
{
    return who.has_passkey || (who.has_account && held.assurance_needed() <= assurance::session);
}

}  // namespace

time_point beginning(const hold& held, const demand& d, std::size_t step)
{
    if (step < d.begun.size()) return d.begun[step];
    if (step <= d.step) return held.created_at;
    time_point begins = d.step_ends_at;
    for (std::size_t i = d.step + 1; i < step; ++i) begins += d.asks.steps[i].for_;
    return begins;
}

bool means(const target& t, const owner_name& owner, const directory& people, const person& who, const shifts& when)
{
    switch (t.kind) {
    case target::kind::owner: return directory::owned_by(owner, who);
    case target::kind::person: return who.handle == t.name;
    case target::kind::team: return who.in_team(t.name);
    case target::kind::schedule: {
        const schedule* on_call = people.schedule_named(t.name);
        return on_call && on_call->was_on_call(who.handle, when.since, when.until);
    }
    }
    return false;
}

bool excluded(const hold& held, const directory& people, const person& who, time_point now)
{
    return excluded_by(held, people, who, now) != nullptr;
}

std::vector<std::string> counts_in(const hold& held, const directory& people, const person& who, time_point now)
{
    std::vector<std::string> workflows;
    if (!able_to_decide(who) || excluded(held, people, who, now)) return workflows;
    for (const demand& d : held.demands)
        if (asked(held, d, people, who, now)) workflows.push_back(d.asks.name);
    return workflows;
}

std::vector<person_id> reached_by(const hold& held, const workflow_step& step, const directory& people, const shifts& when)
{
    std::vector<person_id> reached;
    for (const person& p : people.people())
        if (able_to_decide(p) && inbox_reaches(held, p) && any_names(step.notify, held.owner, people, p, when) &&
            !excluded(held, people, p, when.until))
            reached.push_back(p.id);
    return reached;
}

bool may_read(const hold& held, const directory& people, const person& who, time_point now)
{
    if (who.status != person_status::active) return false;
    if (who.has(role::auditor) || who.has(role::operator_)) return true;
    if (directory::owned_by(held.owner, who) || held.decided_by(who.id)) return true;
    // Whoever became accountable for the agent since is one of its owners too.
    if (const agent* a = people.find(held.agent); a && directory::owned_by(a->owner, who)) return true;
    // Closed, nobody comes on call for it any more.
    const time_point until = held.closed_at.value_or(now);
    for (const demand& d : held.demands)
        for (std::size_t i = 0; i < d.asks.steps.size(); ++i) {
            const time_point begins = beginning(held, d, i);
            if (any_names(d.asks.steps[i].notify, held.owner, people, who, {begins, std::max(begins, until)})) return true;
        }
    return false;
}

std::optional<std::string> why_not(const hold& held, const directory& people, const person& who, time_point now)
{
    if (held.status != hold_status::held) return "This hold is no longer open: it is " + std::string(name_of(held.status)) + ".";
    if (who.status != person_status::active) return "Your account is disabled.";
    if (!who.has(role::approver))
        return who.has(role::auditor) ? "Auditors read everything and decide nothing." : "Your role is not that of an approver.";
    if (held.decided_by(who.id)) return "You have decided already.";
    if (const target* t = excluded_by(held, people, who, now)) return sentence_for_exclusion(*t, held.owner);
    if (!counts_in(held, people, who, now).empty()) return std::nullopt;
    if (const auto from = asked_from(held, people, who)) return "You are asked from " + format_rfc3339(*from) + " on, if it is open then.";
    return "You are not asked about this.";
}

bool satisfied_by_new_demands(const hold& held, std::span<const workflow> demanded, const directory& people, time_point now)
{
    auto assurance_needed = assurance::click;
    for (const workflow& w : demanded) assurance_needed = std::max(assurance_needed, w.assurance);

    std::vector<int> given(demanded.size(), 0);
    std::vector<person_id> counted;
    for (const decision& d : held.decisions) {
        if (d.kind != decision_kind::approve) return false;
        const person* who = people.find(d.by);
        if (!who || who->status != person_status::active || d.assurance < assurance_needed) continue;
        if (std::find(counted.begin(), counted.end(), d.by) != counted.end() || newly_excluded(held, demanded, people, *who, now)) continue;
        counted.push_back(d.by);
        for (std::size_t i = 0; i < demanded.size(); ++i)
            if (counts_now(held, d, demanded[i], people, *who)) ++given[i];
    }
    // A demand of nothing is satisfied by nobody: `hold` without a workflow does not happen.
    if (demanded.empty()) return false;
    for (std::size_t i = 0; i < demanded.size(); ++i)
        if (given[i] < demanded[i].approvals) return false;
    return true;
}

bool satisfied_by_grant(const hold& granted, std::string_view grant_terms, const hold& call, std::span<const workflow> demanded,
                        const directory& people, time_point now)
{
    hold signed_only = granted;
    std::erase_if(signed_only.decisions, [&](const decision& d) {
        if (d.kind != decision_kind::approve || d.grant != grant_terms) return true;
        const person* who = people.find(d.by);
        if (!who || !able_to_decide(*who)) return true;
        return std::any_of(demanded.begin(), demanded.end(), [&](const workflow& w) {
            return std::any_of(w.not_.begin(), w.not_.end(), [&](const target& t) { return excludes(t, call.owner, people, *who, now); });
        });
    });
    return satisfied_by_new_demands(signed_only, demanded, people, now);
}

}  // namespace sallyport
