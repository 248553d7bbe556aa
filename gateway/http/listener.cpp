#include "gateway/http/listener.hpp"

#include "gateway/http/connection.hpp"
#include "gateway/http/server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace sallyport::http {
namespace {

constexpr auto direct = boost::asio::as_tuple(boost::asio::deferred);
constexpr std::size_t at_once = 64;               // accepted before others have their turn
constexpr std::size_t refused_at_once = 256;      // told that there are too many; beyond, closed without a word
constexpr std::chrono::milliseconds breath{100};  // when descriptors or memory ran out

std::optional<boost::asio::ip::address> address_of(const sockaddr_storage& from)
{
    boost::asio::ip::tcp::endpoint peer;
    if (from.ss_family == AF_INET)
        std::memcpy(peer.data(), &from, sizeof(sockaddr_in));
    else if (from.ss_family == AF_INET6)
        std::memcpy(peer.data(), &from, sizeof(sockaddr_in6));
    else
        return std::nullopt;
    return peer.address();
}

}  // namespace

listener::listener(server& owner, http::core& core, int family, int descriptor)
    : server_(owner),
      core_(core),
      socket_(core.context(), descriptor),
      family_(family),
      options_(std::make_unique<server_options>(owner.options_))
{
}

listener::~listener()
{
    if (running_ != 0) broken_invariant("listener: destroyed while a connection runs; stop() the server first");
}

void listener::start()
{
    if (stopping_) return;
    ++running_;
    auto ended_here = [this](const std::exception_ptr& thrown) { ended("accepting", thrown); };
    boost::asio::co_spawn(core_.get_executor(), accept_all(), std::move(ended_here));
}

void listener::change(const server_changes& to)
{
    if (to.tls) options_->tls = to.tls;
    options_->header_bytes = to.header_bytes;
    options_->max_connections = to.max_connections;
}

awaitable<void> listener::accept_all()
{
    while (!stopping_) {
        auto waiting = socket_.async_wait(boost::asio::posix::descriptor_base::wait_read, direct);
        const auto [failed] = co_await std::move(waiting);
        if (stopping_) break;
        if (failed || !accept_some()) {
            // No spinning: the queue stays readable as long as nothing can be taken from it.
            const steady_time later = std::chrono::steady_clock::now() + breath;
            co_await stop_.wait(core_.timers(), later);
        }
    }
}

// False: descriptors or memory ran out.
bool listener::accept_some()
{
    for (std::size_t i = 0; i < at_once; ++i) {
        sockaddr_storage from{};
        socklen_t size = sizeof from;
        const int descriptor = ::accept4(socket_.native_handle(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor < 0) {
            switch (errno) {
            case EAGAIN: return true;
            case EMFILE:
            case ENFILE:
            case ENOBUFS:
            case ENOMEM: log_sometimes(std::string("cannot accept connections: ") + std::strerror(errno)); return false;
            default: continue;  // that one connection's failure (accept(2): ECONNABORTED and errors of the network)
            }
        }
        const std::size_t open = server_.connections_.fetch_add(1, std::memory_order_relaxed);
        if (open >= options_->max_connections + refused_at_once) {
            ::close(descriptor);
            server_.connections_.fetch_sub(1, std::memory_order_relaxed);
            continue;
        }
        auto made = std::make_unique<connection>(core_, *options_, server_.stopping_, family_, descriptor, address_of(from),
                                                 open >= options_->max_connections);
        connection& one = *made;
        connections_.append(one);
        ++running_;
        auto ended_here = [this, made = std::move(made)](const std::exception_ptr& thrown) mutable {
            made.reset();
            server_.connections_.fetch_sub(1, std::memory_order_relaxed);
            ended("a connection", thrown);
        };
        boost::asio::co_spawn(core_.get_executor(), one.run(), std::move(ended_here));
    }
    return true;
}

void listener::ended(std::string_view what, const std::exception_ptr& thrown) noexcept
{
    if (thrown) {
        try {
            std::rethrow_exception(thrown);
        } catch (const std::exception& caught) {
            log_sometimes(std::string(what) + " ended by an exception: " + caught.what());
        } catch (...) {
            log_sometimes(std::string(what) + " ended by an exception of unknown type");
        }
    }
    if (--running_ > 0 || !done_) return;
    cut_at_.reset();  // here, on the core whose wheel it is in
    std::exchange(done_, {})();
}

// What outsiders can cause at will is logged once a second at most.
void listener::log_sometimes(std::string_view line)
{
    const steady_time now = std::chrono::steady_clock::now();
    if (!options_->log || now - logged_ < std::chrono::seconds(1)) return;
    logged_ = now;
    options_->log(line);
}

void listener::stop(steady_time deadline, std::function<void()> done)
{
    stopping_ = true;
    boost::system::error_code ignored;
    socket_.close(ignored);
    stop_.fire();
    if (running_ == 0) {
        done();
        return;
    }
    done_ = std::move(done);
    for (detail::ring* at = connections_.after; at != &connections_; at = at->after) static_cast<connection*>(at)->nudge();
    cut_at_.emplace(
        core_.timers(), [](void* self) noexcept { static_cast<listener*>(self)->cut_all(); }, this);
    cut_at_->set(deadline);
}

void listener::cut_all() noexcept
{
    for (detail::ring* at = connections_.after; at != &connections_; at = at->after) static_cast<connection*>(at)->cut();
}

}  // namespace sallyport::http
