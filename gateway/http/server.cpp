#include "gateway/http/server.hpp"

#include "gateway/http/listener.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace sallyport::http {
namespace {

class descriptor {
public:
    explicit descriptor(int number) noexcept : number_(number) {}
    descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept
    {
        std::swap(number_, other.number_);
        return *this;
    }
    ~descriptor()
    {
        if (number_ >= 0) ::close(number_);
    }
    int get() const noexcept { return number_; }
    int release() noexcept { return std::exchange(number_, -1); }

private:
    int number_;
};

struct socket_address {
    sockaddr_storage storage{};
    socklen_t size = 0;
    const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
    sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
    int family() const noexcept { return storage.ss_family; }
};

failure bind_failure(const std::string& address, int code)
{
    return fail(code == EADDRINUSE ? problem::conflict : problem::invalid_input,
                "cannot listen on " + address + ": " + std::strerror(code));
}

result<socket_address> tcp_address(const std::string& text)
{
    const std::size_t colon = text.rfind(':');
    unsigned port = 65536;  // getaddrinfo would take one beyond 65535 and cut it
    if (colon != std::string::npos) {
        const char* const end = text.data() + text.size();
        const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, port);
        if (error != std::errc() || rest != end) port = 65536;
    }
    if (port > 65535) return fail(problem::invalid_input, "not host:port: " + text);
    std::string host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (const int code = ::getaddrinfo(host.c_str(), text.c_str() + colon + 1, &hints, &found); code != 0)
        return fail(problem::invalid_input, "cannot listen on " + text + ": " + ::gai_strerror(code));
    // `localhost` names two addresses; what people and programs try first is the older one.
    const addrinfo* chosen = found;
    for (const addrinfo* one = found; one; one = one->ai_next)
        if (one->ai_family == AF_INET) {
            chosen = one;
            break;
        }
    socket_address made;
    std::memcpy(&made.storage, chosen->ai_addr, chosen->ai_addrlen);
    made.size = chosen->ai_addrlen;
    ::freeaddrinfo(found);
    return made;
}

void set_option(int number, int level, int name, int value) noexcept { ::setsockopt(number, level, name, &value, sizeof value); }

