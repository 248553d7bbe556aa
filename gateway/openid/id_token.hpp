// What an ID token must say to be about this sign-in and no other (OpenID Connect Core 1.0 §3.1.3.7). Pure.
#pragma once

#include "gateway/jose/jwt.hpp"
#include "workflows/result.hpp"
#include "workflows/time.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace sallyport::openid {

struct expected_claims {
    std::string_view issuer;
    std::string_view client_id;
    std::string_view nonce;
};

inline constexpr std::chrono::seconds clock_leeway{60};  // the provider's clock against ours, either way
inline constexpr std::chrono::minutes oldest_id_token{10};
inline constexpr std::size_t longest_subject = 255;  // §2

/// Who it is about (`sub`). The signature is the caller's to check. `unauthenticated`, whose cause names the claim and never
/// repeats it.
result<std::string> check_id_token(const jose::jwt&, const expected_claims&, time_point now);

/// Visible ASCII, 1 to 255 characters.
bool is_subject(std::string_view) noexcept;

}  // namespace sallyport::openid
