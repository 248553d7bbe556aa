#include "workflows/hold_step.hpp"

#include "workflows/eligibility.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sallyport {
namespace {

// Between two attempts to send: doubled each time. Attempts end with `release_by`, so there is no last one.
constexpr duration first_pause = std::chrono::milliseconds(250);
constexpr duration longest_pause = std::chrono::seconds(5);

duration pause_after(int attempts) noexcept
{
    duration pause = first_pause;
    for (int i = 1; i < attempts && pause < longest_pause; ++i) pause *= 2;
    return std::min(pause, longest_pause);
}

refused no_longer_open(const hold& held)
{
    return refused{problem::hold_closed, "This hold is no longer open: it is " + std::string(name_of(held.status)) + "."};
}

moved to(const hold& held, hold next)
{
    next.version = held.version + 1;
    return moved{std::move(next), {effects::tell_changed{held.id}}};
}

moved closed_as(const hold& held, hold next, hold_status end, time_point now)
{
    next.status = end;
    next.closed_at = now;
    next.wake_at.reset();
    next.release_by.reset();
    return to(held, std::move(next));
}

moved closed_as(const hold& held, hold_status end, time_point now, std::string detail = {})
{
    hold next = held;
    next.detail = std::move(detail);
    return closed_as(held, std::move(next), end, now);
}

bool all_satisfied(const hold& h)
{
    return std::all_of(h.demands.begin(), h.demands.end(), [&](const demand& d) { return h.satisfied(d); });
}

bool last_step_begun(const demand& d) noexcept { return d.step + 1 >= d.asks.steps.size(); }

bool has_begun(const demand& d) noexcept { return d.step_ends_at != time_point{}; }

// When a schedule that a step begun names changes hands, next after those whom it has told.
std::optional<time_point> next_hand_over(const hold& h, const demand& d, const directory& people)
{
    std::optional<time_point> next;
    for (std::size_t i = 0; i <= d.step && i < d.asks.steps.size(); ++i)
        for (const target& t : d.asks.steps[i].notify) {
            const schedule* on_call = t.kind == target::kind::schedule ? people.schedule_named(t.name) : nullptr;
            const auto at = on_call ? on_call->next_change(std::max(beginning(h, d, i), d.told_until)) : std::nullopt;
            if (at && (!next || *at < *next)) next = at;
        }
    return next;
}

// When those of the step that has begun last are reminded next. The next step, or the end, comes instead of a reminder.
std::optional<time_point> next_reminder(const hold& h, const demand& d)
{
    if (d.step >= d.asks.steps.size()) return std::nullopt;
    const duration every = d.asks.steps[d.step].remind;
    if (every <= duration{}) return std::nullopt;
    const time_point at = beginning(h, d, d.step) + every * (d.reminders + 1);
    return at < d.step_ends_at ? std::optional(at) : std::nullopt;
}

// Escalation rests while a workflow has what it needs; time goes on, so that one whose approval is taken back catches up.
time_point next_wake(const hold& h, const directory& people)
{
    time_point wake = h.expires_at;
    for (const demand& d : h.demands) {
        if (h.satisfied(d)) continue;
        if (!last_step_begun(d)) wake = std::min(wake, d.step_ends_at);
        if (const auto at = next_hand_over(h, d, people)) wake = std::min(wake, *at);
        if (const auto at = next_reminder(h, d)) wake = std::min(wake, *at);
    }
    return wake;
}

// Begins `d.step` at `at`, and while a step reaches nobody the next one in its place (semantics.md "Holding").
void begin_step(hold& h, demand& d, time_point at, const directory& people, std::vector<effect>& effects)
{
    for (;; ++d.step) {
        const workflow_step& begun = d.asks.steps[d.step];
        // The last step lasts as long as the hold: what skipped ones did not use is not lost.
        d.step_ends_at = last_step_begun(d) ? h.expires_at : std::min(at + begun.for_, h.expires_at);
        d.begun.resize(d.step, h.created_at);  // in a hold of an earlier release the first ones are missing
        d.begun.push_back(at);
        d.reminders = 0;
        const auto reached = reached_by(h, begun, people, {at, at});
        if (!reached.empty()) {
            d.reached = true;
            effects.push_back(effects::tell_people{h.id, reached, begun.via});
            return;
        }
        if (last_step_begun(d)) return;
    }
}

bool names_schedule(const workflow_step& s)
{
    return std::any_of(s.notify.begin(), s.notify.end(), [](const target& t) { return t.kind == target::kind::schedule; });
}

// Tells whoever is on call now.
void hand_over(const hold& h, demand& d, time_point now, const directory& people, std::vector<effect>& effects)
{
    for (std::size_t i = 0; i <= d.step && i < d.asks.steps.size(); ++i) {
        const workflow_step& begun = d.asks.steps[i];
        if (!names_schedule(begun)) continue;
        auto reached = reached_by(h, begun, people, {now, now});
        if (reached.empty()) continue;
        d.reached = true;
        effects.push_back(effects::tell_people{h.id, std::move(reached), begun.via});
    }
    d.told_until = now;
}

// Whatever was slept through is one reminder.
bool remind(const hold& h, demand& d, time_point now, const directory& people, std::vector<effect>& effects)
{
    bool due = false;
    for (auto at = next_reminder(h, d); at && *at <= now; at = next_reminder(h, d)) {
        ++d.reminders;
        due = true;
    }
    if (!due) return false;
    const workflow_step& begun = d.asks.steps[d.step];
    effects::remind_people again{h.id, {}, begun.via};
    for (const person_id id : reached_by(h, begun, people, {beginning(h, d, d.step), std::max(beginning(h, d, d.step), d.told_until)}))
        if (!h.decided_by(id)) again.people.push_back(id);
    if (!again.people.empty()) effects.push_back(std::move(again));
    return true;
}

class transition {
public:
    transition(const hold& held, const directory& people, time_point now) : held_(held), people_(people), now_(now) {}

