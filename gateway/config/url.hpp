// The URLs that a configuration may name. A password in any of them is an error (semantics.md), so is everything else
// before an `@`; messages never repeat a URL, which may hold what does not belong there.
#pragma once

#include "gateway/config/configuration.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::config {

struct url {
    std::string scheme;    // lower case
    std::string host;      // lower case, without brackets
    bool address = false;  // the host is an IP address
    std::uint16_t port = 0;
    std::string authority;  // as in a Host field: without the scheme's own port
    std::string path;       // canonical segments without a final slash: `` or `/base`
    /// Scheme, authority, path.
    std::string text() const { return scheme + "://" + authority + path; }
};

/// An absolute URL with a host, of one of two schemes, without user, query and fragment. `wrong` says what is, to
/// follow "`upstream` ". Ports: 1 to 65535.
std::optional<url> read_url(std::string_view text, std::string_view scheme, std::string_view tls_scheme, std::string& wrong);

/// RFC 3986 segments in the one form that semantics.md "Paths" judges, so that a prefix can match: no empty or dot
/// segment, no final slash, escapes only where needed and in upper case. `/` alone is not one. Empty: it is right.
std::string wrong_with_path(std::string_view path);

/// `postgresql://…` or `postgres://…` without any password. Empty: it is right.
std::string wrong_with_database(std::string_view uri);

/// A host name or IPv4 address without port. Empty: it is right.
std::string wrong_with_host(std::string_view host);

/// `HOST:PORT` with a literal address or a name, `[V6]:PORT`; port 0 lets the system choose.
std::optional<listen_address> read_listen_address(std::string_view text);

}  // namespace sallyport::config
