// Time zones by hand, as their rules are today.
#pragma once

#include "workflows/time.hpp"
#include "workflows/time_zone.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace sallyport::zones {

using namespace std::chrono_literals;
using std::chrono::local_seconds;
using std::chrono::seconds;
using std::chrono::sys_seconds;

/// `2026-03-29T02:30:00`, as the clock on the wall shows it.
inline local_seconds wall(std::string_view text)
{
    const auto read = parse_rfc3339(std::string(text) + "Z");
    REQUIRE_MESSAGE(read, text);
    return local_seconds{std::chrono::floor<seconds>(*read).time_since_epoch()};
}
/// The same with `Z`: an instant.
inline sys_seconds instant(std::string_view text)
{
    const auto read = parse_rfc3339(text);
    REQUIRE_MESSAGE(read, text);
    return std::chrono::floor<seconds>(*read);
}

inline time_zone::yearly on_sunday(int month, int week, seconds time) { return {time_zone::yearly::form::month, 0, month, week, time}; }

inline time_zone berlin() { return {"Europe/Berlin", 1h, {}, time_zone::rule{1h, {{2h, on_sunday(3, 5, 2h), on_sunday(10, 5, 3h)}}}}; }
inline time_zone new_york()
{
    return {"America/New_York", -5h, {}, time_zone::rule{-5h, {{-4h, on_sunday(3, 2, 2h), on_sunday(11, 1, 2h)}}}};
}
/// Half an hour, and summer over the year's end.
inline time_zone lord_howe()
{
    return {"Australia/Lord_Howe", 10h + 30min, {}, time_zone::rule{10h + 30min, {{11h, on_sunday(10, 1, 2h), on_sunday(4, 1, 2h)}}}};
}
/// Standard time is that of summer, and winter is the exception.
inline time_zone dublin() { return {"Europe/Dublin", 1h, {}, time_zone::rule{1h, {{0h, on_sunday(10, 5, 2h), on_sunday(3, 5, 1h)}}}}; }
/// No clock is ever touched.
inline time_zone kolkata() { return {"Asia/Kolkata", 5h + 30min, {}, time_zone::rule{5h + 30min, {}}}; }
/// It left out 2011-12-30 as a whole.
inline time_zone apia()
{
    return {"Pacific/Apia", -11h, {{instant("2011-09-24T14:00:00Z"), -10h}, {instant("2011-12-30T10:00:00Z"), 14h}}, {}};
}

inline std::shared_ptr<const time_zone> shared(time_zone z) { return std::make_shared<const time_zone>(std::move(z)); }

}  // namespace sallyport::zones
