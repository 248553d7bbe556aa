#include "gateway/forward/resolver.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace sallyport::forward {

namespace {

using raw_address = std::vector<unsigned char>;  // a sockaddr_in or sockaddr_in6 with port 0

struct looked_up {
    std::vector<raw_address> addresses;
    std::string error;
};

looked_up look_up(const std::string& host)
{
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* first = nullptr;
    const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &first);
    if (code != 0) return {{}, ::gai_strerror(code)};
    looked_up found;
    for (const addrinfo* one = first; one != nullptr; one = one->ai_next) {
        if (one->ai_family != AF_INET && one->ai_family != AF_INET6) continue;
        const auto* bytes = reinterpret_cast<const unsigned char*>(one->ai_addr);
        found.addresses.emplace_back(bytes, bytes + one->ai_addrlen);
    }
    ::freeaddrinfo(first);
    if (found.addresses.empty()) found.error = "the name has no address";
    return found;
}

http::stream::endpoint with_port(const raw_address& address, std::uint16_t port)
{
    if (address.size() == sizeof(sockaddr_in)) {
        sockaddr_in v4{};
        std::memcpy(&v4, address.data(), sizeof v4);
        v4.sin_port = htons(port);
        return {&v4, sizeof v4};
    }
    sockaddr_in6 v6{};
    std::memcpy(&v6, address.data(), std::min(sizeof v6, address.size()));
    v6.sin6_port = htons(port);
    return {&v6, sizeof v6};
}

}  // namespace

// What a look-up's thread may touch: it may end long after the resolver and its core are gone.
struct resolver::inbox {
    std::mutex mutex;
    http::core* core = nullptr;  // null: gone
    resolver* owner = nullptr;   // read on the core only
};

resolver::resolver(http::core& core) : core_(&core), inbox_(std::make_shared<inbox>())
{
    inbox_->core = &core;
    inbox_->owner = this;
}

resolver::~resolver()
{
    const std::lock_guard lock(inbox_->mutex);
    inbox_->core = nullptr;
    inbox_->owner = nullptr;
}

bool resolver::start(const std::string& host)
{
    if (running_ >= at_once) return false;
    auto work = [to = inbox_, host]() noexcept {
        try {
            auto found = look_up(host);
            const std::lock_guard lock(to->mutex);
            if (to->core == nullptr) return;
            to->core->post([to, host, found = std::move(found)]() mutable {
                if (to->owner != nullptr) to->owner->finished(host, std::move(found.addresses), std::move(found.error));
            });
        } catch (const std::exception&) {
            // No memory: who waits is told by their deadline.
        }
    };
    try {
        std::thread(std::move(work)).detach();
    } catch (const std::system_error&) {
        return false;
    }
    ++running_;
    return true;
}

void resolver::finished(const std::string& host, std::vector<raw_address> addresses, std::string error)
{
    --running_;
    const auto found = lookups_.find(host);
    if (found == lookups_.end()) return;
    lookup& one = found->second;
    one.running = false;
    one.addresses = std::move(addresses);
    one.error = std::move(error);
    one.good_until = std::chrono::steady_clock::now() + kept_for;
    for (http::signal* waiter : std::exchange(one.waiters, {})) waiter->fire();
}

void resolver::stop() noexcept
{
    for (auto& [host, one] : lookups_)
        for (http::signal* waiter : std::exchange(one.waiters, {})) waiter->fire();
}

http::awaitable<result<resolver::endpoints>> resolver::resolve(const std::string& host, std::uint16_t port, steady_time until)
{
    boost::system::error_code not_literal;
    const auto literal = boost::asio::ip::make_address(host, not_literal);
    if (!not_literal) co_return endpoints{boost::asio::ip::tcp::endpoint(literal, port)};

    lookup& one = lookups_[host];  // stays in place: what is in the map is never taken out
    if (one.addresses.empty() || std::chrono::steady_clock::now() >= one.good_until) {
        if (!one.running) {
            one.running = start(host);
            if (!one.running) co_return fail(problem::upstream_unreachable, "the upstream cannot be reached", "too many look-ups at once");
        }
        http::signal done;
        one.waiters.push_back(&done);
        struct leave {
            std::vector<http::signal*>& waiters;
            http::signal* me;
            ~leave() { std::erase(waiters, me); }
        } const leaving{one.waiters, &done};
        const bool told = co_await done.wait(core_->timers(), until);
        if (!told) co_return fail(problem::upstream_unreachable, "the upstream cannot be reached", "look-up of " + host + ": timed out");
        if (one.addresses.empty())
            co_return fail(problem::upstream_unreachable, "the upstream cannot be reached", "look-up of " + host + ": " + one.error);
    }
    endpoints all;
    for (const raw_address& address : one.addresses) all.push_back(with_port(address, port));
    co_return all;
}

}  // namespace sallyport::forward
