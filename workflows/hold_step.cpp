#include "workflows/hold_step.hpp"

#include "workflows/eligibility.hpp"
#include "workflows/step_telling.hpp"
#include "workflows/step_times.hpp"

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

bool names_schedule(const workflow_step& s)
{
    return std::any_of(s.notify.begin(), s.notify.end(), [](const target& t) { return t.kind == target::kind::schedule; });
}

bool names(const workflow_step& s, const hold& h, const directory& people, const person& who, time_point at)
{
    return std::any_of(s.notify.begin(), s.notify.end(), [&](const target& t) { return means(t, h, people, who, {at, at}); });
}

void take_earlier(std::optional<time_point>& to, std::optional<time_point> at)
{
    if (at && (!to || *at < *to)) to = at;
}

// When others are to be told by that step, next after `since`: a schedule that it names changes hands, or somebody whom it names
// goes away or comes back.
std::optional<time_point> next_change(const hold& h, const workflow_step& s, const directory& people, time_point since)
{
    std::optional<time_point> next;
    for (const target& t : s.notify)
        if (const schedule* on_call = t.kind == target::kind::schedule ? people.schedule_named(t.name) : nullptr)
            take_earlier(next, on_call->next_change(since));
    if (!people.anybody_away()) return next;
    for (const person& p : people.people()) {
        if (!p.away) continue;
        for (const time_point edge : {p.away->from, p.away->until})
            if (edge > since && names(s, h, people, p, edge)) take_earlier(next, edge);
    }
    return next;
}

// Whether whom that step reaches may have changed between the two.
bool changes(const hold& h, const workflow_step& s, const directory& people, time_point since, time_point until)
{
    if (names_schedule(s)) return true;
    const auto at = next_change(h, s, people, since);
    return at && *at <= until;
}

// When that is told next: at the change, or when the step's hours open after it.
std::optional<time_point> next_hand_over(const hold& h, const demand& d, const directory& people, time_point now)
{
    std::optional<time_point> next;
    for (std::size_t i = 0; i < d.steps_begun(); ++i) {
        const workflow_step& s = d.asks.steps[i];
        const time_point since = std::max(beginning(h, d, i, people), d.told_until);
        // Told of what came before `since`, but not by a step that was closed then.
        const bool owed = !is_open(s, people, since) && (names_schedule(s) || people.anybody_away());
        const auto at = owed ? std::optional(since) : next_change(h, s, people, since);
        if (!at) continue;
        const time_point told = next_open(s, people, *at);
        take_earlier(next, told <= now && !is_open(s, people, now) ? next_open(s, people, now) : told);
    }
    return next;
}

// When those of the step that has begun last are reminded next, within its hours. The next step, or the end, comes instead of a
// reminder.
std::optional<time_point> next_reminder(const hold& h, const demand& d, const directory& people, time_point now)
{
    if (d.step >= d.asks.steps.size() || d.waits_until) return std::nullopt;
    const workflow_step& s = d.asks.steps[d.step];
    if (s.remind <= duration{}) return std::nullopt;
    time_point at = next_open(s, people, time_after(s, people, beginning(h, d, d.step, people), s.remind * (d.reminders + 1)));
    if (at <= now) at = std::max(at, is_open(s, people, now) ? at : next_open(s, people, now));
    return at < d.step_ends_at ? std::optional(at) : std::nullopt;
}

// Escalation rests while a workflow has what it needs; time goes on, so that one whose approval is taken back catches up.
time_point next_wake(const hold& h, const directory& people, time_point now)
{
    time_point wake = h.expires_at;
    for (const demand& d : h.demands) {
        if (h.satisfied(d)) continue;
        if (d.waits_until)
            wake = std::min(wake, *d.waits_until);
        else if (!last_step_begun(d))
            wake = std::min(wake, d.step_ends_at);
        if (const auto at = next_hand_over(h, d, people, now)) wake = std::min(wake, *at);
        if (const auto at = next_reminder(h, d, people, now)) wake = std::min(wake, *at);
    }
    return wake;
}

