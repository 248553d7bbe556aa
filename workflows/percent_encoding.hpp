// Text as a part of a URL, or of a form (application/x-www-form-urlencoded): RFC 3986 §2.1.
#pragma once

#include <string>
#include <string_view>

namespace sallyport {

/// Unreserved characters (§2.3) as they are, each other byte as `%XX`: one spelling that paths, queries and forms all read back.
std::string percent_encoded(std::string_view);

}  // namespace sallyport
