// An allowed call: the agent's request upstream, and the upstream's answer back, both in bounded pieces, each side as
// fast as the other takes it (semantics.md, "An allowed call's failure").
#pragma once

#include "gateway/config/configuration.hpp"
#include "gateway/forward/outgoing.hpp"
#include "gateway/forward/pool.hpp"
#include "gateway/http/async.hpp"
#include "gateway/http/exchange.hpp"
#include "workflows/result.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace sallyport::forward {

/// Where the request's body comes from.
class body_source {
public:
    /// Was read before; viewed until `forward` returns. Empty: there is none.
    static body_source whole(std::string_view bytes) noexcept { return {bytes, false}; }
    /// Not yet read: comes from the exchange, at most the route's `body_limit`.
    static body_source from_agent() noexcept { return {{}, true}; }

    bool streamed() const noexcept { return streamed_; }
    std::string_view bytes() const noexcept { return bytes_; }

private:
    body_source(std::string_view bytes, bool streamed) noexcept : bytes_(bytes), streamed_(streamed) {}
    std::string_view bytes_;
    bool streamed_;
};

struct timing {
    http::steady_time connected{};   // a connection was at hand; the request's first byte went then
    http::steady_time first_byte{};  // of the answer
    http::steady_time ended{};
};

struct forwarded {
    /// The upstream's; 0 when no head was passed on.
    int status = 0;
    /// None when the answer was passed on whole (or the agent left in the middle). The call's outcome otherwise:
    /// `upstream_unreachable` nothing was sent; `upstream_timeout` nothing came in time; `outcome_unknown` what came was no
    /// well-formed answer; `body_too_large`, `malformed_request` the agent's body failed while it was streamed;
    /// `internal_error` the request could not be written.
    std::optional<failure> failed;
    /// False: nothing was written to the agent, and the caller answers. True with `failed`: the agent's connection was
    /// ended without the answer's end, and nothing can be said to it any more.
    bool head_written = false;
    bool agent_gone = false;           // it left before it had the whole answer
    std::uint64_t request_bytes = 0;   // handed to the upstream's connection, heads and framing too
    std::uint64_t response_bytes = 0;  // of the answer's body, as received
    timing times;
};

/// Sends one allowed call, once, and passes its answer on. `route.timeout` runs from the call to the answer's head (while a
/// body is streamed: from its last progress), then between two reads. `added`: fields that the gateway puts into the
/// answer (`Sallyport-Action`); hop-by-hop fields and the upstream's own `Sallyport-*` are taken out. Everything that is
/// passed by reference or views must live until it returns.
http::awaitable<forwarded> forward(http::exchange& agent, upstream_pool& pool, const config::route& route, const outgoing& request,
                                   const body_source& body, std::span<const field> added);

}  // namespace sallyport::forward
