// Connections to upstreams, kept open between calls. One pool a core, touched on that core only: no lock.
#pragma once

#include "gateway/canonical/headers.hpp"
#include "gateway/config/configuration.hpp"
#include "gateway/forward/resolver.hpp"
#include "gateway/http/async.hpp"
#include "gateway/http/core.hpp"
#include "gateway/http/head.hpp"
#include "gateway/http/incoming.hpp"
#include "gateway/http/stream.hpp"
#include "gateway/http/timers.hpp"
#include "gateway/http/tls.hpp"
#include "workflows/result.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sallyport::forward {

struct pool_options {
    /// How long a connection is kept without a call; an upstream's `Keep-Alive: timeout` may shorten it.
    std::chrono::milliseconds idle_time{30'000};
    /// For name, connection and handshake together; a route's `timeout` may shorten it.
    std::chrono::milliseconds connect_time{10'000};
    /// Kept for one upstream; what comes back beyond that is closed.
    std::size_t idle_per_upstream = 256;
    /// Of an answer's head; more is no well-formed answer.
    std::size_t header_bytes = 64 << 10;
};

class upstream_pool;

/// What `lease` gives access to. Stays in place.
struct upstream_connection {
    explicit upstream_connection(upstream_pool&);
    ~upstream_connection();
    upstream_connection(const upstream_connection&) = delete;
    upstream_connection& operator=(const upstream_connection&) = delete;

    http::stream stream;
    http::incoming<http::response_head> in;
    std::chrono::milliseconds idle_time{0};  // what the upstream's last answer allows
    bool reused = false;

private:
    friend class upstream_pool;
    static void told(void*) noexcept;
    upstream_pool* pool_;
    http::deadline idle_until_;
    struct upstream_slot* slot_ = nullptr;
    std::uint64_t generation_ = 0;
    std::size_t at_ = 0;  // its place among the pool's busy ones
};

/// One connection for one call. What is not given back is closed. Must not outlive its pool, and is emptied only when no
/// coroutine is in one of its connection's operations.
class lease {
public:
    lease() = default;
    lease(lease&& other) noexcept;
    lease& operator=(lease&& other) noexcept;
    ~lease();

    explicit operator bool() const noexcept { return connection_ != nullptr; }
    upstream_connection& operator*() const noexcept { return *connection_; }
    upstream_connection* operator->() const noexcept { return connection_.get(); }

    /// Only after a whole answer to a whole request, with nothing behind it.
    void give_back() noexcept;
    /// Closes it; with `hard`, so that the upstream cannot take a part of the request for all of it.
    void drop(bool hard = false) noexcept;

private:
    friend class upstream_pool;
    lease(upstream_pool&, std::shared_ptr<upstream_slot>, std::unique_ptr<upstream_connection>) noexcept;
    upstream_pool* pool_ = nullptr;
    std::shared_ptr<upstream_slot> slot_;
    std::unique_ptr<upstream_connection> connection_;
};

/// What it did so far; for metrics and tests.
struct pool_counts {
    std::uint64_t opened = 0;
    std::uint64_t reused = 0;
    std::uint64_t discarded = 0;  // found closed, or with bytes that nobody asked for
    std::size_t idle = 0;
    std::size_t leased = 0;
};

class upstream_pool {
public:
    explicit upstream_pool(http::core&, pool_options = {});
    /// When no lease is out and nobody waits in `take`.
    ~upstream_pool();
    upstream_pool(const upstream_pool&) = delete;
    upstream_pool& operator=(const upstream_pool&) = delete;

    /// An idle connection that was looked at first; empty when there is none.
    lease take_idle(const config::upstream& to, const std::filesystem::path& ca);
    /// The same, or a new one: every address of the name is tried, and TLS verifies
    /// certificate and name. `fresh`: a new one in any case. Connections of different scheme, host, port or `ca` never mix.
    /// Fails with `upstream_unreachable`: not a byte of a request was sent. References are used until it returns.
    http::awaitable<result<lease>> take(const config::upstream& to, const std::filesystem::path& ca, http::steady_time until,
                                        bool fresh = false);

    /// The configuration was swapped: certificates are read anew when they are next needed, and no connection of before is
    /// used for another call.
    void refresh() noexcept;
    /// Closes what is idle.
    void close_idle() noexcept;
    /// The program ends: whatever waits for an upstream is cut, so that its call ends soon as the failure that it then is
    /// (`outcome_unknown` if anything was sent), and nothing new is taken.
    void stop() noexcept;

    http::core& core() const noexcept { return *core_; }
    const pool_options& options() const noexcept { return options_; }
    pool_counts counts() const noexcept { return counts_; }
    /// For whoever is done with it before suspending.
    header_list& scratch_fields() noexcept { return scratch_fields_; }

private:
    friend class lease;
    friend struct upstream_connection;

    struct key {
        std::string host;
        std::string ca;
        std::uint16_t port = 0;
        bool tls = false;
    };
    struct key_view {
        std::string_view host, ca;
        std::uint16_t port;
        bool tls;
        // NOLINTNEXTLINE(google-explicit-constructor): so that the map finds by the view
        key_view(const key& k) noexcept : host(k.host), ca(k.ca), port(k.port), tls(k.tls) {}
        key_view(const config::upstream& to, const std::filesystem::path& ca_file) noexcept
            : host(to.host),
              ca(to.tls ? std::string_view(ca_file.native()) : std::string_view()),
              port(to.port),
              tls(to.tls)
        {
        }
        friend bool operator==(const key_view&, const key_view&) = default;
    };
    struct key_hash {
        using is_transparent = void;
        std::size_t operator()(const key_view& k) const noexcept
        {
            const std::hash<std::string_view> text;
            return text(k.host) * 31 + text(k.ca) * 7 + k.port * 2u + (k.tls ? 1u : 0u);
        }
    };
    struct key_equal {
        using is_transparent = void;
        bool operator()(const key_view& a, const key_view& b) const noexcept { return a == b; }
    };
    struct certificates {
        std::shared_ptr<http::tls_context> context;
        std::filesystem::file_time_type stamp;
    };

    std::shared_ptr<upstream_slot> slot_for(const config::upstream&, const std::filesystem::path& ca);
    result<std::shared_ptr<http::tls_context>> context_for(const std::filesystem::path& ca);
    http::awaitable<result<void>> connect(upstream_connection&, const config::upstream&, const std::filesystem::path& ca,
                                          http::steady_time until);
    void take_back(upstream_slot&, std::unique_ptr<upstream_connection>) noexcept;
    void forget(upstream_connection&) noexcept;
    void busy(upstream_connection&);
    void not_busy(upstream_connection&) noexcept;

    http::core* core_;
    pool_options options_;
    resolver resolver_;
    std::unordered_map<key, std::shared_ptr<upstream_slot>, key_hash, key_equal> slots_;
    std::unordered_map<std::string, certificates> contexts_;
    std::vector<upstream_connection*> busy_;  // connecting, or lent out
    header_list scratch_fields_;
    pool_counts counts_;
    std::uint64_t generation_ = 0;
    bool stopped_ = false;
};

}  // namespace sallyport::forward
