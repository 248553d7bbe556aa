// The strict check of a message's head (RFC 9112): whatever two parsers could read in two ways is refused, before any
// parser reads it. One pass; each line is looked at once, however the bytes arrive.
#pragma once

#include "workflows/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport::http {

/// Header fields in one head; more are refused.
inline constexpr std::size_t max_fields = 128;

/// What the check learnt on its way.
struct framing {
    std::size_t head_bytes = 0;  // request line or status line, fields and the empty line
    std::size_t fields = 0;
    std::optional<std::uint64_t> content_length;
    bool chunked = false;
    std::uint8_t minor_version = 1;
    int status = 0;  // of a response
};

namespace detail {
class head_check {
public:
    const framing& facts() const noexcept { return facts_; }

protected:
    explicit head_check(std::size_t limit) noexcept : limit_(limit) {}

    // Null or the reason for which the line is refused; `line` is without its CR LF.
    using line_check = const char* (*)(head_check&, std::string_view line);
    result<bool> look(std::string_view bytes, line_check first_line, line_check at_end);
    const char* field_line(std::string_view line);
    const char* named_field(std::string_view name, std::string_view value);

    framing facts_;
    std::size_t limit_;
    std::size_t line_start_ = 0;
    std::size_t searched_ = 0;
    bool first_line_done_ = false;
    bool transfer_encoding_ = false;
    bool is_request_ = true;
    std::uint8_t hosts_ = 0;
};
}  // namespace detail

/// A request's head. `look` is given all bytes from the head's first on, again with each that arrive; true: the head is
/// complete and `facts()` holds; false: more is needed; a failure (`malformed_request`) stays one.
class request_framing : public detail::head_check {
public:
    explicit request_framing(std::size_t limit) noexcept : head_check(limit) {}
    result<bool> look(std::string_view bytes);
};

/// A response's head, with the same rules where they apply; what fails is `outcome_unknown`'s business, so the caller
/// looks at the detail only. `facts()` says what the fields say, not what the status makes of it.
class response_framing : public detail::head_check {
public:
    explicit response_framing(std::size_t limit) noexcept : head_check(limit) { is_request_ = false; }
    result<bool> look(std::string_view bytes);
};

}  // namespace sallyport::http
