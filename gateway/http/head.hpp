// The head of a request or response as it was received: views into the buffer of the `incoming` that owns it, checked
// by `framing.hpp` before anybody sees it.
#pragma once

#include "gateway/canonical/field.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace sallyport::http {

/// The name as received: compare with equals_ignoring_case. The value without the optional white space around it; it may
/// hold bytes from 0x80 on.
using sallyport::field;

/// ASCII only (RFC 9110 §5.1).
inline bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept { return same_ignoring_case(a, b); }
/// The first field of that name; none.
std::optional<std::string_view> find(std::span<const field>, std::string_view name) noexcept;
std::size_t count(std::span<const field>, std::string_view name) noexcept;
/// Whether a comma list (RFC 9110 §5.6.1) has that token.
bool list_has(std::string_view list, std::string_view token) noexcept;

struct request_head {
    std::string_view method;        // upper case
    std::string_view target;        // visible ASCII, as received: begins with `/`, `http://` or `https://`
    std::string_view host;          // the Host field: host, or host:port; empty only in HTTP/1.0 without one
    std::span<const field> fields;  // all, in order, Host and framing fields too
    std::optional<std::uint64_t> content_length;
    std::uint8_t minor_version = 1;  // HTTP/1.0 or HTTP/1.1
    bool chunked = false;
    bool keep_alive = true;  // the peer wants to go on after this request
    bool expect_continue = false;

    bool has_body() const noexcept { return chunked || content_length.value_or(0) > 0; }
    std::optional<std::string_view> find(std::string_view name) const noexcept { return http::find(fields, name); }
};

struct response_head {
    int status = 0;
    std::string_view reason;  // as received
    std::span<const field> fields;
    /// None with `chunked`, and with a body that ends where the connection does.
    std::optional<std::uint64_t> content_length;
    std::uint8_t minor_version = 1;
    bool chunked = false;
    bool keep_alive = true;
    bool no_body = false;      // 1xx, 204, 304, or the answer to HEAD (RFC 9112 §6.3)
    bool until_close = false;  // the body ends with the connection: whole only if the stream ended properly

    bool interim() const noexcept { return status < 200; }
    std::optional<std::string_view> find(std::string_view name) const noexcept { return http::find(fields, name); }
};

}  // namespace sallyport::http
