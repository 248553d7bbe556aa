// RFC 9457 problem documents, as wire.md "Problem document" has them: the one form in which a failure leaves the house.
#pragma once

#include "workflows/hold.hpp"
#include "workflows/ids.hpp"
#include "workflows/result.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sallyport::identity {

inline constexpr std::string_view problem_media_type = "application/problem+json";

/// What is known of the call that failed.
struct problem_context {
    std::optional<action_id> action;
    std::optional<hold_id> hold;
    std::span<const spoken_rule> rules;      // those that matched
    std::optional<std::string_view> reason;  // what the person wrote
};

/// Shows `detail`, never `cause`.
std::string problem_document(const failure&, const problem_context& = {});

}  // namespace sallyport::identity
