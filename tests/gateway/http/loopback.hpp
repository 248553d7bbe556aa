// A server with its core on a thread, and a blocking client that sends bytes as given. Every wait ends: nothing here takes
// longer than `patience`, and nothing sleeps for a time.
#pragma once

#include "gateway/http/core.hpp"
#include "gateway/http/server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace loopback {

using namespace sallyport;
using namespace sallyport::http;
using namespace std::chrono_literals;

constexpr auto patience = 10s;

/// Runs a coroutine on a core and waits for its end.
inline void on(core& where, awaitable<void> task)
{
    std::promise<void> ended;
    boost::asio::co_spawn(where.get_executor(), std::move(task), [&ended](const std::exception_ptr& thrown) {
        if (thrown)
            ended.set_exception(thrown);
        else
            ended.set_value();
    });
    auto done = ended.get_future();
    REQUIRE(done.wait_for(patience) == std::future_status::ready);
    done.get();
}

class running {
public:
    using handler = std::function<awaitable<void>(exchange&)>;

    explicit running(handler serve, const std::function<void(server_options&)>& change = {}, std::size_t cores = 1)
    {
        server_options options;
        options.address = "127.0.0.1:0";
        options.handler = std::move(serve);
        options.problem_document = [](const failure& why) { return std::string(facts(why.what).name) + ": " + why.detail; };
        options.log = [this](std::string_view line) {
            const std::lock_guard lock(mutex_);
            log_.emplace_back(line);
        };
        if (change) change(options);
        std::vector<http::core*> all;
        for (std::size_t i = 0; i < cores; ++i) {
            cores_.push_back(std::make_unique<http::core>());
            all.push_back(cores_.back().get());
        }
        auto bound = server::bind(all, std::move(options));
        if (!bound) FAIL(bound.error().detail);
        server_ = std::move(*bound);
        for (http::core* one : all)
            one->start([this](std::string_view line) {
                const std::lock_guard lock(mutex_);
                log_.push_back("loop: " + std::string(line));
            });
        server_->start();
    }
    ~running() { stop(0s); }

    void stop(std::chrono::milliseconds grace)
    {
        if (!server_) return;
        auto stopping = server_->stop(std::chrono::steady_clock::now() + grace);
        on(*cores_[0], std::move(stopping));
        CHECK(server_->connections() == 0);
        server_.reset();
    }

    sallyport::http::core& core(std::size_t i = 0) { return *cores_[i]; }
    sallyport::http::server& server() { return *server_; }
    std::uint16_t port() const { return server_->port(); }
    std::vector<std::string> log()
    {
        const std::lock_guard lock(mutex_);
        return log_;
    }

private:
    std::mutex mutex_;
    std::vector<std::string> log_;
    std::vector<std::unique_ptr<sallyport::http::core>> cores_;
    std::unique_ptr<sallyport::http::server> server_;
};

class client {
public:
    explicit client(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::connect(descriptor_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
        const int on = 1;
        ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    explicit client(const std::string& path) : descriptor_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        sockaddr_un to{};
        to.sun_family = AF_UNIX;
        path.copy(to.sun_path, sizeof to.sun_path - 1);
        REQUIRE(::connect(descriptor_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    }
    client(client&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)), read_(std::move(other.read_)) {}
    ~client() { close(); }
    void close()
    {
        if (descriptor_ >= 0) ::close(descriptor_);
        descriptor_ = -1;
    }
    void reset()
    {
        const linger hard{1, 0};
        ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        close();
    }
    int descriptor() const { return descriptor_; }

    /// False when the peer takes no more.
    bool send(std::string_view bytes)
    {
        while (!bytes.empty()) {
            const ssize_t n = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }
    void shutdown_send() { ::shutdown(descriptor_, SHUT_WR); }

    /// Up to and with the mark; what came before the end if that comes first.
    std::string until(std::string_view mark)
    {
        for (std::size_t searched = 0;;) {
            if (const std::size_t at = read_.find(mark, searched); at != std::string::npos) return take(at + mark.size());
            searched = read_.size() - std::min(read_.size(), mark.size() - 1);
            if (!more()) return take(read_.size());
        }
    }
    std::string exactly(std::size_t size)
    {
        while (read_.size() < size && more()) {}
        return take(std::min(size, read_.size()));
    }
    /// Everything to the end of the connection.
    std::string rest()
    {
        while (more()) {}
        return take(read_.size());
    }
    /// Head and body of one response with a Content-Length.
    std::string response(bool to_head = false)
    {
        std::string head = until("\r\n\r\n");
        const std::size_t at = head.find("Content-Length: ");
        if (at == std::string::npos || to_head) return head;
        return head + exactly(static_cast<std::size_t>(std::stoul(head.substr(at + 16))));
    }
    /// The connection's end came, and no bytes before it; how it came.
    bool ended() { return read_.empty() && !more(); }
    bool was_reset() const { return reset_; }

private:
    bool more()
    {
        pollfd one{descriptor_, POLLIN, 0};
        const int ready = ::poll(&one, 1, static_cast<int>(std::chrono::milliseconds(patience).count()));
        REQUIRE_MESSAGE(ready == 1, "nothing came, after: " << read_);
        char bytes[16384];
        const ssize_t n = ::recv(descriptor_, bytes, sizeof bytes, 0);
        reset_ = n < 0;
        if (n <= 0) return false;
        read_.append(bytes, static_cast<std::size_t>(n));
        return true;
    }
    std::string take(std::size_t size)
    {
        std::string taken = read_.substr(0, size);
        read_.erase(0, size);
        return taken;
    }

    int descriptor_ = -1;
    std::string read_;
    bool reset_ = false;
};

inline bool begins(const std::string& text, std::string_view with) { return std::string_view(text).starts_with(with); }
inline bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace loopback