    outcome operator()(const happened::opened&) const
    {
        if (held_.status != hold_status::held) return no_longer_open(held_);
        for (const demand& d : held_.demands)
            if (has_begun(d)) return unchanged{};  // it was opened before
        hold next = held_;
        std::vector<effect> effects;
        for (demand& d : next.demands) {
            d.told_until = held_.created_at;
            if (!d.asks.steps.empty()) begin_step(next, d, held_.created_at, people_, effects);
            // Without anybody for one of its workflows the hold can never be approved.
            if (!d.reached) return closed_as(held_, std::move(next), hold_status::undeliverable, now_);
        }
        next.wake_at = next_wake(next, people_);
        moved opened = to(held_, std::move(next));
        opened.effects.insert(opened.effects.begin(), effects.begin(), effects.end());
        return opened;
    }

    outcome operator()(const happened::granted& g) const
    {
        if (held_.status != hold_status::held) return no_longer_open(held_);
        for (const demand& d : held_.demands)
            if (has_begun(d)) return refused{problem::internal_error, "People are being asked already."};
        hold next = held_;
        next.grant = g.by;
        return approved(std::move(next), g.release_window);
    }

    outcome operator()(const happened::woke&) const
    {
        switch (held_.status) {
        case hold_status::held: return woke_held();
        case hold_status::approved: return woke_approved();
        case hold_status::releasing:
        case hold_status::released:
        case hold_status::denied:
        case hold_status::expired:
        case hold_status::withdrawn:
        case hold_status::undeliverable:
        case hold_status::void_:
        case hold_status::unknown: return unchanged{};
        }
        return unchanged{};
    }

    outcome operator()(const happened::decided& d) const
    {
        if (held_.status != hold_status::held) return no_longer_open(held_);
        // The deadline counts, not the timer: the wake-up may come late.
        if (now_ >= held_.expires_at) return closed_as(held_, hold_status::expired, now_);
        const person* who = people_.find(d.given.by);
        if (!who) return refused{problem::not_eligible, "This person is not known here."};
        if (auto why = why_not(held_, people_, *who, now_)) return refused{problem::not_eligible, std::move(*why)};
        if (d.given.assurance < held_.assurance_needed())
            return refused{problem::assurance_too_low, "This decision needs " + std::string(name_of(held_.assurance_needed())) + "."};

        hold next = held_;
        decision& given = next.decisions.emplace_back(d.given);
        given.at = now_;
        given.counts_in = counts_in(held_, people_, *who, now_);
        if (given.kind == decision_kind::deny) {
            next.decided_at = now_;
            return closed_as(held_, std::move(next), hold_status::denied, now_);
        }
        if (!all_satisfied(next)) {
            next.wake_at = next_wake(next, people_);
            return to(held_, std::move(next));
        }
        return approved(std::move(next), d.release_window);
    }

