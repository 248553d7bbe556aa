// Whether a host is this machine, so that what goes there passes no net: secrets may go there without TLS.
#pragma once

#include <algorithm>
#include <string_view>

namespace sallyport {

/// `localhost`, 127.0.0.0/8 as an address (`127.evil.example` is a name, and none of ours) and ::1, without brackets.
inline bool is_loopback(std::string_view host) noexcept
{
    if (host == "localhost" || host == "::1") return true;
    return host.starts_with("127.") && std::all_of(host.begin(), host.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

}  // namespace sallyport
