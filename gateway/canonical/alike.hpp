// Which calls are alike, so that people look at them together: the same agent, route, method, shape of the path and rules. It orders
// what waits and decides nothing; each hold is shown, signed and sent as itself.
#pragma once

#include "workflows/hold.hpp"
#include "workflows/ids.hpp"

#include <span>
#include <string>
#include <string_view>

namespace sallyport {

/// The target with `*` for each segment that looks like an id (it has a digit, unless it is a version like `v1`, or is longer than 32
/// bytes), and of the query the names alone.
std::string target_shape(std::string_view target);

/// 22 characters of base64url: half of a SHA-256. Whoever makes two that are the same has two rows on one page.
std::string alike_digest(agent_id, std::string_view route, std::string_view method, std::string_view target, std::span<const reason>);

}  // namespace sallyport