    outcome operator()(const happened::taken_back& t) const
    {
        if (held_.status != hold_status::held) return no_longer_open(held_);
        if (now_ >= held_.expires_at) return closed_as(held_, hold_status::expired, now_);
        const auto mine = std::find_if(held_.decisions.begin(), held_.decisions.end(), [&](const decision& d) { return d.id == t.which; });
        if (mine == held_.decisions.end()) return refused{problem::not_found, "This hold has no such decision."};
        if (mine->by != t.by) return refused{problem::not_eligible, "Only who took a decision may take it back."};
        hold next = held_;
        next.decisions.erase(next.decisions.begin() + (mine - held_.decisions.begin()));
        next.wake_at = next_wake(next, people_);
        return to(held_, std::move(next));
    }

    outcome operator()(const happened::withdrawn&) const
    {
        if (!may_follow(held_.status, hold_status::withdrawn)) return no_longer_open(held_);
        if (held_.maybe_sent) return refused{problem::hold_closed, "It may have been sent already."};
        return closed_as(held_, hold_status::withdrawn, now_);
    }

    outcome operator()(const happened::voided& v) const
    {
        if (!may_follow(held_.status, hold_status::void_) || held_.status == hold_status::releasing) return no_longer_open(held_);
        // Sent is sent, whoever no longer stands behind it.
        return closed_as(held_, held_.maybe_sent ? hold_status::unknown : hold_status::void_, now_, v.why);
    }

    outcome operator()(const happened::claimed&) const
    {
        if (held_.status != hold_status::approved) return no_longer_open(held_);
        if (window_is_over()) return too_late();
        // Whatever a row may say: nothing is sent without the approvals.
        if (held_.demands.empty() || held_.denied() || (!held_.grant && !all_satisfied(held_)))
            return refused{problem::internal_error, "The approvals do not satisfy the workflow."};
        hold next = held_;
        next.status = hold_status::releasing;
        next.wake_at.reset();
        return to(held_, std::move(next));
    }

    outcome operator()(const happened::sent_nothing& s) const
    {
        if (held_.status != hold_status::releasing) return no_longer_open(held_);
        if (window_is_over()) return too_late();
        return tried_again(held_, s.why);
    }

    outcome operator()(const happened::answered& a) const
    {
        if (held_.status != hold_status::releasing) return no_longer_open(held_);
        hold next = held_;
        next.detail.clear();
        next.outcome = hold_outcome{a.status, now_};
        return closed_as(held_, std::move(next), hold_status::released, now_);
    }

    outcome operator()(const happened::lost& l) const
    {
        if (held_.status != hold_status::releasing) return no_longer_open(held_);
        hold sent = held_;
        sent.maybe_sent = true;
        if (l.again && !window_is_over()) return tried_again(std::move(sent), l.why);
        sent.detail = l.why;
        return closed_as(held_, std::move(sent), hold_status::unknown, now_);
    }

    outcome operator()(const happened::denied_by_operator& d) const
    {
        if (held_.status != hold_status::held) return no_longer_open(held_);
        if (now_ >= held_.expires_at) return closed_as(held_, hold_status::expired, now_);
        hold next = held_;
        next.decided_at = now_;
        next.detail = d.reason;
        return closed_as(held_, std::move(next), hold_status::denied, now_);
    }

private:
    moved approved(hold next, duration release_window) const
    {
        next.status = hold_status::approved;
        next.decided_at = now_;
        next.release_by = now_ + release_window;
        next.wake_at = next.release_by;
        moved ready = to(held_, std::move(next));
        ready.effects.push_back(effects::release_action{held_.id});
        return ready;
    }

