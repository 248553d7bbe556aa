// Values as JSON: plainly, as a person or program expects them, and in the form of cel-spec's conformance suite
// (google.api.expr.v1alpha1.Value in the JSON of protobuf).
#pragma once

#include "gateway/canonical/json.hpp"
#include "gateway/policy/cel/value.hpp"

#include <string>
#include <string_view>

namespace sallyport::policy::cel {

/// A JSON string; bytes that are no UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

/// Timestamps and durations as their texts, bytes in base64, types by name, an optional as its value or null; NaN and
/// infinities as strings. Maps in the order of their keys, which become strings.
void append_json(std::string& out, const value&);

/// `{"int64Value": "1"}`.
void append_conformance_value(std::string& out, const value&);
/// An error for what that form does not know.
value read_conformance_value(const json::value&, workspace&);

}  // namespace sallyport::policy::cel
