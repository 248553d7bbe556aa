// The selectors of timestamps and durations: langdef.md "List of Standard Definitions".
#include "gateway/policy/cel/functions.hpp"

#include <chrono>

namespace sallyport::policy::cel {
namespace {

using arguments = std::span<const value>;
using namespace std::chrono;

struct local_time {
    sys_days day;
    year_month_day date;
    std::int64_t second = 0;  // of the day
    std::uint32_t nanoseconds = 0;
};

enum class part { full_year, month, date, day_of_month, day_of_year, day_of_week, hours, minutes, seconds, milliseconds };

std::int64_t part_of(const local_time& t, part wanted) noexcept
{
    switch (wanted) {
    case part::full_year: return static_cast<int>(t.date.year());
    case part::month: return static_cast<std::int64_t>(static_cast<unsigned>(t.date.month())) - 1;
    case part::date: return static_cast<unsigned>(t.date.day());
    case part::day_of_month: return static_cast<std::int64_t>(static_cast<unsigned>(t.date.day())) - 1;
    case part::day_of_year: return (t.day - sys_days{t.date.year() / January / 1}).count();
    case part::day_of_week: return weekday{t.day}.c_encoding();
    case part::hours: return t.second / 3600;
    case part::minutes: return t.second / 60 % 60;
    case part::seconds: return t.second % 60;
    case part::milliseconds: return t.nanoseconds / 1'000'000;
    }
    return 0;
}

value select(const value& at, std::int32_t offset, part wanted) noexcept
{
    const sys_seconds instant{std::chrono::seconds{at.seconds() + offset}};
    local_time t;
    t.day = floor<days>(instant);
    t.date = year_month_day{t.day};
    t.second = (instant - t.day).count();
    t.nanoseconds = at.nanoseconds();
    return value::of(part_of(t, wanted));
}

template <part Part>
value in_utc(workspace&, arguments a, const prepared*)
{
    return select(a[0], 0, Part);
}

template <part Part>
value in_zone(workspace& work, arguments a, const prepared* ready)
{
    if (ready && ready->zone) return select(a[0], ready->zone->offset_at(a[0].seconds()), Part);
    if (!work.spend(1000)) return workspace::exhausted();  // may have to open a file
    const auto zone = time_zone::find(a[1].text());
    if (!zone) return value::error("no such time zone");
    return select(a[0], zone->offset_at(a[0].seconds()), Part);
}

template <std::int64_t Nanoseconds>
value whole_units(workspace&, arguments a, const prepared*)
{
    return value::of(a[0].duration() / Nanoseconds);
}
// The part below a second, as cel-spec's own case has it.
value duration_milliseconds(workspace&, arguments a, const prepared*) { return value::of(a[0].duration() / 1'000'000 % 1000); }

using namespace types;
constexpr auto one = takes_of<timestamp>;
constexpr auto zoned = takes_of<timestamp, string>;
constexpr auto of_duration = takes_of<duration>;
constexpr auto z = preparation::zone;

constexpr auto all_time = std::to_array<overload>({
    {"getFullYear", true, one, &integer, in_utc<part::full_year>},
    {"getFullYear", true, zoned, &integer, in_zone<part::full_year>, z},
    {"getMonth", true, one, &integer, in_utc<part::month>},
    {"getMonth", true, zoned, &integer, in_zone<part::month>, z},
    {"getDate", true, one, &integer, in_utc<part::date>},
    {"getDate", true, zoned, &integer, in_zone<part::date>, z},
    {"getDayOfMonth", true, one, &integer, in_utc<part::day_of_month>},
    {"getDayOfMonth", true, zoned, &integer, in_zone<part::day_of_month>, z},
    {"getDayOfYear", true, one, &integer, in_utc<part::day_of_year>},
    {"getDayOfYear", true, zoned, &integer, in_zone<part::day_of_year>, z},
    {"getDayOfWeek", true, one, &integer, in_utc<part::day_of_week>},
    {"getDayOfWeek", true, zoned, &integer, in_zone<part::day_of_week>, z},
    {"getHours", true, one, &integer, in_utc<part::hours>},
    {"getHours", true, zoned, &integer, in_zone<part::hours>, z},
    {"getHours", true, of_duration, &integer, whole_units<3'600'000'000'000>},
    {"getMinutes", true, one, &integer, in_utc<part::minutes>},
    {"getMinutes", true, zoned, &integer, in_zone<part::minutes>, z},
    {"getMinutes", true, of_duration, &integer, whole_units<60'000'000'000>},
    {"getSeconds", true, one, &integer, in_utc<part::seconds>},
    {"getSeconds", true, zoned, &integer, in_zone<part::seconds>, z},
    {"getSeconds", true, of_duration, &integer, whole_units<1'000'000'000>},
    {"getMilliseconds", true, one, &integer, in_utc<part::milliseconds>},
    {"getMilliseconds", true, zoned, &integer, in_zone<part::milliseconds>, z},
    {"getMilliseconds", true, of_duration, &integer, duration_milliseconds},
});

}  // namespace

std::span<const overload> time_overloads() noexcept { return all_time; }

}  // namespace sallyport::policy::cel
