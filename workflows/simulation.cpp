#include "workflows/simulation.hpp"

#include "workflows/eligibility.hpp"
#include "workflows/hold_step.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace sallyport {
namespace {

constexpr std::size_t most_events = 10'000;

bool among(const std::vector<std::string>& list, const std::string& word)
{
    return std::find(list.begin(), list.end(), word) != list.end();
}

// Long enough for anything that is played, and no instant at which a calendar is hard to read.
constexpr std::chrono::days all_the_time{20'000};

directory without(const directory& all, const agent& by, const std::vector<absent_person>& absent, time_point at)
{
    std::vector<person> people = all.people();
    for (person& p : people)
        for (const absent_person& a : absent)
            if (a.handle == p.handle) p.away = absence{at - std::chrono::days(1), at + all_the_time, a.deputy};
    return {all.generation(), std::move(people), all.teams(), {by}, all.arranged()};
}

class play {
public:
    play(const workflow& asked, const agent& by, const directory& everybody, const std::vector<absent_person>& absent, time_point at)
        : people_(without(everybody, by, absent, at)),
          held_(make_hold({}, {}, by, {}, {}, {asked}, at))
    {
        held_.demands.front().last_approval.emplace();  // nobody approved before
    }

    std::vector<played_event> run()
    {
        event next = happened::opened{};
        for (time_point now = held_.created_at; events_.size() < most_events; now = *held_.wake_at) {
            take(step(held_, next, people_, now), now);
            if (!held_.wake_at) break;
            next = happened::woke{};
        }
        add(held_.closed_at.value_or(events_.empty() ? held_.created_at : events_.back().at), played::ended{held_.status, reached_.size()});
        return std::move(events_);
    }

private:
    void take(const outcome& o, time_point now)
    {
        const auto* to = std::get_if<moved>(&o);
        if (!to) return held_.wake_at.reset();  // never: it is woken when it asked for it
        const demand before = std::exchange(held_, to->next).demands.front();
        const demand& after = held_.demands.front();
        for (std::size_t i = before.begun.size(); i < after.begun.size(); ++i) begin(after, i);
        if (!held_.closed_at) hand_overs(after, before.begun.size(), now);
        for (const effect& e : to->effects)
            if (const auto* news = std::get_if<effects::tell_people>(&e))
                tell(news->people, news->via, now, false);
            else if (const auto* again = std::get_if<effects::remind_people>(&e))
                tell(again->people, again->via, now, true);
    }

    void begin(const demand& d, std::size_t i)
    {
        const workflow_step& begun = d.asks.steps[i];
        if (reached_by(held_, d.asks, i, people_, {d.begun[i], d.begun[i]}).empty())
            add(d.begun[i], played::step_skipped{i + 1, why_nobody(d.asks, begun, d.begun[i])});
        else
            add(d.begun[i], played::step_begun{i + 1, begun.notify});
    }

    // Of schedules that the first `steps` steps name.
    void hand_overs(const demand& d, std::size_t steps, time_point now)
    {
        std::set<std::string> seen;
        for (std::size_t i = 0; i < steps; ++i)
            for (const target& t : d.asks.steps[i].notify) {
                const schedule* named = t.kind == target::kind::schedule ? people_.schedule_named(t.name) : nullptr;
                if (named && seen.insert(t.name).second && named->next_change(now - duration(1)) == now)
                    add(now, played::hand_over{t.name, named->on_call(now)});
            }
    }

    // Who was told by a channel is not told by it again, but reminded.
    void tell(const std::vector<person_id>& people, const std::vector<std::string>& via, time_point now, bool again)
    {
        std::vector<std::string> channels{"inbox"};
        channels.insert(channels.end(), via.begin(), via.end());
        played::told told{{}, {}, again};
        for (const std::string& channel : channels) {
            bool anybody = false;
            for (const person_id id : people) {
                const bool news = told_by_.emplace(id, channel).second;
                if (!news && !again) continue;
                anybody = true;
                reached_.insert(id);
                if (const std::string& handle = people_.find(id)->handle; !among(told.people, handle)) told.people.push_back(handle);
            }
            if (anybody) told.via.push_back(channel);
        }
        if (!told.people.empty()) add(now, std::move(told));
    }

    std::vector<std::string> why_nobody(const workflow& w, const workflow_step& s, time_point at) const
    {
        std::vector<std::string> why;
        for (const target& t : s.notify) {
            bool anybody = false;
            for (const person& p : people_.people()) {
                if (!means(t, held_, people_, p, {at, at})) continue;
                anybody = true;
                if (std::string reason = p.handle + why_not_reached(w, p, at); !among(why, reason)) why.push_back(std::move(reason));
            }
            if (!anybody) why.push_back(nobody_is(t));
        }
        return why;
    }

    std::string why_not_reached(const workflow& w, const person& p, time_point at) const
    {
        if (p.status != person_status::active) return " is disabled";
        if (!p.has(role::approver)) return " is no approver";
        if (excluded(held_, people_, p, at)) return " is excluded by the workflow's `not`";
        const bool fills = std::any_of(w.places.begin(), w.places.end(), [&](const place& one) {
            return means(one.of, held_, people_, p, {at, at});
        });
        if (!w.places.empty() && !fills) return " fills none of the places";
        if (p.is_away(at)) return p.away->deputy.empty() ? " is absent" : " is absent, and nobody is reached in their place";
        return " has no passkey";
    }

    std::string nobody_is(const target& t) const
    {
        switch (t.kind) {
        case target::kind::owner: return held_.owner.name.empty() ? "whose agent it is was not said" : "nobody is " + held_.owner.text();
        case target::kind::person: return "there is no person " + t.name;
        case target::kind::team: return "nobody is in team " + t.name;
        case target::kind::schedule: return "nobody is on call in " + t.name;
        case target::kind::initiator:
            return held_.owner.name.empty() ? "whose agent it is was not said" : "nobody is " + held_.owner.text();
        case target::kind::last_approver: return "nobody approved before";
        case target::kind::where: return "of nobody is it true that " + t.name;
        }
        return {};
    }

    template <class What>
    void add(time_point at, What what)
    {
        events_.emplace_back(at, std::move(what));
    }

    const directory people_;
    hold held_;
    std::vector<played_event> events_;
    std::set<person_id> reached_;
    std::set<std::pair<person_id, std::string>> told_by_;
};

}  // namespace

std::vector<played_event> simulate(const workflow& asked, const agent& by, const directory& everybody,
                                   const std::vector<absent_person>& absent, time_point at)
{
    return play(asked, by, everybody, absent, at).run();
}

}  // namespace sallyport
