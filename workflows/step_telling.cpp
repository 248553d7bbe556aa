#include "workflows/step_telling.hpp"

#include "workflows/eligibility.hpp"
#include "workflows/quorum.hpp"
#include "workflows/step_times.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace sallyport {
namespace {

// By the steps before `end`.
std::set<person_id> told_by(const hold& h, const demand& d, std::size_t end, const directory& people, time_point now)
{
    std::set<person_id> told;
    for (std::size_t i = 0; i < end; ++i) {
        const time_point began = beginning(h, d, i, people);
        if (began > now) continue;
        for (const person_id who : reached_by(h, d.asks, i, people, {began, std::max(began, std::min(d.told_until, now))}))
            if (!went_past(d, i, who)) told.insert(who);
    }
    return told;
}

bool could_satisfy(const hold& h, const demand& d, const directory& people, const std::set<person_id>& all, time_point at)
{
    quorum together(d.asks);
    for (const person_id id : all)
        if (const person* who = people.find(id))
            together.add([&](const target* place) { return !place || means(*place, h, people, *who, {at, at}); });
    return together.reached();
}

}  // namespace

bool went_past(const demand& d, std::size_t step, person_id who) noexcept
{
    return std::any_of(d.passed.begin(), d.passed.end(), [&](const passed_over& p) { return p.who == who && p.step == step; });
}

bool tell(const hold& h, demand& d, std::size_t i, std::size_t told, std::vector<person_id> reached, time_point at, const audience& to,
          std::vector<effect>& effects)
{
    if (reached.empty()) return false;
    std::vector<passed_over> tired;
    if (to.asks.capped()) {
        std::set<person_id> left = told_by(h, d, told, to.people, at);
        std::set<person_id> just_told;  // by another workflow of the hold, with whose question this one comes
        for (const effect& e : effects)
            if (const auto* news = std::get_if<effects::tell_people>(&e)) just_told.insert(news->people.begin(), news->people.end());
        for (const person_id who : reached) {
            if (just_told.contains(who)) left.insert(who);
            if (!left.contains(who) && to.asks.tired(who)) tired.push_back({who, i, to.asks.asked(who)});
        }
        bool fresh = false;
        const auto count_in = [&](const std::vector<person_id>& people) {
            for (const person_id who : people)
                if (!to.asks.tired(who) && left.insert(who).second) fresh = true;
        };
        if (!tired.empty()) {
            count_in(reached);
            for (std::size_t later = d.step + 1; later < d.asks.steps.size(); ++later)
                if (is_open(d.asks.steps[later], to.people, at)) count_in(reached_by(h, d.asks, later, to.people, {at, at}));
            for (const decision& given : h.decisions) left.insert(given.by);
            if (!fresh || !could_satisfy(h, d, to.people, left, at)) tired.clear();
        }
    }
    std::erase_if(d.passed,
                  [&](const passed_over& p) { return p.step == i && std::find(reached.begin(), reached.end(), p.who) != reached.end(); });
    if (!tired.empty()) {
        std::erase_if(reached, [&](person_id who) {
            return std::any_of(tired.begin(), tired.end(), [&](const passed_over& p) { return p.who == who; });
        });
        d.passed.insert(d.passed.end(), tired.begin(), tired.end());
        effects.emplace_back(effects::pass_over{h.id, std::move(tired)});
    }
    if (reached.empty()) return false;
    d.reached = true;
    effects.emplace_back(effects::tell_people{h.id, std::move(reached), d.asks.steps[i].via});
    return true;
}

}  // namespace sallyport
