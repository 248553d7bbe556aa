// The Content-Digest field (RFC 9530 §2): `sha-256=:BASE64:`, of the bytes of the content as sent.
#pragma once

#include "workflows/encoding.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

std::string content_digest(std::string_view content);
std::string content_digest(const digest&);

/// Reads exactly what the above writes; other algorithms and further members are none.
std::optional<digest> read_content_digest(std::string_view);

/// `content_digest("")`: what a call without a body is signed with (semantics.md, "Receipt").
std::string_view content_digest_of_nothing() noexcept;

}  // namespace sallyport
