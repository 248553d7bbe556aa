// The request that goes upstream, and the bytes of its head. They are written from the canonical action and from what
// the gateway adds, never from the agent's bytes (blueprint.md, "What is decided is what is sent").
//
// The gateway adds, and nothing else: Host; the route's credential; `Accept-Encoding: identity` where there is one, so
// that an echoed credential can be found; what the caller gives as `extra` (receipt, signature); `Via: 1.1 sallyport`
// (RFC 9110 §7.6.3: a gateway must); Content-Length or Transfer-Encoding. No User-Agent is made up.
#pragma once

#include "gateway/canonical/action.hpp"
#include "gateway/canonical/field.hpp"
#include "gateway/forward/redaction.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::forward {

struct injected_credential {
    std::string_view header;                  // its field's name, in any case
    std::string_view value;                   // the whole value: `Bearer …`
    const credential_forms* forms = nullptr;  // what to look for in the answer; null: nothing
};

/// Views: whoever sends it keeps what they view until the sending has returned.
struct outgoing {
    std::string_view method;
    std::string_view target;     // as asked of the upstream: its base path in front, query behind
    std::string_view authority;  // the upstream's, for Host
    std::span<const field> headers;
    std::optional<injected_credential> credential;
    std::span<const field> extra;
};

/// A stored action's fields as `outgoing` wants them; they view into the action.
std::vector<field> fields_of(const action&);

/// How the body is framed (RFC 9112 §6). `none` writes `Content-Length: 0` where the method leads to expect a body
/// (RFC 9110 §8.6).
struct body_framing {
    enum class kind { none, length, chunked } kind = kind::none;
    std::uint64_t length = 0;  // bytes, with `length`

    static body_framing of(std::string_view body) noexcept
    {
        return body.empty() ? body_framing{} : body_framing{kind::length, body.size()};
    }
};

/// Appends request line and fields, up to the empty line. False, with `out` unusable, when any part could end its line or
/// make another message of it: a control character, an empty name, a framing or Host field among `headers` or `extra`.
/// Whoever made the action has refused such things before; this is the last place that can.
[[nodiscard]] bool write_request_head(std::string& text, const outgoing&, const body_framing&);

}  // namespace sallyport::forward
