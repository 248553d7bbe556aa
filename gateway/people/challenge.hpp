// Challenges that need no memory: random bytes and their end, under a MAC of ours. Whoever asks for one leaves nothing
// behind; only its use does (passkey_store::use), so that it counts once. Pure.
#pragma once

#include "workflows/time.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace sallyport::people {

inline constexpr std::size_t challenge_random = 16;  // bytes: WebAuthn Level 3, §13.4.3 asks for 16

/// The first 128 bits of HMAC-SHA-256 (RFC 2104, §5).
std::string tag_of(std::string_view text, std::string_view key);
bool same_tag(std::string_view, std::string_view) noexcept;  // in constant time

/// `purpose` says for what and for whom: a challenge made for one is none for another. `random`: 16 bytes.
std::string make_challenge(std::string_view purpose, time_point expires_at, std::string_view random, std::string_view key);
/// Whether it was made so, and is not over.
bool is_challenge(std::string_view challenge, std::string_view purpose, time_point now, std::string_view key);

}  // namespace sallyport::people
