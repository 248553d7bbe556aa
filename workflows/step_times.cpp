#include "workflows/step_times.hpp"

namespace sallyport {
namespace {

const working_hours* hours_of(const workflow_step& s, const directory& people)
{
    return s.within.empty() ? nullptr : people.hours_named(s.within);
}

}  // namespace

bool is_open(const workflow_step& s, const directory& people, time_point at)
{
    const working_hours* hours = hours_of(s, people);
    return !hours || hours->open_at(at) || !hours->opens(at);
}

time_point next_open(const workflow_step& s, const directory& people, time_point at)
{
    const working_hours* hours = hours_of(s, people);
    return hours ? hours->opens(at).value_or(at) : at;
}

time_point time_after(const workflow_step& s, const directory& people, time_point begun, duration passed)
{
    const working_hours* hours = hours_of(s, people);
    return hours ? hours->after(begun, passed).value_or(begun + passed) : begun + passed;
}

step_span span_from(const workflow_step& s, const directory& people, time_point at)
{
    const time_point begins = next_open(s, people, at);
    return {begins, time_after(s, people, begins, s.for_)};
}

time_point beginning(const hold& held, const demand& d, std::size_t step, const directory& people)
{
    if (step < d.begun.size()) return d.begun[step];
    if (step == d.step && d.waits_until) return *d.waits_until;
    if (step <= d.step) return held.created_at;
    time_point turn = d.step_ends_at;
    for (std::size_t i = d.step + 1; i < step; ++i) turn = span_from(d.asks.steps[i], people, turn).ends;
    return next_open(d.asks.steps[step], people, turn);
}

time_point expiry(const workflow& w, const directory& people, time_point made)
{
    time_point ends = made;
    for (const workflow_step& s : w.steps) ends = span_from(s, people, ends).ends;
    return ends;
}

}  // namespace sallyport
