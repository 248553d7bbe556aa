#include "workflows/eligibility.hpp"

#include "workflows/quorum.hpp"
#include "workflows/step_times.hpp"

#include <algorithm>
#include <utility>

namespace sallyport {
namespace {

bool any_names(const std::vector<target>& targets, const hold& held, const directory& people, const person& who, const shifts& when)
{
    return std::any_of(targets.begin(), targets.end(), [&](const target& t) { return means(t, held, people, who, when); });
}

// None: the expression has no answer.
std::optional<bool> is_true(const target& t, const hold& held, const directory& people, const person& who)
{
    const agent* by = people.find(held.agent);
    return by ? people.is_true(t.name, who, *by, held.owner) : std::nullopt;
}

// In `not`, what is not known excludes: an unknown schedule might be anybody's.
bool excludes(const target& t, const demand* known, const hold& held, const directory& people, const person& who, time_point now)
{
    switch (t.kind) {
    case target::kind::schedule: return !people.schedule_named(t.name) || means(t, held, people, who, {now, now});
    case target::kind::where: return is_true(t, held, people, who).value_or(true);
    case target::kind::last_approver: return !known || !known->last_approval || known->last_approval->approver == who.id;
    case target::kind::owner:
    case target::kind::initiator:
    case target::kind::person:
    case target::kind::team: return means(t, held, people, who, {now, now});
    }
    return true;
}

const target* excluded_by(const hold& held, const directory& people, const person& who, time_point now)
{
    for (const demand& d : held.demands)
        for (const target& t : d.asks.not_)
            if (excludes(t, &d, held, people, who, now)) return &t;
    return nullptr;
}

bool able_to_decide(const person& who) { return who.status == person_status::active && who.has(role::approver); }

bool asked(const hold& held, const demand& d, const directory& people, const person& who, time_point now)
{
    for (std::size_t i = 0; i < d.steps_begun(); ++i)
        if (any_names(d.asks.steps[i].notify, held, people, who, {beginning(held, d, i, people), now})) return true;
    return false;
}

bool fills_a_place(const workflow& w, const hold& held, const directory& people, const person& who, const shifts& when)
{
    return w.places.empty() ||
           std::any_of(w.places.begin(), w.places.end(), [&](const place& p) { return means(p.of, held, people, who, when); });
}

// What that person's own word would count for, deputies apart.
std::vector<std::string> own_entries(const hold& held, const directory& people, const person& who, time_point now)
{
    std::vector<std::string> entries;
    for (const demand& d : held.demands) {
        if (!asked(held, d, people, who, now)) continue;
        if (d.asks.places.empty()) entries.push_back(d.asks.name);
        for (const place& p : d.asks.places)
            if (means(p.of, held, people, who, {d.begun.empty() ? held.created_at : d.begun.front(), now}))
                entries.push_back(place_entry(d.asks.name, p.of));
    }
    return entries;
}

// Who decides in somebody's place, one after the other: the last of them is not away, or has no deputy who may.
std::vector<const person*> deputies_of(const hold& held, const directory& people, const person& away, time_point now)
{
    std::vector<const person*> chain;
    const person* at = &away;
    while (at->is_away(now) && !at->away->deputy.empty()) {
        const person* next = people.person_with_handle(at->away->deputy);
        if (!next || next == &away || std::find(chain.begin(), chain.end(), next) != chain.end()) break;
        if (!able_to_decide(*next) || excluded_by(held, people, *next, now)) break;
        chain.push_back(next);
        at = next;
    }
    return chain;
}

// Whose right a deputy has used.
const decision* decided_in_place_of(const hold& held, const person& who)
{
    const auto found = std::find_if(held.decisions.begin(), held.decisions.end(), [&](const decision& d) {
        return std::find(d.in_place_of.begin(), d.in_place_of.end(), who.handle) != d.in_place_of.end();
    });
    return found == held.decisions.end() ? nullptr : &*found;
}

// When a step that has not begun, and names that person, will begin if nothing is skipped.
std::optional<time_point> asked_from(const hold& held, const directory& people, const person& who)
{
    std::optional<time_point> first;
    for (const demand& d : held.demands) {
        for (std::size_t i = d.steps_begun(); i < d.asks.steps.size(); ++i) {
            const time_point begins = beginning(held, d, i, people);
            if (!any_names(d.asks.steps[i].notify, held, people, who, {begins, begins})) continue;
            if (!fills_a_place(d.asks, held, people, who, {begins, begins})) continue;
            if (!first || begins < *first) first = begins;
            break;
        }
    }
    return first;
}

std::string list_of(const std::vector<place>& places)
{
    std::string text;
    for (const place& p : places) text += (text.empty() ? "" : ", ") + in_words(p.of);
    return text;
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
    case target::kind::initiator: return "This call is made on your behalf, and whoever it is made for may not decide it.";
    case target::kind::last_approver: return "You approved this agent's last call under this workflow, and this one needs somebody else.";
    case target::kind::where: return "The workflow excludes those of whom this is true: " + t.name + ".";
    }
    return "The workflow excludes you.";
}

bool same_question(const workflow& a, const workflow& b)
{
    // `via` only says how people are told, `for` and `within` only when: neither changes who is asked.
    return a.places == b.places && std::equal(a.steps.begin(), a.steps.end(), b.steps.begin(), b.steps.end(),
                                              [](const workflow_step& x, const workflow_step& y) { return x.notify == y.notify; });
}

const demand* demand_of(const hold& held, const std::string& name)
{
    const auto found = std::find_if(held.demands.begin(), held.demands.end(), [&](const demand& d) { return d.asks.name == name; });
    return found == held.demands.end() ? nullptr : &*found;
}

// An approval with those whose right it is: who decided, and whose place that was.
struct counted {
    const decision* given = nullptr;
    std::vector<const person*> by;
};

// Whether a decision counts in a workflow as it is now, in that place of it where it has places.
bool counts_now(const hold& held, const counted& c, const workflow& now, const target* place, const directory& people)
{
    const decision& given = *c.given;
    const demand* known = demand_of(held, now.name);
    if (known && same_question(known->asks, now)) {
        const std::string entry = place ? place_entry(now.name, *place) : now.name;
        return std::find(given.counts_in.begin(), given.counts_in.end(), entry) != given.counts_in.end();
    }
    // It was never asked by these steps, so it counts as if they had been the hold's: those begun by then.
    time_point turn = held.created_at;
    for (const workflow_step& s : now.steps) {
        const auto [begins, ends] = span_from(s, people, turn);
        if (begins > given.at) return false;
        for (const person* who : c.by)
            if (any_names(s.notify, held, people, *who, {begins, given.at}) &&
                (!place || means(*place, held, people, *who, {begins, given.at})))
                return able_to_decide(*c.by.front());
        turn = ends;
    }
    return false;
}

// `not` that the hold knew was obeyed when the decision was taken; what is new is asked now.
bool newly_excluded(const hold& held, std::span<const workflow> demanded, const directory& people, const person& who, time_point now)
{
    for (const workflow& w : demanded)
        for (const target& t : w.not_) {
            const bool known = std::any_of(held.demands.begin(), held.demands.end(), [&](const demand& d) {
                // Who approved last is another with each workflow.
                if (t.kind == target::kind::last_approver && d.asks.name != w.name) return false;
                return std::find(d.asks.not_.begin(), d.asks.not_.end(), t) != d.asks.not_.end();
            });
            if (!known && excludes(t, demand_of(held, w.name), held, people, who, now)) return true;
        }
    return false;
}

// Whoever could read it and not decide it is not reached.
bool inbox_reaches(const hold& held, const person& who)
{
    return who.has_passkey || (who.has_account && held.assurance_needed() <= assurance::session);
}

}  // namespace

