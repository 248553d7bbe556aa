// A grant's terms as JSON: as they are signed (RFC 8785), kept, shown, and asked for. Pure.
#pragma once

#include "gateway/canonical/action.hpp"
#include "gateway/canonical/json.hpp"
#include "workflows/grant.hpp"
#include "workflows/result.hpp"

#include <boost/json/fwd.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

boost::json::object terms_json(const grant_terms&);
/// The one text of those terms.
std::string terms_text(const grant_terms&);
/// `malformed_request` for what has other members, leaves one out, or has it of another kind. Whether the terms make sense is
/// asked by check_terms().
result<grant_terms> read_terms(const json::value&);
/// The same of a text that was kept.
result<grant_terms> read_terms(std::string_view text);

/// The task as actions keep it (`id` and `intent` of an object); none where there is none, and where it cannot be read.
std::optional<call_task> read_task(std::string_view recorded);

/// A call as grants look at it. `json_body`: its fields say that the body is JSON; if it cannot be taken apart, it is looked at
/// as a whole.
grantable_call grantable(const action&, std::string_view scheme, std::string_view recorded_task, bool json_body);

}  // namespace sallyport
