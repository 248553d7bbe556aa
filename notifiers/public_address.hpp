// Whether an address is one of the public internet: what others may name, we may speak to. Whoever hands in a URL could otherwise
// have the gateway knock at machines that only the gateway sees.
#pragma once

#include <sys/socket.h>

namespace sallyport::notifiers {

/// False for loopback, private, link-local, shared (RFC 6598), multicast, reserved and documentation addresses (IANA's special-purpose
/// registries), for IPv6 beyond 2000::/3, for IPv4 within IPv6 that is such, and for other families.
bool is_public(const sockaddr&) noexcept;
/// 127.0.0.0/8 and ::1.
bool is_loopback(const sockaddr&) noexcept;

}  // namespace sallyport::notifiers
