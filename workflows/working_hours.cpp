#include "workflows/working_hours.hpp"

#include <algorithm>

namespace sallyport {
namespace {

using namespace std::chrono;

constexpr days a_year{366};
constexpr days ten_years{3660};

struct span {
    sys_seconds from, until;
};

// Those that begin on that day of the clock on the wall.
void add_of_day(const working_hours& h, local_days day, std::vector<span>& all)
{
    const unsigned of_week = weekday{day}.c_encoding();
    for (const auto& r : h.ranges) {
        if (!r.days[of_week]) continue;
        const span s{h.zone->to_instant(local_seconds{day} + r.from), h.zone->to_instant(local_seconds{day} + r.until)};
        if (s.from < s.until) all.push_back(s);  // a range within the hour that is left out is none
    }
}

// Where clocks are set back, an hour comes twice: a range that begins or ends in it uses its first coming, so that what lies
// around `at` begins at most two days before, and with the largest jump of a clock (a whole day, RFC 8536 allows 26 h) three.
constexpr days before{4};

// In order, and merged where they touch: those of some days from `first` on.
std::vector<span> spans_of(const working_hours& h, local_days first, days count)
{
    std::vector<span> all;
    for (days d{0}; d < count; ++d) add_of_day(h, first + d, all);
    std::sort(all.begin(), all.end(), [](const span& a, const span& b) { return a.from < b.from; });
    std::vector<span> merged;
    for (const span& s : all) {
        if (!merged.empty() && s.from <= merged.back().until)
            merged.back().until = std::max(merged.back().until, s.until);
        else
            merged.push_back(s);
    }
    return merged;
}

// Calls `take` with each span that ends after `from`, in order, until it says that it has enough.
template <class Take>
void walk(const working_hours& h, sys_seconds from, days most, Take take)
{
    constexpr days chunk{14};
    const local_days first = floor<days>(h.zone->to_local(from)) - before;
    sys_seconds done = from;
    for (days at{0}; at < most; at += chunk) {
        // They overlap, so that what touches a border is seen whole.
        for (span s : spans_of(h, first + at, chunk + 2 * before)) {
            if (s.until <= done) continue;
            if (s.from >= sys_seconds{(first + at + chunk + before).time_since_epoch()}) break;
            s.from = std::max(s.from, done);
            if (take(s)) return;
            done = s.until;
        }
    }
}

}  // namespace

bool working_hours::open_at(time_point at) const
{
    const auto opened = opens(at);
    return opened && *opened == at;
}

std::optional<time_point> working_hours::opens(time_point from) const
{
    std::optional<time_point> found;
    if (ranges.empty()) return found;
    walk(*this, floor<seconds>(from), a_year, [&](const span& s) {
        found = std::max<time_point>(from, s.from);
        return true;
    });
    return found;
}

std::optional<time_point> working_hours::after(time_point from, duration open) const
{
    if (open <= duration{}) return from;
    std::optional<time_point> found;
    duration left = open;
    walk(*this, floor<seconds>(from), ten_years, [&](const span& s) {
        const time_point begins = std::max<time_point>(from, s.from);
        const duration length = time_point{s.until} - begins;
        if (length < left) {
            left -= length;
            return false;
        }
        found = begins + left;
        return true;
    });
    return found;
}

}  // namespace sallyport
