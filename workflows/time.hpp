// Instants and durations as the contract writes them: RFC 3339 in UTC; `30s`, `10m`, `24h`, `7d`. Nothing here reads
// a clock: `now` is always an argument.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

/// Microseconds since 1970 in UTC, PostgreSQL's own resolution.
using time_point = std::chrono::sys_time<std::chrono::microseconds>;
using duration = std::chrono::microseconds;

/// `2026-01-05T09:00:00.123Z`: milliseconds always, so that texts sort as times do. Years 0000 to 9999.
std::string format_rfc3339(time_point);

/// RFC 3339 §5.6 with any offset; fractions beyond microseconds are cut. None for anything else, leap seconds too.
std::optional<time_point> parse_rfc3339(std::string_view) noexcept;

/// A whole number above zero and one of `ms`, `s`, `m`, `h`, `d`; at most ten years.
std::optional<duration> parse_duration(std::string_view) noexcept;

/// The shortest text that `parse_duration` reads back.
std::string format_duration(duration);

}  // namespace sallyport
