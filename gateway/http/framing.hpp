// The strict reading of a message's head (RFC 9112): whatever two parsers could read in two ways is refused. One pass;
// each line is looked at once, however the bytes arrive. What it takes, Beast's parser takes too and reads alike: the tests
// hold the two together, so that no call pays for both.
#pragma once

#include "gateway/canonical/field.hpp"
#include "workflows/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace sallyport::http {

/// Header fields in one head; more are refused.
inline constexpr std::size_t max_fields = 128;

/// What the check learnt on its way: what the fields say, not yet what a response's status makes of it. The views are into
/// the bytes of the `look` that met them.
struct framing {
    std::size_t head_bytes = 0;  // first line, fields and the empty line
    std::size_t fields = 0;
    std::optional<std::uint64_t> content_length;
    bool chunked = false;
    std::uint8_t minor_version = 1;
    std::string_view method, target, host;  // of a request; no Host: empty
    bool expect_continue = false;
    bool close = false, keep_alive = false;  // what Connection says
    int status = 0;                          // of a response
    std::string_view reason;
};

/// `host` or `host:port`, where host is a name of letters, digits, `-._~`, an IPv4 address, or an IPv6 address in
/// brackets (RFC 3986 §3.2.2 without what nobody needs: escapes, sub-delimiters, user information, an empty port).
bool valid_authority(std::string_view) noexcept;

namespace detail {

class head_check {
public:
    const framing& facts() const noexcept { return facts_; }

protected:
    explicit head_check(std::size_t limit) noexcept : limit_(limit) {}
    ~head_check() = default;

    /// Each check gives the reason for refusing, or null. `line` is without its CR LF.
    using checks = const char* (*)(head_check&, std::string_view line);
    result<bool> look(std::string_view bytes, field* into, bool (*may_begin)(char), checks first_line, checks at_end);

    framing facts_;
    std::uint8_t hosts_ = 0;
    bool transfer_encoding_ = false;

private:
    const char* field_line(std::string_view line, field* into);
    const char* known_field(std::string_view name, std::string_view value);
    const char* connection(std::string_view value);
    const char* content_length(std::string_view value);
    void restart() noexcept;

    std::size_t limit_;
    std::size_t line_start_ = 0;
    std::size_t searched_ = 0;
    bool first_line_done_ = false;
};

}  // namespace detail

/// A request's head. `look` is given all bytes from the head's first on, again whenever more arrived. True: the head is
/// complete, `facts()` holds, and `into`, if given, has its fields (room for `max_fields`). False: more is needed. A failure
/// (`malformed_request`) is final.
class request_framing : public detail::head_check {
public:
    explicit request_framing(std::size_t limit) noexcept : head_check(limit) {}
    result<bool> look(std::string_view bytes, field* into = nullptr);

private:
    static const char* request_line(head_check&, std::string_view line);
    static const char* whole(head_check&, std::string_view);
};

/// A response's head, by the same rules where they apply. What a refusal means is the caller's to say (`outcome_unknown`);
/// here too it is `malformed_request` with the reason as its detail.
class response_framing : public detail::head_check {
public:
    explicit response_framing(std::size_t limit) noexcept : head_check(limit) {}
    result<bool> look(std::string_view bytes, field* into = nullptr);

private:
    static const char* status_line(head_check&, std::string_view line);
    static const char* whole(head_check&, std::string_view);
};

}  // namespace sallyport::http
