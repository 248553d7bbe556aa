// How long reading takes at the least, so that a decision made sooner can be marked. It forbids nothing. Pure.
#pragma once

#include "workflows/time.hpp"

#include <cstddef>
#include <optional>

namespace sallyport {

/// Of a text of so many bytes, when this person has decided `before` others that were first shown at the same moment:
///
///     max(2 s, bytes / 50 a second) + before × 0.5 s, and for the text no more than 2 min
///
/// Fifty characters a second is twice what practised readers do, so that who is marked has not read it all. Scripts with more bytes
/// a character have fewer characters to say the same. Of what was shown in one table, a row costs half a second at the least.
duration least_reading_time(std::size_t bytes, std::size_t before) noexcept;

/// Whether it was decided sooner. None: when it was shown is not known.
std::optional<bool> decided_too_fast(std::optional<time_point> shown, time_point decided, std::size_t bytes, std::size_t before) noexcept;

}  // namespace sallyport
