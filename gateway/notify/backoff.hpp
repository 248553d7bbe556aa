// When a delivery that failed is tried again: doubled pauses with jitter, so that what failed together does not come
// back together. Pure.
#pragma once

#include "workflows/time.hpp"

#include <chrono>
#include <optional>

namespace sallyport::notify {

constexpr duration first_pause = std::chrono::seconds(2);
constexpr duration longest_pause = std::chrono::minutes(5);
/// So long after it was made a message that nobody took is a dead letter.
constexpr duration give_up_after = std::chrono::hours(24);

/// After the attempt number `attempts` (from 1). `chance` is in [0, 1): half of the pause is left to it. What the channel asked for is
/// the least.
duration pause_after(int attempts, double chance, std::optional<duration> asked_for) noexcept;

}  // namespace sallyport::notify
