#include "tests/gateway/forward/stand_in.hpp"

#include "gateway/canonical/headers.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <poll.h>
#include <signal.h>

namespace stand_in {

// --- peer -----------------------------------------------------------------------------------------------------------

bool peer::more()
{
    if (descriptor_ < 0) return false;
    char bytes[16384];
    if (tls_ == nullptr || SSL_pending(tls_) == 0) {
        pollfd one{descriptor_, POLLIN, 0};
        if (::poll(&one, 1, static_cast<int>(std::chrono::milliseconds(loopback::patience).count())) != 1) return false;
    }
    const long n = tls_ != nullptr ? SSL_read(tls_, bytes, sizeof bytes) : ::recv(descriptor_, bytes, sizeof bytes, 0);
    if (n < 0) reset_ = true;
    if (n <= 0) return false;
    read_.append(bytes, static_cast<std::size_t>(n));
    return true;
}

std::string peer::until(std::string_view mark)
{
    std::size_t at;
    while ((at = read_.find(mark)) == std::string::npos)
        if (!more()) return std::exchange(read_, {});
    return exactly(at + mark.size());
}

std::string peer::head() { return until("\r\n\r\n"); }

std::string peer::exactly(std::size_t size)
{
    while (read_.size() < size && more()) {}
    const std::string taken = read_.substr(0, size);
    read_.erase(0, taken.size());
    return taken;
}

std::string peer::rest()
{
    while (more()) {}
    return std::exchange(read_, {});
}

bool peer::send(std::string_view bytes)
{
    while (!bytes.empty()) {
        if (descriptor_ < 0) return false;
        const long n = tls_ != nullptr ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                                       : ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

void peer::send_with_end()
{
    const int on = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

void peer::shutdown_send()
{
    if (tls_ != nullptr) SSL_shutdown(tls_);
    ::shutdown(descriptor_, SHUT_WR);
}

void peer::close()
{
    if (descriptor_ < 0) return;
    if (tls_ != nullptr) {
        SSL_shutdown(tls_);
        SSL_free(tls_);
        tls_ = nullptr;
    }
    ::close(descriptor_);
    descriptor_ = -1;
}

void peer::reset()
{
    const linger hard{1, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    if (tls_ != nullptr) SSL_free(tls_);
    tls_ = nullptr;
    ::close(descriptor_);
    descriptor_ = -1;
}

bool peer::resumed() const { return tls_ != nullptr && SSL_session_reused(tls_) == 1; }

void peer::interrupt()
{
    if (descriptor_ >= 0) ::shutdown(descriptor_, SHUT_RDWR);
}

// --- upstream -------------------------------------------------------------------------------------------------------

upstream::upstream(script what, ssl_ctx_st* tls)
    : script_(std::move(what)),
      tls_(tls),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
{
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof here;
    REQUIRE(::bind(listener_, reinterpret_cast<const sockaddr*>(&here), size) == 0);
    REQUIRE(::listen(listener_, 64) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size) == 0);
    port_ = ntohs(here.sin_port);
    acceptor_ = std::thread([this] { accept(); });
}

upstream::~upstream()
{
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        for (const auto& one : peers_) one->interrupt();
    }
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    for (std::thread& one : threads_) one.join();
}

void upstream::accept()
{
    for (;;) {
        const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (descriptor < 0) return;
        const int on = 1;
        ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        const std::lock_guard lock(mutex_);
        if (ending_) {
            ::close(descriptor);
            return;
        }
        SSL* tls = nullptr;
        if (tls_ != nullptr) {
            tls = SSL_new(tls_);
            SSL_set_fd(tls, descriptor);
        }
        const int nth = connections_++;
        peers_.push_back(std::make_unique<peer>(descriptor, tls));
        threads_.emplace_back([this, tls, nth, one = peers_.back().get()] {
            // OpenSSL writes with write(2). Only here: that the gateway never raises SIGPIPE is part of the test.
            sigset_t broken_pipe;
            sigemptyset(&broken_pipe);
            sigaddset(&broken_pipe, SIGPIPE);
            pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
            if (tls != nullptr && SSL_accept(tls) != 1) {
                ERR_clear_error();
            } else {
                script_(*one, nth);
            }
            const std::lock_guard closing(mutex_);
            one->close();
        });
    }
}

upstream::script answers(std::string text)
{
    return [text = std::move(text)](peer& p, int) {
        const std::string head = p.head();
        if (const auto at = head.find("Content-Length: "); at != std::string::npos)
            p.exactly(static_cast<std::size_t>(std::stoul(head.substr(at + 16))));
        p.send(text);
    };
}

void echo_targets(peer& p)
{
    for (;;) {
        const std::string head = p.head();
        if (head.empty()) return;
        if (const auto at = head.find("Content-Length: "); at != std::string::npos)
            p.exactly(static_cast<std::size_t>(std::stoul(head.substr(at + 16))));
        const auto from = head.find(' ') + 1;
        const std::string target = head.substr(from, head.find(' ', from) - from);
        p.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(target.size()) + "\r\n\r\n" + target);
    }
}

config::route route_to(std::uint16_t port, std::chrono::milliseconds timeout)
{
    config::route r;
    r.id = "r";
    r.prefix = "/";
    r.upstream.host = "127.0.0.1";
    r.upstream.port = port;
    r.upstream.authority = "127.0.0.1:" + std::to_string(port);
    r.timeout = timeout;
    return r;
}

// --- proxy ----------------------------------------------------------------------------------------------------------

proxy::proxy(config::route route, forward::pool_options options, const std::function<void(http::server_options&)>& change)
    : route_(std::move(route))
{
    const auto handler = [this](http::exchange& call) { return handle(call); };
    server_ = std::make_unique<loopback::running>(handler, change);
    pool_ = std::make_unique<forward::upstream_pool>(server_->core(), options);
}

proxy::~proxy()
{
    const auto cut = [this]() -> http::awaitable<void> {
        pool_->stop();
        co_return;
    };
    loopback::on(server_->core(), cut());
    server_->stop(0s);
    // What belongs to a core is destroyed on it.
    const auto end_pool = [this]() -> http::awaitable<void> {
        CHECK(pool_->counts().leased == 0);
        pool_.reset();
        co_return;
    };
    loopback::on(server_->core(), end_pool());
}

void proxy::inject(std::string header, std::string value, std::string raw)
{
    forms_ = forward::credential_forms(value, raw);
    header_ = std::move(header);
    value_ = std::move(value);
}

http::awaitable<void> proxy::handle(http::exchange& call)
{
    sallyport::header_list headers;
    sallyport::fields_to_upstream(call.head().fields, header_, headers);
    forward::outgoing request{call.head().method, call.head().target, route_.upstream.authority, headers.fields(), {}, {}};
    if (!header_.empty()) request.credential = forward::injected_credential{header_, value_, &forms_};
    auto body = forward::body_source::from_agent();
    if (read_first_) {
        const auto whole = co_await call.read_body(route_.body_limit);
        if (!whole) co_return;
        body = forward::body_source::whole(*whole);
    }
    const sallyport::field added[] = {{"Sallyport-Action", "act_01"}};
    forwarded result = co_await forward::forward(call, *pool_, route_, request, body, added);
    if (result.failed && !result.head_written) {
        const auto& known = sallyport::facts(result.failed->what);
        CHECK_FALSE(call.response_begun());
        co_await call.respond(known.status, {}, known.name);
    }
    const std::lock_guard lock(mutex_);
    told_.push_back(std::move(result));
    changed_.notify_all();
}

forwarded proxy::told(std::size_t nth)
{
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, loopback::patience, [&] { return told_.size() > nth; }));
    return told_[nth];
}

std::string proxy::ask(std::string_view request)
{
    loopback::client agent(port());
    agent.send(request);
    return agent.rest();
}

std::string proxy::get(std::string_view target)
{
    return ask("GET " + std::string(target) + " HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n");
}

forward::pool_counts proxy::counts()
{
    return on_core<forward::pool_counts>(core(), [this]() -> http::awaitable<forward::pool_counts> { co_return pool_->counts(); });
}

}  // namespace stand_in
