// Scopes: a route's id (every method) or `ROUTE:read` (GET, HEAD, OPTIONS). wire.md, "Tokens".
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::identity {

struct scope {
    std::string route;
    bool read_only = false;

    std::string text() const { return read_only ? route + ":read" : route; }
    static scope parse(std::string_view text);
    /// Whether whoever has this one may be given `other`.
    bool covers(const scope& other) const noexcept { return route == other.route && (!read_only || other.read_only); }
};

/// More than an agent has routes; what is asked for is read before anybody has proved who they are.
inline constexpr std::size_t most_scopes = 256;

/// A space-separated list (RFC 6749 §3.3), without empty parts and repetitions; none when it is of more than `most_scopes`.
std::optional<std::vector<scope>> parse_scopes(std::string_view list);
std::string text_of(std::span<const scope>);

bool reads_only(std::string_view method) noexcept;
bool permits(std::span<const scope>, std::string_view route, std::string_view method) noexcept;

}  // namespace sallyport::identity
