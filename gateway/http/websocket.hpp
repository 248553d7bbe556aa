// A WebSocket (RFC 6455) as a client, for a thread of its own, which may block: a message in, a message out. By Beast.
#pragma once

#include "workflows/result.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace sallyport::http {

struct websocket_options {
    std::string url;           // ws or wss
    std::filesystem::path ca;  // PEM; empty: the system's. Certificates are always checked
    std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);
    std::chrono::milliseconds idle = std::chrono::seconds(40);  // half of it without a word: we ping; all of it: it is over
    std::size_t longest_message = 1 << 20;
};

/// One connection, of one thread, but for `cut`. Failures are `upstream_unreachable`; after one it is over.
class websocket {
public:
    websocket();
    ~websocket();
    websocket(const websocket&) = delete;
    websocket& operator=(const websocket&) = delete;

    /// Once. Bounded by `connect_timeout` for each of name, connection and handshakes, but for a name that nobody answers for: that
    /// takes as long as the system's resolver does.
    result<void> open(const websocket_options&);
    /// The next message; `idle` is its only bound.
    result<std::string> read();
    result<void> write(std::string_view text);
    /// What waits fails soon, and so does all that comes. Any thread; does not block.
    void cut() noexcept;

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace sallyport::http
