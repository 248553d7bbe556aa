// The canonical action: one call of an agent as it will be sent, and the digest that decisions are bound to (wire.md,
// "The statement's members"). The forwarded request is built from this, never from the agent's bytes alongside it.
#pragma once

#include "gateway/canonical/field.hpp"
#include "workflows/encoding.hpp"
#include "workflows/ids.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport {

/// Owns everything, so that it can be stored, shown and sent later. Plain data.
struct action {
    action_id id;
    agent_id agent;
    std::string route;
    std::string method;
    std::string authority;                                     // the upstream's
    std::string target;                                        // as asked of the upstream: its base path in front
    std::vector<std::pair<std::string, std::string>> headers;  // lower-case names, in order; values as received
    std::string body;
    std::optional<std::string> content_digest;  // `sha-256=:…:`; none without a body
};

/// A field value as JSON can hold it: valid UTF-8 in which every byte from 0x80 on is the character of that number
/// (ISO 8859-1, RFC 9110 §5.5). One text for each value, so that the digest binds the exact bytes. Whoever shows
/// `request.headers` shows this.
std::string field_text(std::string_view value);

/// SHA-256 of RFC 8785 of {method, authority, target, headers, content_digest}; no body's digest is null.
digest action_digest(const action&);
digest action_digest(std::string_view method, std::string_view authority, std::string_view target, std::span<const field> headers,
                     std::optional<std::string_view> content_digest);

}  // namespace sallyport
