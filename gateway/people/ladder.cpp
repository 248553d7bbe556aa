#include "gateway/people/ladder.hpp"

#include "workflows/eligibility.hpp"
#include "workflows/step_times.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::people {
namespace {

constexpr std::size_t most_people = 50;
constexpr int most_reminders = 10;

std::string_view state_of(const hold& h, const demand& d, std::size_t i, const directory& people)
{
    if (i >= d.steps_begun()) {
        if (h.status != hold_status::held) return "never";
        return i == d.step && d.waits_until ? "waits" : "later";
    }
    // Whose turn came before its time was over had the one before it skipped.
    if (i + 1 < d.begun.size() && d.begun[i + 1] < time_after(d.asks.steps[i], people, d.begun[i], d.asks.steps[i].for_)) return "skipped";
    return h.status == hold_status::held && i + 1 == d.steps_begun() && !d.waits_until ? "now" : "over";
}

time_point end_of(const hold& h, const demand& d, std::size_t i, const directory& people, time_point begins)
{
    if (i == d.step) return d.step_ends_at;
    if (i + 1 < d.begun.size()) return d.begun[i + 1];
    if (i + 1 >= d.asks.steps.size()) return h.expires_at;
    return std::min(time_after(d.asks.steps[i], people, begins, d.asks.steps[i].for_), h.expires_at);
}

boost::json::array reached_json(const hold& h, const demand& d, std::size_t i, const directory& people, const shifts& when)
{
    boost::json::array all;
    for (const person_id id : reached_by(h, d.asks, i, people, when)) {
        if (all.size() == most_people) break;
        const person* who = people.find(id);
        if (!who) continue;
        boost::json::array stands_in;
        for (const person* away : represented_by(h, people, *who, when.until)) {
            const auto& whom = d.asks.steps[i].notify;
            if (std::any_of(whom.begin(), whom.end(), [&](const target& t) { return means(t, h, people, *away, when); }))
                stands_in.push_back(
                    boost::json::object{{"handle", away->handle}, {"name", away->name}, {"until", format_rfc3339(away->away->until)}});
        }
        all.push_back(boost::json::object{{"handle", who->handle}, {"name", who->name}, {"in_place_of", std::move(stands_in)}});
    }
    return all;
}

boost::json::array reminders_json(const workflow_step& s, const directory& people, time_point begins, time_point ends)
{
    boost::json::array all;
    for (int n = 1; s.remind > duration{} && n <= most_reminders; ++n) {
        const time_point at = next_open(s, people, time_after(s, people, begins, s.remind * n));
        if (at >= ends) break;
        all.emplace_back(format_rfc3339(at));
    }
    return all;
}

std::string words_of(const missing_approvals& m)
{
    std::string text = m.more == 1 ? "one more" : std::to_string(m.more) + " more";
    if (m.of.empty()) return text + (m.more == 1 ? " approval" : " approvals");
    for (std::size_t i = 0; i < m.of.size(); ++i) text += (i == 0 ? " of " : i + 1 == m.of.size() ? " or " : ", ") + in_words(m.of[i]);
    return text;
}

}  // namespace

boost::json::array ladder_json(const hold& h, const demand& d, const directory& people, time_point now)
{
    const time_point until = h.closed_at.value_or(h.decided_at.value_or(now));
    boost::json::array steps;
    for (std::size_t i = 0; i < d.asks.steps.size(); ++i) {
        const workflow_step& s = d.asks.steps[i];
        const time_point begins = beginning(h, d, i, people), ends = end_of(h, d, i, people, begins);
        const bool begun = i < d.steps_begun();
        boost::json::array notify, via{"inbox"};
        for (const target& t : s.notify) notify.emplace_back(in_words(t));
        for (const std::string& channel : s.via) via.emplace_back(channel);
        steps.push_back(boost::json::object{
            {"step", i + 1},
            {"state", state_of(h, d, i, people)},
            {"begins_at", format_rfc3339(begins)},
            {"ends_at", format_rfc3339(ends)},
            {"within", s.within.empty() ? boost::json::value(nullptr) : boost::json::value(s.within)},
            {"notify", std::move(notify)},
            {"people", reached_json(h, d, i, people, {begins, begun ? std::max(begins, until) : begins})},
            {"via", std::move(via)},
            {"reminders", reminders_json(s, people, begins, ends)},
            {"reminded", begun && i == d.step ? d.reminders : 0},
        });
    }
    return steps;
}

boost::json::array places_json(const hold& h, const demand& d)
{
    const auto filled = h.filled(d);
    boost::json::array all;
    for (std::size_t i = 0; i < d.asks.places.size(); ++i)
        all.push_back(
            boost::json::object{{"of", in_words(d.asks.places[i].of)}, {"needed", d.asks.places[i].approvals}, {"given", filled.at(i)}});
    return all;
}

boost::json::array missing_json(const hold& h, const demand& d)
{
    boost::json::array all;
    if (h.status != hold_status::held) return all;
    for (const missing_approvals& m : h.missing(d)) all.emplace_back(words_of(m));
    return all;
}

}  // namespace sallyport::people