    outcome woke_held() const
    {
        if (now_ >= held_.expires_at) return closed_as(held_, hold_status::expired, now_);
        hold next = held_;
        std::vector<effect> effects;
        bool escalates = false;
        for (demand& d : next.demands) {
            // As if every wake-up had come in time: a step begins when the one before it ended.
            while (!last_step_begun(d) && !next.satisfied(d) && d.step_ends_at <= now_) {
                const time_point at = d.step_ends_at;
                ++d.step;
                begin_step(next, d, at, people_, effects);
                escalates = true;
            }
            const auto hands_over = next.satisfied(d) ? std::nullopt : next_hand_over(next, d, people_);
            if (hands_over && *hands_over <= now_) {
                hand_over(next, d, now_, people_, effects);
                escalates = true;
            }
            if (!next.satisfied(d) && remind(next, d, now_, people_, effects)) escalates = true;
        }
        next.wake_at = next_wake(next, people_);
        if (!escalates && next.wake_at == held_.wake_at) return unchanged{};
        moved escalated = to(held_, std::move(next));
        escalated.effects.insert(escalated.effects.begin(), effects.begin(), effects.end());
        return escalated;
    }

    outcome woke_approved() const
    {
        if (window_is_over()) return too_late();
        if (held_.wake_at && now_ < *held_.wake_at) return unchanged{};
        hold next = held_;
        next.wake_at = held_.release_by;
        next.version = held_.version + 1;
        // The status is the same: nobody but a releaser needs to know.
        return moved{std::move(next), {effects::release_action{held_.id}}};
    }

    moved tried_again(hold next, std::string why) const
    {
        next.status = hold_status::approved;
        next.attempts = held_.attempts + 1;
        next.detail = std::move(why);
        next.wake_at = std::min(now_ + pause_after(next.attempts), *held_.release_by);
        return to(held_, std::move(next));
    }

    bool window_is_over() const { return !held_.release_by || now_ >= *held_.release_by; }

    moved too_late() const
    {
        if (held_.maybe_sent) return closed_as(held_, hold_status::unknown, now_, "no whole answer was seen");
        return closed_as(held_, hold_status::void_, now_, "upstream-unreachable");
    }

    const hold& held_;
    const directory& people_;
    time_point now_;
};

}  // namespace

bool may_follow(hold_status from, hold_status to) noexcept
{
    using enum hold_status;
    switch (from) {
    case held: return to == approved || to == denied || to == expired || to == withdrawn || to == undeliverable || to == void_;
    // Unknown where it may have been sent before.
    case approved: return to == releasing || to == withdrawn || to == void_ || to == unknown;
    // Void only where nothing was sent and there is no time left to try again.
    case releasing: return to == released || to == unknown || to == approved || to == void_;
    case released:
    case denied:
    case expired:
    case withdrawn:
    case undeliverable:
    case void_:
    case unknown: return false;
    }
    return false;
}

hold make_hold(hold_id id, action_id action, const agent& by, std::string route, std::vector<reason> reasons,
               std::vector<workflow> demanded, time_point now)
{
    hold made;
    made.id = id;
    made.action = action;
    made.agent = by.id;
    made.owner = by.owner;
    made.route = std::move(route);
    made.reasons = std::move(reasons);
    made.created_at = now;
    duration shortest = demanded.empty() ? duration{} : demanded.front().length();
    for (workflow& w : demanded) {
        shortest = std::min(shortest, w.length());
        made.demands.push_back(demand{std::move(w)});
    }
    made.expires_at = now + shortest;
    made.wake_at = made.expires_at;
    return made;
}

int next_slot(const hold& h) noexcept
{
    const auto approvals =
        std::count_if(h.decisions.begin(), h.decisions.end(), [](const decision& d) { return d.kind == decision_kind::approve; });
    return static_cast<int>(approvals) + 1;
}

outcome step(const hold& held, const event& what, const directory& people, time_point now)
{
    return std::visit(transition(held, people, now), what);
}

}  // namespace sallyport
