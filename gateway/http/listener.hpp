// One core's share of a server: a listening socket and the connections that it accepted.
#pragma once

#include "gateway/http/async.hpp"
#include "gateway/http/core.hpp"
#include "gateway/http/timers.hpp"

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace sallyport::http {

class connection;
class server;
struct server_changes;
struct server_options;

class listener {
public:
    /// Takes a listening, non-blocking descriptor.
    listener(server&, http::core&, int family, int descriptor);
    ~listener();
    listener(const listener&) = delete;
    listener& operator=(const listener&) = delete;

    http::core& core() const noexcept { return core_; }

    // On the core:
    void start();
    void change(const server_changes&);
    /// `done` is called there when nothing runs any more.
    void stop(steady_time deadline, std::function<void()> done);

private:
    awaitable<void> accept_all();
    bool accept_some();
    void ended(std::string_view what, const std::exception_ptr&) noexcept;
    void log_sometimes(std::string_view line);
    void cut_all() noexcept;

    server& server_;
    http::core& core_;
    boost::asio::posix::basic_stream_descriptor<executor> socket_;
    int family_;
    std::unique_ptr<server_options> options_;  // the server's, as changed; read and written on this core alone
    detail::ring connections_;
    std::size_t running_ = 0;  // coroutines: the accepting one and one a connection
    std::optional<deadline> cut_at_;
    signal stop_;
    bool stopping_ = false;
    steady_time logged_{};
    std::function<void()> done_;
};

}  // namespace sallyport::http
