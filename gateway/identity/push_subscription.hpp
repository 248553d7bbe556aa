// What it takes to send to a browser, sealed for the database; and what says to push services that it is we who send.
#pragma once

#include "gateway/jose/key.hpp"
#include "gateway/jose/sealing.hpp"
#include "notifiers/notice.hpp"
#include "workflows/result.hpp"
#include "workflows/time.hpp"

#include <string>
#include <string_view>

namespace sallyport::identity {

/// Of that address: 22 characters of base64url, the first 16 bytes of its SHA-256. The page works it out alike, and so finds itself
/// in the list.
std::string push_subscription_id(std::string_view endpoint);

std::string seal_push_target(const keyring&, const notifiers::push_target&);
/// `internal_error` for what was not sealed under this key for this id.
result<notifiers::push_target> open_push_target(const keyring&, std::string_view id, std::string_view sealed);

/// Push services on this machine may be spoken to: the gateway is itself reached there only, so this is a trial. Elsewhere
/// somebody who may sign in could have the gateway knock at its neighbours. `public_host`: public_url's.
bool push_by_loopback(std::string_view public_host);

/// The public key as browsers are given it, `applicationServerKey` (Push API §7.2.1): base64url of 65 bytes.
std::string push_public_key(const jose::private_key&);
/// `vapid t=…, k=…` (RFC 8292 §3) for the push service of that origin, good for twelve hours. `public_url` says who sends.
std::string push_authorization(const jose::private_key&, std::string_view origin, std::string_view public_url, time_point now);

}  // namespace sallyport::identity