bool means(const target& t, const hold& held, const directory& people, const person& who, const shifts& when)
{
    switch (t.kind) {
    case target::kind::owner:
    case target::kind::initiator: return directory::owned_by(held.owner, who);
    case target::kind::person: return who.handle == t.name;
    case target::kind::team: return who.in_team(t.name);
    case target::kind::schedule: {
        const schedule* on_call = people.schedule_named(t.name);
        return on_call && on_call->was_on_call(who.handle, when.since, when.until);
    }
    case target::kind::last_approver: return false;  // of `not` alone
    case target::kind::where: return is_true(t, held, people, who).value_or(false);
    }
    return false;
}

bool excluded(const hold& held, const directory& people, const person& who, time_point now)
{
    return excluded_by(held, people, who, now) != nullptr;
}

std::vector<const person*> represented_by(const hold& held, const directory& people, const person& who, time_point now)
{
    std::vector<const person*> all;
    if (!people.anybody_away()) return all;
    for (const person& p : people.people()) {
        if (p.id == who.id || !p.is_away(now) || !able_to_decide(p)) continue;
        const auto chain = deputies_of(held, people, p, now);
        const bool stands_in = std::any_of(chain.begin(), chain.end(), [&](const person* d) { return d->id == who.id; });
        if (stands_in && !excluded(held, people, p, now)) all.push_back(&p);
    }
    return all;
}

