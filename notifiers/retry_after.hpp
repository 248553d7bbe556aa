// `Retry-After` (RFC 9110 §10.2.3), as far as channels need it.
#pragma once

#include "workflows/time.hpp"

#include <optional>
#include <string_view>

namespace sallyport::notifiers {

/// Seconds alone; a date is taken for none, and what is longer than an hour for an hour.
std::optional<duration> retry_after(std::string_view field) noexcept;

}  // namespace sallyport::notifiers
