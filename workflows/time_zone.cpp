#include "workflows/time_zone.hpp"

#include <algorithm>
#include <utility>

namespace sallyport {
namespace {

using namespace std::chrono;

// RFC 8536 §3.2 allows offsets from -25 to 26 hours.
constexpr hours largest_offset{26};

sys_days day_of(const time_zone::yearly& y, year in) noexcept
{
    const sys_days january{in / January / 1};
    switch (y.form) {
    case time_zone::yearly::form::julian: {
        const bool after_leap_day = in.is_leap() && y.day >= 60;
        return january + days{y.day - 1 + (after_leap_day ? 1 : 0)};
    }
    case time_zone::yearly::form::day: return january + days{y.day};
    case time_zone::yearly::form::month: {
        const month of{static_cast<unsigned>(y.month)};
        const weekday wanted{static_cast<unsigned>(y.day)};
        return y.week == 5 ? sys_days{in / of / weekday_last{wanted}}
                           : sys_days{in / of / weekday_indexed{wanted, static_cast<unsigned>(y.week)}};
    }
    }
    return january;
}

// Each is written by the clocks that it ends.
sys_seconds summer_begins(const time_zone::rule& r, year in) noexcept
{
    return day_of(r.summer->begins, in) + r.summer->begins.time - r.standard;
}
sys_seconds summer_ends(const time_zone::rule& r, year in) noexcept
{
    return day_of(r.summer->ends, in) + r.summer->ends.time - r.summer->offset;
}

year year_of(const time_zone::rule& r, sys_seconds at) noexcept { return year_month_day{floor<days>(at + r.standard)}.year(); }

seconds offset_by(const time_zone::rule& r, sys_seconds at) noexcept
{
    if (!r.summer) return r.standard;
    const year in = year_of(r, at);
    const sys_seconds begins = summer_begins(r, in), ends = summer_ends(r, in);
    const bool summer = begins < ends ? at >= begins && at < ends : at >= begins || at < ends;
    return summer ? r.summer->offset : r.standard;
}

std::optional<sys_seconds> next_by(const time_zone::rule& r, sys_seconds after) noexcept
{
    if (!r.summer) return std::nullopt;
    std::optional<sys_seconds> next;
    // The year before, too: a rule may say an hour of the next year.
    const year in = year_of(r, after);
    for (int y = -1; y <= 1; ++y)
        for (const sys_seconds at : {summer_begins(r, in + years{y}), summer_ends(r, in + years{y})})
            if (at > after && (!next || at < *next)) next = at;
    return next;
}

}  // namespace

time_zone::time_zone(std::string name, seconds before, std::vector<transition> transitions, std::optional<rule> after)
    : name_(std::move(name)),
      before_(before),
      transitions_(std::move(transitions)),
      after_(std::move(after))
{
}

seconds time_zone::offset_at(sys_seconds at) const noexcept
{
    const auto next = std::ranges::upper_bound(transitions_, at, {}, &transition::at);
    if (next == transitions_.end() && after_) return offset_by(*after_, at);
    return next == transitions_.begin() ? before_ : std::prev(next)->offset;
}

local_seconds time_zone::to_local(sys_seconds at) const noexcept { return local_seconds{(at + offset_at(at)).time_since_epoch()}; }

sys_seconds time_zone::to_instant(local_seconds shown) const noexcept
{
    const sys_seconds as_utc{shown.time_since_epoch()};
    // Stretches of one offset, from the first in which clocks may have shown it.
    seconds offset = offset_at(as_utc - largest_offset);
    auto change = next_change(as_utc - largest_offset);
    while (change && as_utc - offset >= *change) {
        const seconds then = offset_at(*change);
        if (as_utc - then < *change) break;  // left out by this change
        offset = then;
        change = next_change(*change);
    }
    return as_utc - offset;
}

std::optional<sys_seconds> time_zone::next_change(sys_seconds after) const noexcept
{
    const auto next = std::ranges::upper_bound(transitions_, after, {}, &transition::at);
    if (next != transitions_.end()) return next->at;
    return after_ ? next_by(*after_, after) : std::nullopt;
}

}  // namespace sallyport