entitlement entitled(const hold& held, const directory& people, const person& who, time_point now)
{
    entitlement given;
    if (!able_to_decide(who) || excluded(held, people, who, now)) return given;
    if (!decided_in_place_of(held, who)) given.counts_in = own_entries(held, people, who, now);
    for (const person* away : represented_by(held, people, who, now)) {
        if (held.decided_by(away->id) || decided_in_place_of(held, *away)) continue;
        bool needed = false;
        for (std::string& entry : own_entries(held, people, *away, now)) {
            if (std::find(given.counts_in.begin(), given.counts_in.end(), entry) != given.counts_in.end()) continue;
            given.counts_in.push_back(std::move(entry));
            needed = true;
        }
        if (needed) given.in_place_of.push_back(away->handle);
    }
    return given;
}

std::vector<person_id> reached_by(const hold& held, const workflow& asked, std::size_t step, const directory& people, const shifts& when)
{
    std::vector<person_id> reached;
    const std::vector<target>& whom = asked.steps.at(step).notify;
    for (const person& p : people.people()) {
        if (!able_to_decide(p) || !any_names(whom, held, people, p, when) || !fills_a_place(asked, held, people, p, when)) continue;
        if (excluded(held, people, p, when.until)) continue;
        const person* who = &p;
        if (p.is_away(when.until)) {
            const auto chain = deputies_of(held, people, p, when.until);
            const auto there = std::find_if(chain.begin(), chain.end(), [&](const person* d) { return !d->is_away(when.until); });
            if (there == chain.end()) continue;
            who = *there;
        }
        if (inbox_reaches(held, *who) && std::find(reached.begin(), reached.end(), who->id) == reached.end()) reached.push_back(who->id);
    }
    return reached;
}

glass may_break_glass(const hold& held, const directory& people, const person& who, time_point now)
{
    const auto no = [](std::string why) { return glass{{}, std::move(why)}; };
    if (held.status != hold_status::held) return no("This hold is no longer open: it is " + std::string(name_of(held.status)) + ".");
    if (held.denied()) return no("It was denied, and no glass is broken against a denial.");
    if (!able_to_decide(who)) return no("Only an active approver may break the glass.");
    if (held.decided_by(who.id)) return no("You have decided already: take that back first.");
    glass broken;
    for (const demand& d : held.demands) {
        if (any_names(d.asks.break_glass, held, people, who, {now, now}))
            broken.counts_in.push_back(glass_entry(d.asks.name));
        else if (!held.satisfied(d))
            return no("The workflow " + d.asks.name + " does not name you among those who may break the glass.");
    }
    if (broken.counts_in.empty()) return no("Nobody's glass is here to be broken.");
    return broken;
}