// The first socket is bound without SO_REUSEPORT, so that an address in use is seen, also when a gateway of the same user
// uses it; those of the other cores share it then.
result<std::vector<descriptor>> open_tcp(socket_address address, std::size_t count, const std::string& name)
{
    std::vector<descriptor> made;
    for (std::size_t i = 0; i < count; ++i) {
        descriptor one(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (one.get() < 0) return bind_failure(name, errno);
        set_option(one.get(), SOL_SOCKET, SO_REUSEADDR, 1);
        if (i > 0) set_option(one.get(), SOL_SOCKET, SO_REUSEPORT, 1);
        if (::bind(one.get(), address.get(), address.size) != 0) return bind_failure(name, errno);
        if (i == 0) {
            if (count > 1) set_option(one.get(), SOL_SOCKET, SO_REUSEPORT, 1);
            if (::getsockname(one.get(), address.get(), &address.size) != 0) return bind_failure(name, errno);  // port 0
        }
        // Linux hands these on to what is accepted: no system call a connection. Keep-alive finds the peers of held calls
        // that went without a word.
        set_option(one.get(), IPPROTO_TCP, TCP_NODELAY, 1);
        set_option(one.get(), SOL_SOCKET, SO_KEEPALIVE, 1);
        set_option(one.get(), IPPROTO_TCP, TCP_KEEPIDLE, 30);
        set_option(one.get(), IPPROTO_TCP, TCP_KEEPINTVL, 10);
        set_option(one.get(), IPPROTO_TCP, TCP_KEEPCNT, 3);
        made.push_back(std::move(one));
    }
    for (const descriptor& one : made)
        if (::listen(one.get(), SOMAXCONN) != 0) return bind_failure(name, errno);
    return made;
}

result<std::vector<descriptor>> open_unix(const std::string& path)
{
    socket_address address;
    auto& where = reinterpret_cast<sockaddr_un&>(address.storage);
    where.sun_family = AF_UNIX;
    address.size = sizeof where;
    // A path that does not fit is gone by way of its directory's descriptor (proc(5), /proc/self/fd).
    const auto slash = path.rfind('/');
    descriptor directory(-1);
    std::string short_path = path;
    if (path.size() >= sizeof where.sun_path) {
        directory = descriptor(::open(path.substr(0, slash + 1).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (directory.get() < 0) return bind_failure(path, errno);
        short_path = "/proc/self/fd/" + std::to_string(directory.get()) + path.substr(slash);
    }
    if (short_path.size() >= sizeof where.sun_path) return bind_failure(path, ENAMETOOLONG);
    short_path.copy(where.sun_path, short_path.size());
    const auto fresh = [] { return descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); };

    struct stat there {};
    if (::lstat(path.c_str(), &there) == 0) {
        if (!S_ISSOCK(there.st_mode)) return bind_failure(path, EADDRINUSE);
        // Left by a process that died, unless somebody answers there.
        const descriptor probe = fresh();
        if (::connect(probe.get(), address.get(), address.size) == 0 || errno != ECONNREFUSED) return bind_failure(path, EADDRINUSE);
        ::unlink(path.c_str());
    }
    std::vector<descriptor> made;
    made.push_back(fresh());
    const int number = made.front().get();
    if (number < 0) return bind_failure(path, errno);
    // Before bind: the file never exists with another mode, and the process's umask, which is everybody's, is left alone.
    if (::fchmod(number, 0600) != 0 || ::bind(number, address.get(), address.size) != 0) return bind_failure(path, errno);
    if (::chmod(path.c_str(), 0600) != 0 || ::listen(number, SOMAXCONN) != 0) return bind_failure(path, errno);
    return made;
}

std::string text_of(const socket_address& address, std::uint16_t port)
{
    std::array<char, NI_MAXHOST> host{};
    ::getnameinfo(address.get(), address.size, host.data(), host.size(), nullptr, 0, NI_NUMERICHOST);
    const std::string name = host.data();
    return (address.family() == AF_INET6 ? "[" + name + "]" : name) + ":" + std::to_string(port);
}

std::uint16_t port_of(int number) noexcept
{
    socket_address bound;
    bound.size = sizeof bound.storage;
    if (::getsockname(number, bound.get(), &bound.size) != 0) return 0;
    if (bound.family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(bound.storage).sin_port);
    return ntohs(reinterpret_cast<const sockaddr_in6&>(bound.storage).sin6_port);
}

}  // namespace

server::server(server_options options) : options_(std::move(options)) {}

server::~server()
{
    // Listeners see to it that nothing runs any more.
    listeners_.clear();
    if (address_.starts_with('/')) ::unlink(address_.c_str());
}

result<std::unique_ptr<server>> server::bind(std::span<core* const> cores, server_options options)
{
    std::unique_ptr<server> made(new server(std::move(options)));
    const std::string& address = made->options_.address;
    int family = AF_UNIX;
    std::vector<descriptor> sockets;
    if (address.starts_with('/')) {
        auto opened = open_unix(address);
        if (!opened) return opened.error();
        sockets = std::move(*opened);
        made->address_ = address;
    } else {
        const auto where = tcp_address(address);
        if (!where) return where.error();
        auto opened = open_tcp(*where, cores.size(), address);
        if (!opened) return opened.error();
        sockets = std::move(*opened);
        family = where->family();
        made->port_ = port_of(sockets.front().get());
        made->address_ = text_of(*where, made->port_);
    }
    for (std::size_t i = 0; i < sockets.size(); ++i)
        made->listeners_.push_back(std::make_unique<listener>(*made, *cores[i], family, sockets[i].release()));
    return made;
}

void server::start()
{
    started_ = true;
    for (const auto& one : listeners_) one->core().post([listener = one.get()] { listener->start(); });
}

void server::change(const server_changes& to)
{
    for (const auto& one : listeners_) one->core().post([listener = one.get(), to] { listener->change(to); });
}

awaitable<void> server::stop(steady_time deadline)
{
    stopping_ = true;
    if (!started_) co_return;  // its cores may not run either
    const executor here = co_await boost::asio::this_coro::executor;
    parking place;
    std::size_t left = listeners_.size();  // touched on this core alone
    for (const auto& one : listeners_) {
        // Each of these runs before this coroutine goes on, so they may refer to its frame.
        auto one_less = [&left, &place] {
            if (--left == 0) place.unpark();
        };
        auto back = [here, one_less] { boost::asio::post(here, one_less); };
        one->core().post([listener = one.get(), deadline, back] { listener->stop(deadline, back); });
    }
    while (left > 0) co_await place.park();
}

std::size_t server::connections() const noexcept { return connections_.load(std::memory_order_relaxed); }

}  // namespace sallyport::http
