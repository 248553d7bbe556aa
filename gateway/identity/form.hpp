// application/x-www-form-urlencoded (WHATWG URL §5.1), as OAuth uses it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::identity {

/// None for a broken escape or a parameter given twice (RFC 6749 §3.2 forbids that).
std::optional<std::map<std::string, std::string, std::less<>>> parse_form(std::string_view body);

}  // namespace sallyport::identity
