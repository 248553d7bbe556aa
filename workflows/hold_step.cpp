#include "workflows/hold_step.hpp"

#include "workflows/eligibility.hpp"

#include <algorithm>
#include <set>

namespace sallyport {
namespace {

using namespace std::chrono_literals;

// Between two attempts to reach an upstream: doubling, never longer than this.
constexpr duration first_pause = 500ms;
constexpr duration longest_pause = 10s;

step_outcome no(problem what, std::string detail) { return refused{fail(what, std::move(detail))}; }

step_outcome close(hold next, hold_status status, time_point now)
{
    next.status = status;
    next.closed_at = now;
    next.wake_at.reset();
    next.release_by.reset();
    return moved{std::move(next), {}};
}

std::set<person_id> asked_by(const directory& all, const hold& h)
{
    std::set<person_id> asked;
    for (const person& p : all.people())
        if (reachable(p) && std::any_of(h.demands.begin(), h.demands.end(), [&](const demand& d) { return eligible(all, h, d, p); }))
            asked.insert(p.id);
    return asked;
}

// Whether the step that has begun last told somebody who may decide.
bool step_reaches_somebody(const directory& all, const hold& h, const demand& d)
{
    hold only_this = h;
    demand alone = d;
    alone.asks.steps = {d.asks.steps[d.step]};
    alone.step = 0;
    return std::any_of(all.people().begin(), all.people().end(),
                       [&](const person& p) { return reachable(p) && eligible(all, only_this, alone, p); });
}

// Begins steps of one demand from `d.step` on, until one reaches somebody or none is left; true if one did.
bool begin_step(const directory& all, const hold& h, demand& d, time_point now)
{
    for (;; ++d.step) {
        if (step_reaches_somebody(all, h, d)) {
            d.reached = true;
            d.step_ends_at = now + d.asks.steps[d.step].for_;
            return true;
        }
        if (d.step + 1 == d.asks.steps.size()) return false;
    }
}

void set_wake(hold& h)
{
    auto earliest = h.expires_at;
    for (const demand& d : h.demands)
        if (d.step + 1 < d.asks.steps.size()) earliest = std::min(earliest, d.step_ends_at);
    h.wake_at = earliest;
}

step_outcome asked_further(const directory& all, const hold& before, hold next)
{
    set_wake(next);
    const auto known = asked_by(all, before);
    hold_effect::ask effect;
    for (const person_id who : asked_by(all, next))
        if (!known.contains(who)) effect.people.push_back(who);
    moved result{std::move(next), {}};
    if (!effect.people.empty()) result.effects.emplace_back(std::move(effect));
    return result;
}

step_outcome on(const hold& h, const hold_event::opened&, const directory& all, time_point now)
{
    if (h.status != hold_status::held) return unchanged{};
    hold next = h;
    for (demand& d : next.demands)
        if (!begin_step(all, next, d, now)) {
            next.detail = "nobody whom the workflow " + d.asks.name + " names can be told";
            return close(std::move(next), hold_status::undeliverable, now);
        }
    // Nobody was asked before: everybody who may decide now is new.
    set_wake(next);
    hold_effect::ask effect;
    for (const person_id who : asked_by(all, next)) effect.people.push_back(who);
    return moved{std::move(next), {std::move(effect)}};
}

step_outcome on(const hold& h, const hold_event::woke&, const directory& all, time_point now)
{
    if (h.status != hold_status::held) return unchanged{};
    if (now >= h.expires_at) return close(h, hold_status::expired, now);
    hold next = h;
    bool begun = false;
    for (demand& d : next.demands)
        while (now >= d.step_ends_at && d.step + 1 < d.asks.steps.size()) {
            const time_point at = d.step_ends_at;
            ++d.step;
            begun = true;
            // The last steps reach nobody: those asked before may still decide, until the hold expires.
            if (!begin_step(all, next, d, at)) d.step_ends_at = next.expires_at;
        }
    if (!begun) return unchanged{};
    return asked_further(all, h, std::move(next));
}

step_outcome on(const hold& h, const hold_event::decided& event, const directory& all, time_point now)
{
    if (h.status != hold_status::held) return no(problem::hold_closed, "This hold is " + std::string(name_of(h.status)) + ".");
    // The deadline counts, not the timer: the wake-up may come late.
    if (now >= h.expires_at) return no(problem::hold_closed, "This hold has expired.");
    const person* who = all.find_person(event.made.by);
    if (!who) return no(problem::not_eligible, "This person is not known.");
    if (auto why = why_not(all, h, *who)) return no(problem::not_eligible, std::move(*why));
    if (event.made.assurance < h.assurance_needed())
        return no(problem::assurance_too_low, "This decision needs " + std::string(name_of(h.assurance_needed())) + ".");

    hold next = h;
    decision made = event.made;
    made.counts_in = counts_in(all, h, *who);
    made.at = now;
    next.decisions.push_back(std::move(made));
    if (event.made.kind == decision_kind::deny) {
        next.decided_at = now;
        return close(std::move(next), hold_status::denied, now);
    }
    const bool enough = std::all_of(next.demands.begin(), next.demands.end(), [&](const demand& d) { return next.satisfied(d); });
    if (!enough) return moved{std::move(next), {}};
    next.status = hold_status::approved;
    next.decided_at = now;
    next.wake_at.reset();
    next.release_by = now + event.release_window;
    return moved{std::move(next), {hold_effect::release{}}};
}

step_outcome on(const hold& h, const hold_event::taken_back& event, const directory&, time_point)
{
    if (h.status != hold_status::held) return no(problem::hold_closed, "This hold is " + std::string(name_of(h.status)) + ".");
    hold next = h;
    const auto removed = std::erase_if(next.decisions, [&](const decision& d) { return d.id == event.which && d.by == event.by; });
    if (removed == 0) return no(problem::not_found, "You have made no such decision of this hold.");
    return moved{std::move(next), {}};
}

step_outcome on(const hold& h, const hold_event::withdrawn&, const directory&, time_point now)
{
    if (h.status != hold_status::held) return no(problem::hold_closed, "This hold is " + std::string(name_of(h.status)) + ".");
    return close(h, hold_status::withdrawn, now);
}

step_outcome on(const hold& h, const hold_event::denied_by_operator& event, const directory&, time_point now)
{
    if (h.status != hold_status::held) return no(problem::hold_closed, "This hold is " + std::string(name_of(h.status)) + ".");
    hold next = h;
    next.decided_at = now;
    next.detail = event.reason;
    return close(std::move(next), hold_status::denied, now);
}

step_outcome on(const hold& h, const hold_event::voided& event, const directory&, time_point now)
{
    if (h.status != hold_status::held && h.status != hold_status::approved) return unchanged{};
    hold next = h;
    next.detail = event.why;
    return close(std::move(next), hold_status::void_, now);
}

step_outcome on(const hold& h, const hold_event::claimed&, const directory&, time_point now)
{
    if (h.status != hold_status::approved) return unchanged{};
    if (h.release_by && now >= *h.release_by) {
        hold next = h;
        next.detail = h.attempts > 0 ? "upstream-unreachable" : "it could not be released in time";
        return close(std::move(next), hold_status::void_, now);
    }
    hold next = h;
    next.status = hold_status::releasing;
    return moved{std::move(next), {}};
}

step_outcome on(const hold& h, const hold_event::sent_nothing&, const directory&, time_point now)
{
    if (h.status != hold_status::releasing) return unchanged{};
    hold next = h;
    ++next.attempts;
    duration pause = first_pause;
    for (int i = 1; i < next.attempts && pause < longest_pause; ++i) pause *= 2;
    const time_point again = now + std::min(pause, longest_pause);
    if (!next.release_by || again >= *next.release_by) {
        next.detail = facts(problem::upstream_unreachable).name;
        return close(std::move(next), hold_status::void_, now);
    }
    next.status = hold_status::approved;
    next.wake_at = again;
    return moved{std::move(next), {}};
}

step_outcome on(const hold& h, const hold_event::answered& event, const directory&, time_point now)
{
    if (h.status != hold_status::releasing) return unchanged{};
    hold next = h;
    next.outcome = hold_outcome{event.status, now};
    return close(std::move(next), hold_status::released, now);
}

step_outcome on(const hold& h, const hold_event::lost& event, const directory&, time_point now)
{
    if (h.status != hold_status::releasing) return unchanged{};
    hold next = h;
    next.detail = event.why;
    return close(std::move(next), hold_status::unknown, now);
}

}  // namespace

step_outcome step(const hold& h, const any_hold_event& event, const directory& all, time_point now)
{
    return std::visit([&](const auto& e) { return on(h, e, all, now); }, event);
}

hold make_hold(new_hold_facts f, time_point now)
{
    hold made;
    made.id = f.id;
    made.action = f.action;
    made.agent = f.agent;
    made.owner = std::move(f.owner);
    made.route = std::move(f.route);
    made.reasons = std::move(f.reasons);
    made.created_at = now;
    auto shortest = duration::max();
    for (workflow& w : f.workflows) {
        shortest = std::min(shortest, w.length());
        made.demands.push_back({std::move(w), 0, now, false});
    }
    made.expires_at = now + shortest;
    made.wake_at = made.expires_at;
    return made;
}

bool still_satisfied(const hold& h, std::span<const workflow> now_demanded, const directory& all)
{
    for (const workflow& w : now_demanded) {
        hold asked = h;
        asked.demands = {demand{w, w.steps.empty() ? 0 : w.steps.size() - 1, {}, true}};
        int given = 0;
        for (const decision& d : h.decisions) {
            if (d.kind != decision_kind::approve || d.assurance < w.assurance) continue;
            const person* who = all.find_person(d.by);
            if (!who || who->status != person_status::active || excluded(all, asked, *who)) continue;
            // Eligible then, by the workflow of that name, or eligible now, by any step.
            const bool then = std::find(d.counts_in.begin(), d.counts_in.end(), w.name) != d.counts_in.end();
            if (then || eligible(all, asked, asked.demands.front(), *who)) ++given;
        }
        if (given < w.approvals) return false;
    }
    return true;
}

}  // namespace sallyport
