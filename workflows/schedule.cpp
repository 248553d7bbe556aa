#include "workflows/schedule.hpp"

#include <algorithm>
#include <cstdint>

namespace sallyport {
namespace {

using namespace std::chrono;

// The turns of a rotation by number, from 0.
class turns {
public:
    explicit turns(const schedule& of) : zone_(*of.zone), from_(of.from), every_(floor<seconds>(of.every)) {}

    // The one that has begun last by then: below 0 before the first.
    std::int64_t at(sys_seconds now) const
    {
        const auto since = furthest_shown(now) - from_;
        std::int64_t n = since < 0s ? -1 : since / every_;
        // The clock may have left out that turn's beginning, which then comes later.
        while (n >= 0 && begins(n) > now) --n;
        return n;
    }

    // When another one than `n` begins, `n` being the one at some moment.
    sys_seconds next(std::int64_t n) const
    {
        sys_seconds next = begins(++n);
        // What begins in hours that are left out begins no sooner than what comes right behind them.
        for (; zone_.to_local(begins(n)) != shown(n); ++n) next = std::min(next, begins(n + 1));
        return next;
    }

private:
    local_seconds shown(std::int64_t n) const { return from_ + n * every_; }
    sys_seconds begins(std::int64_t n) const { return zone_.to_instant(shown(n)); }

    // The furthest that the clock on the wall has come by then: set back, it shows again what it has shown.
    local_seconds furthest_shown(sys_seconds now) const
    {
        local_seconds furthest = zone_.to_local(now);
        for (auto change = zone_.next_change(now - days{2}); change && *change <= now; change = zone_.next_change(*change))
            furthest = std::max(furthest, zone_.to_local(*change - 1s));
        return furthest;
    }

    const time_zone& zone_;
    local_seconds from_;
    seconds every_;
};

struct span {
    sys_seconds from, until;
    bool covers(sys_seconds at) const noexcept { return from <= at && at < until; }
};

span span_of(const schedule& s, const schedule::override_& o) { return {s.zone->to_instant(o.from), s.zone->to_instant(o.until)}; }

bool rotates(const schedule& s) noexcept { return s.every >= 1s && !s.people.empty(); }

// When something begins or ends that may change who is on call.
std::optional<sys_seconds> next_edge(const schedule& s, sys_seconds after)
{
    std::optional<sys_seconds> next;
    const auto take = [&](sys_seconds at) {
        if (at > after && (!next || at < *next)) next = at;
    };
    bool overridden = false;
    for (const auto& o : s.overrides) {
        const span held = span_of(s, o);
        overridden = overridden || held.covers(after);
        take(held.from);
        take(held.until);
    }
    if (overridden || !rotates(s)) return next;
    const turns all(s);
    const std::int64_t now = all.at(after);
    const bool takes_turns = std::any_of(s.people.begin(), s.people.end(), [&](const std::string& p) { return p != s.people.front(); });
    if (now < 0 || takes_turns) take(all.next(now));
    return next;
}

}  // namespace

std::vector<std::string> schedule::on_call(time_point now) const
{
    const auto at = floor<seconds>(now);
    std::vector<std::string> handles;
    for (const auto& o : overrides)
        if (span_of(*this, o).covers(at) && std::find(handles.begin(), handles.end(), o.person) == handles.end())
            handles.push_back(o.person);
    if (!handles.empty() || !rotates(*this)) return handles;
    if (const std::int64_t turn = turns(*this).at(at); turn >= 0) handles.push_back(people[static_cast<std::size_t>(turn) % people.size()]);
    return handles;
}

bool schedule::was_on_call(std::string_view handle, time_point since, time_point until) const
{
    const auto overridden = std::any_of(overrides.begin(), overrides.end(), [&](const override_& o) {
        const span held = span_of(*this, o);
        return o.person == handle && held.from < held.until && held.from <= until && since < held.until;
    });
    if (overridden) return true;
    if (std::find(people.begin(), people.end(), handle) == people.end()) return false;
    for (std::optional<time_point> at = since; at && *at <= until; at = next_change(*at)) {
        const auto handles = on_call(*at);
        if (std::find(handles.begin(), handles.end(), handle) != handles.end()) return true;
    }
    return false;
}

std::optional<time_point> schedule::next_change(time_point after) const
{
    const auto before = on_call(after);
    for (auto edge = next_edge(*this, floor<seconds>(after)); edge; edge = next_edge(*this, *edge))
        if (on_call(*edge) != before) return *edge;
    return std::nullopt;
}

}  // namespace sallyport
