// Working hours: ranges of the clock on the wall on days of the week. Pure: the instant is an argument, the zone a value.
//
// Where clocks are set forward or back a range is shorter or longer, and begins and ends where time_zone::to_instant() says. Ranges
// that touch or overlap are one: hours over midnight are a range until 24:00 and one from 00:00.
#pragma once

#include "workflows/time.hpp"
#include "workflows/time_zone.hpp"

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sallyport {

struct working_hours {
    struct range {
        std::array<bool, 7> days{};    // by std::chrono::weekday::c_encoding(): Sunday first
        std::chrono::minutes from{};   // after midnight, less than `until`
        std::chrono::minutes until{};  // not included; at most 24 h
    };
    std::string name;
    std::shared_ptr<const time_zone> zone = std::make_shared<const time_zone>();
    std::vector<range> ranges;

    bool open_at(time_point) const;
    /// From then on, the first instant at which it is open. None: not within a year.
    std::optional<time_point> opens(time_point from) const;
    /// When it has been open for so long since `from`: the end of a range rather than the beginning of the next. None: not
    /// within ten years.
    std::optional<time_point> after(time_point from, duration open) const;
};

/// By name.
using calendars = std::map<std::string, working_hours, std::less<>>;

}  // namespace sallyport
