// Who is on call, and when that changes: people take turns, and overrides take spans out of that. Pure: the instant is an
// argument, the zone a value.
//
// Everything is counted on the clock on the wall. A turn begins `every` after the one before it by that clock, so a
// weekly hand-over at 09:00, or one each twelve hours, stays where it is when clocks are set forward or back; the turn in
// which that happens is shorter or longer by it. A hand-over in hours that are left out, or come twice, is where
// time_zone::to_instant() says.
#pragma once

#include "workflows/time.hpp"
#include "workflows/time_zone.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

struct schedule {
    struct override_ {
        std::string person;  // a handle
        std::chrono::local_seconds from;
        std::chrono::local_seconds until;  // after `from`; not included
    };
    std::string name;
    std::shared_ptr<const time_zone> zone = std::make_shared<const time_zone>();
    std::vector<std::string> people;  // handles, in turn
    duration every{};                 // whole minutes, above zero
    std::chrono::local_seconds from;  // of the first turn: before it nobody is on call but by an override
    std::vector<override_> overrides;

    /// Handles, nobody twice. One person by the rotation, or, while overrides hold, all whom these name, in their order.
    std::vector<std::string> on_call(time_point) const;
    /// Whether that person was on call at any moment from `since` to `until`, both included.
    bool was_on_call(std::string_view handle, time_point since, time_point until) const;
    /// When others are on call, next after that instant; none: never.
    std::optional<time_point> next_change(time_point after) const;
};

/// By name.
using schedules = std::map<std::string, schedule, std::less<>>;

}  // namespace sallyport