// Begins `d.step`, whose turn came at `at`, and while a step reaches nobody the next one in its place (semantics.md "Holding").
// Outside its hours a step waits: nobody is told then, also where the gateway was away while it was open.
void begin_step(hold& h, demand& d, time_point at, time_point now, const audience& to, std::vector<effect>& effects)
{
    const directory& people = to.people;
    for (;; ++d.step) {
        const workflow_step& begun = d.asks.steps[d.step];
        step_span span = span_from(begun, people, at);
        if (span.begins <= now && !is_open(begun, people, now)) span = span_from(begun, people, now);
        // The last step lasts as long as the hold: what skipped ones did not use is not lost.
        d.step_ends_at = last_step_begun(d) ? h.expires_at : std::min(span.ends, h.expires_at);
        d.begun.resize(d.step, h.created_at);  // in a hold of an earlier release the first ones are missing
        d.reminders = 0;
        d.waits_until.reset();
        if (span.begins > now) {
            d.waits_until = span.begins;
            return;
        }
        at = span.begins;
        d.begun.push_back(at);
        if (tell(h, d, d.step, d.step, reached_by(h, d.asks, d.step, people, {at, at}), at, to, effects) || last_step_begun(d)) return;
    }
}

// Its steps have all had their turn, and reached nobody.
bool in_vain(const demand& d) { return !d.reached && !d.waits_until && last_step_begun(d); }

// Tells whoever is on call now, and represents those who are away.
void hand_over(const hold& h, demand& d, time_point now, const audience& to, std::vector<effect>& effects)
{
    const directory& people = to.people;
    for (std::size_t i = 0; i < d.steps_begun(); ++i) {
        const workflow_step& begun = d.asks.steps[i];
        const time_point since = std::max(beginning(h, d, i, people), d.told_until);
        if (!is_open(begun, people, now)) continue;
        if (is_open(begun, people, since) && !changes(h, begun, people, since, now)) continue;
        tell(h, d, i, d.steps_begun(), reached_by(h, d.asks, i, people, {now, now}), now, to, effects);
    }
    d.told_until = now;
}

// Whatever was slept through is one reminder.
bool remind(const hold& h, demand& d, time_point now, const directory& people, std::vector<effect>& effects)
{
    bool due = false;
    for (auto at = next_reminder(h, d, people, now); at && *at <= now; at = next_reminder(h, d, people, now)) {
        ++d.reminders;
        due = true;
    }
    if (!due) return false;
    const workflow_step& begun = d.asks.steps[d.step];
    const time_point began = beginning(h, d, d.step, people);
    effects::remind_people again{h.id, {}, begun.via};
    // Away is who is away now; on call is whoever was told.
    for (const person_id id : reached_by(h, d.asks, d.step, people, {began, std::max({began, d.told_until, now})}))
        if (!h.decided_by(id) && !went_past(d, d.step, id)) again.people.push_back(id);
    if (!again.people.empty()) effects.push_back(std::move(again));
    return true;
}

std::vector<std::string> every_channel(const hold& h)
{
    std::vector<std::string> all;
    for (const demand& d : h.demands)
        for (const workflow_step& s : d.asks.steps)
            for (const std::string& channel : s.via)
                if (std::find(all.begin(), all.end(), channel) == all.end()) all.push_back(channel);
    return all;
}

class transition {
public:
    transition(const hold& held, const directory& people, time_point now, const recent_asks& asks)
        : held_(held),
          people_(people),
          now_(now),
          audience_{people, asks}
    {
    }

