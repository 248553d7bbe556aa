// One try to sign in, between the way to the provider and the way back. The browser keeps it, sealed, in a cookie: of
// somebody who is nobody yet nothing is stored here. Pure.
#pragma once

#include "gateway/config/configuration.hpp"
#include "gateway/jose/sealing.hpp"
#include "workflows/result.hpp"
#include "workflows/time.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace sallyport::openid {

struct attempt {
    std::string issuer, client_id;  // whom it was begun with: an answer is taken to nobody else
    std::string state, nonce, verifier;
    std::string next;  // a path of ours
    time_point expires_at;
};

inline constexpr std::chrono::minutes attempt_life{10};
inline constexpr std::size_t longest_sealed = 4096;

/// With fresh random values.
attempt begin_attempt(const config::oidc_sign_in&, std::string next, time_point now);

std::string seal(const attempt&, const keyring&);  // base64url
/// `expired` for whatever we did not seal, or too long ago.
result<attempt> open_attempt(std::string_view sealed, const keyring&, time_point now);

/// Where the browser is sent: code flow with PKCE S256 (RFC 6749 §4.1.1, RFC 7636 §4.3, OpenID Connect Core 1.0 §3.1.2.1).
std::string authorization_url(std::string_view endpoint, const attempt&, const config::oidc_sign_in&, std::string_view redirect_uri);

/// `name=value&…` (application/x-www-form-urlencoded), appended.
void append_form(std::string& to, std::string_view name, std::string_view value);

/// The path if it is one of ours to go on to, else `/`: no other origin, and no way to write one that some browser reads so.
std::string local_path(std::string_view next);

}  // namespace sallyport::openid
