// One connection of a server: its requests one after another, its end. Inside the server; handlers see `exchange`.
#pragma once

#include "gateway/http/exchange.hpp"
#include "gateway/http/server.hpp"
#include "gateway/http/timers.hpp"

#include <boost/asio/ip/address.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace sallyport::http {

class connection : public detail::ring {
public:
    /// `refused`: there are too many already; it is told so and closed.
    connection(http::core&, const server_options&, const std::atomic<bool>& stopping, int family, int descriptor,
               std::optional<boost::asio::ip::address> remote, bool refused);
    ~connection();
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    /// Returns when the connection is closed.
    awaitable<void> run();
    /// The server began to stop: an idle connection ends, one that waits answers.
    void nudge() noexcept { exchange_.stream_.interrupt(); }
    void cut() noexcept { exchange_.stream_.disconnect(); }

private:
    awaitable<result<bool>> next_head();
    awaitable<void> answer();
    awaitable<bool> ready_for_next();
    awaitable<void> refuse(failure);
    awaitable<void> linger();

    const server_options& options_;
    exchange exchange_;
    bool refused_;
    bool first_ = true;
};

}  // namespace sallyport::http
