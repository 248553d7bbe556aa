// An upstream that does exactly what a test tells it to, byte for byte, on threads of its own; and a gateway in front of it
// that does nothing but forward.
#pragma once

#include "gateway/forward/forward.hpp"
#include "gateway/forward/send.hpp"
#include "tests/gateway/http/loopback.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

struct ssl_st;
struct ssl_ctx_st;

namespace stand_in {

using namespace std::chrono_literals;
using sallyport::forward::forwarded;
namespace forward = sallyport::forward;
namespace config = sallyport::config;
namespace http = sallyport::http;

/// One connection as the stand-in sees it. Reading ends after `loopback::patience` at the latest.
class peer {
public:
    peer(int descriptor, ssl_st* tls) : descriptor_(descriptor), tls_(tls) {}
    peer(const peer&) = delete;
    peer& operator=(const peer&) = delete;
    ~peer() { close(); }

    /// Up to and with the empty line; empty when the connection ended.
    std::string head();
    std::string exactly(std::size_t);
    std::string until(std::string_view mark);
    /// Everything up to the connection's end.
    std::string rest();
    bool send(std::string_view);
    /// What is sent from now on goes with the connection's end, in one segment.
    void send_with_end();
    void shutdown_send();
    void close();
    void reset();
    /// The connection ended with a reset.
    bool was_reset() const { return reset_; }
    bool resumed() const;
    /// Ends the reading of another thread.
    void interrupt();

private:
    bool more();
    int descriptor_;
    ssl_st* tls_;
    std::string read_;
    bool reset_ = false;
};

class upstream {
public:
    /// Called for each connection, on its own thread; `nth` counts from 0.
    using script = std::function<void(peer&, int nth)>;

    explicit upstream(script, ssl_ctx_st* tls = nullptr);
    ~upstream();
    upstream(const upstream&) = delete;
    upstream& operator=(const upstream&) = delete;

    std::uint16_t port() const { return port_; }
    int connections() const { return connections_; }

private:
    void accept();
    script script_;
    ssl_ctx_st* tls_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<int> connections_{0};
    std::mutex mutex_;
    std::vector<std::unique_ptr<peer>> peers_;
    std::vector<std::thread> threads_;
    std::thread acceptor_;
    bool ending_ = false;
};

/// Reads a head and the body that its Content-Length tells; then says what it is told to.
upstream::script answers(std::string text);
/// Reads whole requests and answers each with `200` and the target as its body, until the connection ends.
void echo_targets(peer&);

config::route route_to(std::uint16_t port, std::chrono::milliseconds timeout = 5s);

/// A coroutine's value, computed on a core.
template <class T>
T on_core(http::core& core, std::function<http::awaitable<T>()> make)
{
    std::optional<T> value;
    const auto run = [&]() -> http::awaitable<void> { value.emplace(co_await make()); };
    loopback::on(core, run());
    return std::move(*value);
}

/// The gateway: every request goes to `route`, to the target as it is.
class proxy {
public:
    explicit proxy(config::route, forward::pool_options = {}, const std::function<void(http::server_options&)>& change = {});
    ~proxy();

    std::uint16_t port() const { return server_->port(); }
    http::core& core() { return server_->core(); }
    forward::upstream_pool& pool() { return *pool_; }
    config::route& route() { return route_; }

    /// Before the first request.
    void inject(std::string header, std::string value, std::string raw);
    void read_bodies_first() { read_first_ = true; }

    /// What `forward` said of the nth call; waits until it has.
    forwarded told(std::size_t nth = 0);
    /// A connection, a request, all that comes.
    std::string ask(std::string_view request);
    std::string get(std::string_view target = "/x");
    forward::pool_counts counts();
    std::vector<std::string> log() { return server_->log(); }

private:
    http::awaitable<void> handle(http::exchange&);
    config::route route_;
    std::string header_, value_;
    forward::credential_forms forms_;
    bool read_first_ = false;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<forwarded> told_;
    std::unique_ptr<loopback::running> server_;
    std::unique_ptr<forward::upstream_pool> pool_;
};

}  // namespace stand_in
