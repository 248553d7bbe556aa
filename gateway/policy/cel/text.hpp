// Texts of values, as string() and the messages of errors write them.
#pragma once

#include "gateway/policy/cel/value.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::policy::cel {

/// As string_view::find, in time that is linear in the text whatever the needle is.
std::size_t find_text(std::string_view text, std::string_view needle, std::size_t from = 0) noexcept;

/// The shortest that reads back as the same number: `0.1`, `1e+21`, `NaN`, `Infinity`; without a point where it is whole.
std::string double_text(double);
/// RFC 3339 in UTC, fractions as long as they need to be.
std::string timestamp_text(std::int64_t seconds, std::uint32_t nanoseconds);
/// Seconds: `6347s`, `-1.5s`.
std::string duration_text(std::int64_t nanoseconds);

/// RFC 3339 with any offset and up to nine digits of a second; an error beyond CEL's range.
value read_timestamp(std::string_view);
/// `1h45m47s`, `-1.5s`, `300ms`; units ns, us, µs, ms, s, m, h.
std::optional<std::int64_t> read_duration(std::string_view);

}  // namespace sallyport::policy::cel