std::vector<person_id> concerned(const hold& held, const directory& people, time_point now)
{
    std::vector<person_id> all;
    const agent* by = people.find(held.agent);
    for (const person& p : people.people()) {
        if (p.status != person_status::active) continue;
        bool is = directory::owned_by(held.owner, p) || (by && directory::owned_by(by->owner, p)) || held.decided_by(p.id);
        for (const demand& d : held.demands) {
            is = is || any_names(d.asks.break_glass, held, people, p, {now, now});
            for (const workflow_step& s : d.asks.steps) is = is || any_names(s.notify, held, people, p, {held.created_at, now});
        }
        if (is) all.push_back(p.id);
    }
    return all;
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
    std::vector<const person*> through{&who};
    for (const person* away : represented_by(held, people, who, until)) through.push_back(away);
    for (const demand& d : held.demands) {
        if (any_names(d.asks.break_glass, held, people, who, {held.created_at, until})) return true;
        for (std::size_t i = 0; i < d.asks.steps.size(); ++i) {
            const time_point begins = beginning(held, d, i, people);
            for (const person* p : through)
                if (any_names(d.asks.steps[i].notify, held, people, *p, {begins, std::max(begins, until)})) return true;
        }
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
    if (const decision* d = decided_in_place_of(held, who)) {
        const person* by = people.find(d->by);
        return (by ? by->name : "Your deputy") + " has decided in your place.";
    }
    if (const auto from = asked_from(held, people, who)) return "You are asked from " + format_rfc3339(*from) + " on, if it is open then.";
    for (const demand& d : held.demands)
        if (asked(held, d, people, who, now) && !d.asks.places.empty())
            return "You were asked, but the workflow " + d.asks.name + " wants approvals of others: " + list_of(d.asks.places) + ".";
    return "You are not asked about this.";
}

bool satisfied_by_new_demands(const hold& held, std::span<const workflow> demanded, const directory& people, time_point now)
{
    // A demand of nothing is satisfied by nobody: `hold` without a workflow does not happen.
    if (demanded.empty() || held.denied()) return false;
    auto assurance_needed = assurance::click;
    for (const workflow& w : demanded) assurance_needed = std::max(assurance_needed, w.assurance);

    const auto stands = [&](const person* p) { return p && p->status == person_status::active; };
    std::vector<counted> approvals;
    const person* broke_glass = nullptr;
    for (const decision& d : held.decisions) {
        const person* who = people.find(d.by);
        if (!stands(who) || d.assurance < assurance_needed) continue;
        if (d.break_glass) {
            if (d.assurance == assurance::passkey && able_to_decide(*who)) broke_glass = who;
            continue;
        }
        const bool twice = std::any_of(approvals.begin(), approvals.end(), [&](const counted& c) { return c.given->by == d.by; });
        if (twice || newly_excluded(held, demanded, people, *who, now)) continue;
        counted c{&d, {who}};
        bool all_stand = true;
        for (const std::string& handle : d.in_place_of) {
            const person* away = people.person_with_handle(handle);
            all_stand = all_stand && stands(away) && !newly_excluded(held, demanded, people, *away, now);
            c.by.push_back(away);
        }
        if (all_stand) approvals.push_back(std::move(c));
    }
    return std::all_of(demanded.begin(), demanded.end(), [&](const workflow& w) {
        if (broke_glass && any_names(w.break_glass, held, people, *broke_glass, {now, now})) return true;
        quorum q(w);
        for (const counted& c : approvals) q.add([&](const target* place) { return counts_now(held, c, w, place, people); });
        return q.reached();
    });
}

bool satisfied_by_grant(const hold& granted, std::string_view grant_terms, const hold& call, std::span<const workflow> demanded,
                        const directory& people, time_point now)
{
    const auto barred = [&](const person& who) {
        return std::any_of(demanded.begin(), demanded.end(), [&](const workflow& w) {
            return std::any_of(w.not_.begin(), w.not_.end(), [&](const target& t) {
                // Who signed it approved the last such call, and would approve the next by it.
                return t.kind == target::kind::last_approver || excludes(t, demand_of(call, w.name), call, people, who, now);
            });
        });
    };
    hold signed_only = granted;
    std::erase_if(signed_only.decisions, [&](const decision& d) {
        if (d.kind != decision_kind::approve || d.grant != grant_terms || d.assurance != assurance::passkey) return true;
        // Whose place it was as well, for it was their right.
        std::vector<const person*> whose{people.find(d.by)};
        for (const std::string& handle : d.in_place_of) whose.push_back(people.person_with_handle(handle));
        return std::any_of(whose.begin(), whose.end(), [&](const person* who) { return !who || !able_to_decide(*who) || barred(*who); });
    });
    return satisfied_by_new_demands(signed_only, demanded, people, now);
}

}  // namespace sallyport