    outcome operator()(const happened::opened&) const
    {
        if (held_.status != hold_status::held) return no_longer_open(held_);
        for (const demand& d : held_.demands)
            if (has_begun(d)) return unchanged{};  // it was opened before
        hold next = held_;
        for (const demand& d : next.demands)
            if (std::any_of(d.asks.steps.begin(), d.asks.steps.end(), [](const workflow_step& s) { return !s.within.empty(); }))
                next.expires_at = expiry_by_hours(next);
        std::vector<effect> effects;
        for (demand& d : next.demands) {
            d.told_until = held_.created_at;
            if (!d.asks.steps.empty()) begin_step(next, d, held_.created_at, held_.created_at, audience_, effects);
            // Without anybody for one of its workflows the hold can never be approved.
            if (d.asks.steps.empty() || in_vain(d)) return closed_as(held_, std::move(next), hold_status::undeliverable, now_);
        }
        next.wake_at = next_wake(next, people_, held_.created_at);
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
        entitlement of = entitled(held_, people_, *who, now_);
        given.counts_in = std::move(of.counts_in);
        given.in_place_of = std::move(of.in_place_of);
        if (given.kind == decision_kind::deny) {
            next.decided_at = now_;
            return closed_as(held_, std::move(next), hold_status::denied, now_);
        }
        if (!all_satisfied(next)) {
            next.wake_at = next_wake(next, people_, now_);
            return to(held_, std::move(next));
        }
        return approved(std::move(next), d.release_window);
    }

    outcome operator()(const happened::glass_broken& b) const
    {
        if (held_.status != hold_status::held) return no_longer_open(held_);
        if (now_ >= held_.expires_at) return closed_as(held_, hold_status::expired, now_);
        const person* who = people_.find(b.given.by);
        if (!who) return refused{problem::not_eligible, "This person is not known here."};
        glass broken = may_break_glass(held_, people_, *who, now_);
        if (!broken.why_not.empty()) return refused{problem::not_eligible, std::move(broken.why_not)};
        if (b.given.assurance != assurance::passkey)
            return refused{problem::assurance_too_low, "Only a passkey breaks the glass, whatever the workflow asks for."};
        if (b.given.kind != decision_kind::approve || b.given.reason.find_first_not_of(" \t\n") == std::string::npos)
            return refused{problem::malformed_request, "Breaking the glass is an approval, and needs a reason."};
        hold next = held_;
        decision& given = next.decisions.emplace_back(b.given);
        given.at = now_;
        given.break_glass = true;
        given.counts_in = std::move(broken.counts_in);
        effects::tell_glass_broken loudly{held_.id, concerned(next, people_, now_), every_channel(next)};
        moved done = approved(std::move(next), b.release_window);
        done.effects.emplace_back(std::move(loudly));
        return done;
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
        next.wake_at = next_wake(next, people_, now_);
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
        moved done = to(held_, std::move(next));
        done.effects.emplace_back(effects::release_action{held_.id});
        return done;
    }

    time_point expiry_by_hours(const hold& h) const
    {
        std::optional<time_point> first;
        for (const demand& d : h.demands) take_earlier(first, expiry(d.asks, people_, h.created_at));
        return first.value_or(h.expires_at);
    }

    outcome woke_held() const
    {
        if (now_ >= held_.expires_at) return closed_as(held_, hold_status::expired, now_);
        hold next = held_;
        std::vector<effect> effects;
        bool escalates = false;
        for (demand& d : next.demands) {
            // As if every wake-up had come in time: a step begins when the one before it ended.
            while (!next.satisfied(d) && (d.waits_until ? *d.waits_until <= now_ : !last_step_begun(d) && d.step_ends_at <= now_)) {
                const time_point at = d.waits_until.value_or(d.step_ends_at);
                if (!d.waits_until) ++d.step;
                begin_step(next, d, at, now_, audience_, effects);
                escalates = true;
            }
            if (in_vain(d)) return closed_as(held_, std::move(next), hold_status::undeliverable, now_);
            const auto hands_over = next.satisfied(d) ? std::nullopt : next_hand_over(next, d, people_, now_);
            if (hands_over && *hands_over <= now_) {
                hand_over(next, d, now_, audience_, effects);
                escalates = true;
            }
            if (!next.satisfied(d) && remind(next, d, now_, people_, effects)) escalates = true;
        }
        next.wake_at = next_wake(next, people_, now_);
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
    audience audience_;
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

outcome step(const hold& held, const event& what, const directory& people, time_point now, const recent_asks& asks)
{
    return std::visit(transition(held, people, now, asks), what);
}

}  // namespace sallyport
