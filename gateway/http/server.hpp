// Listens, accepts, and runs one coroutine a connection, which stays on the core that accepted it.
#pragma once

#include "gateway/http/async.hpp"
#include "gateway/http/core.hpp"
#include "gateway/http/exchange.hpp"
#include "gateway/http/tls.hpp"
#include "workflows/result.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::http {

struct server_options {
    /// `127.0.0.1:8080`, `[::1]:8080`, `name:8080`; port 0: any free one. Or a path beginning with `/`: a Unix socket of
    /// mode 0600; one that a dead process left there is replaced.
    std::string address;
    std::shared_ptr<tls_context> tls;  // null: plain

    /// Answers one request; called on the connection's core. If it throws or does not respond: 500.
    std::function<awaitable<void>(exchange&)> handler;
    /// The body (application/problem+json) for what is refused before a handler sees it: `malformed_request`,
    /// `overloaded`, `internal_error`.
    std::function<std::string(const failure&)> problem_document;
    /// One line each, already without the peer's bytes. Called on any core, so it must be thread-safe.
    std::function<void(std::string_view)> log;

    std::size_t header_bytes = 64 << 10;              // of one head; more is `malformed_request`
    std::size_t max_connections = 20'000;             // at once over all cores; beyond: 503 `overloaded`, Retry-After, close
    std::chrono::milliseconds head_time{10'000};      // from a head's first byte (or the connection) to its end, in all
    std::chrono::milliseconds idle_time{75'000};      // between two requests
    std::chrono::milliseconds progress_time{30'000};  // for every 4 KiB of a body, and for every write to be taken
    std::chrono::milliseconds body_time{60'000};      // to wait in all, for a body and for an answer each, and what its bytes earn:
    std::size_t body_rate = 8 << 10;                  // for so many of them another second
    std::chrono::milliseconds linger_time{2'000};     // for a client that still sends to see the answer
};

/// What of the options may change while it runs.
struct server_changes {
    std::shared_ptr<tls_context> tls;  // null: as it was
    std::size_t header_bytes = 0;
    std::size_t max_connections = 0;
};

class listener;

class server {
public:
    /// Binds on every core before it returns; nothing is accepted until `start`. Fails with `conflict` when the address
    /// is in use (also by another Sallyport), `invalid_input` when it cannot be understood or bound.
    static result<std::unique_ptr<server>> bind(std::span<http::core* const> cores, server_options);
    /// After `stop` has returned, or with the cores' loops ended; on any thread then.
    ~server();
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    /// From any thread, which later starts or stops it too.
    void start();
    /// For connections that are accepted from now on. From any thread.
    void change(const server_changes&);
    /// Stops accepting at once, closes idle connections, lets running exchanges end until `deadline`, cuts the rest.
    /// Returns on the caller's core, which need not be one of the server's, when no connection is left; at once when it
    /// was never started.
    awaitable<void> stop(steady_time deadline);

    /// Where it listens: `127.0.0.1:41234`, or the path.
    const std::string& address() const noexcept { return address_; }
    std::uint16_t port() const noexcept { return port_; }
    std::size_t connections() const noexcept;

private:
    friend class listener;
    friend class connection;
    explicit server(server_options);

    server_options options_;
    std::string address_;
    std::uint16_t port_ = 0;
    std::atomic<std::size_t> connections_{0};
    std::atomic<bool> stopping_{false};
    std::atomic<bool> started_{false};
    std::vector<std::unique_ptr<listener>> listeners_;
};

}  // namespace sallyport::http
