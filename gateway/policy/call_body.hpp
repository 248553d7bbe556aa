// The body of a call as conditions see it: semantics.md, "Body".
#pragma once

#include "gateway/canonical/json.hpp"
#include "gateway/policy/policy.hpp"
#include "workflows/result.hpp"

#include <optional>
#include <span>
#include <string_view>

namespace sallyport::policy {

/// `application/json` or `+json`, in UTF-8, and no Content-Encoding.
bool is_json(std::span<const header>) noexcept;

/// None: `body` has no value (another media type, an encoding, nothing sent), and using it is an error of the rule. What
/// says that it is JSON and is not is `malformed_request`. The text must outlive the document.
result<std::optional<json::document>> read_body(std::span<const header>, std::string_view body);

}  // namespace sallyport::policy
