// RFC 8785, the JSON Canonicalization Scheme: one text for one value. Members sorted by UTF-16 code units, numbers as
// ECMAScript writes doubles, strings with the fewest escapes. Everything that is digested or signed as JSON goes here.
#pragma once

#include "gateway/canonical/json.hpp"

#include <boost/json/fwd.hpp>

#include <string>
#include <string_view>

namespace sallyport {

/// Numbers are doubles there (§3.2.2.3): an integer beyond 2^53 is written as the double nearest to it, so what must
/// keep every digit belongs into a string. Throws std::invalid_argument for NaN, infinity and invalid UTF-8: a
/// document with those is our own mistake.
std::string jcs(const boost::json::value&);
std::string jcs(const boost::json::object&);
std::string jcs(const json::value&);

/// For texts that are put together by hand: a string with quotes and escapes (§3.2.2.2), a number (§3.2.2.3).
void append_jcs_string(std::string& to, std::string_view utf8);
void append_jcs_number(std::string& to, double);

}  // namespace sallyport
