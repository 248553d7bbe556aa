#include "gateway/http/stream.hpp"

#include <boost/asio/deferred.hpp>
#include <boost/asio/detail/reactor.hpp>
#include <boost/asio/detail/reactor_op.hpp>
#include <boost/asio/error.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace sallyport::http {
namespace {

using boost::system::error_code;
namespace error = boost::asio::error;

// Resumes a coroutine straight from the socket's completion. It has no associated executor, for with one Asio counts
// work and dispatches through it, each time, to arrive on the same core.
template <class Resume>
struct readiness {
    using cancellation_slot_type = typename Resume::cancellation_slot_type;
    cancellation_slot_type get_cancellation_slot() const noexcept { return resume.get_cancellation_slot(); }
    void operator()(const error_code& how)
    {
        *result = how;
        std::move(resume)();
    }
    Resume resume;
    error_code* result;
};

// To be named, then awaited: no coroutine frame for each wait, which use_awaitable would make. `result` is the caller's.
auto wait_on(stream::socket& socket, boost::asio::socket_base::wait_type kind, error_code& result)
{
    auto start = [&socket, kind, &result](auto resume) {
        socket.async_wait(kind, readiness<decltype(resume)>{std::move(resume), &result});
    };
    return boost::asio::async_initiate<const boost::asio::deferred_t, void()>(start, boost::asio::deferred);
}

// A wait for bytes in a socket that was just read empty. Asio's own wait asks the kernel each time whether something is there
// already (epoll_ctl), which costs more than all else of a wait; its reads ask too (recv). But the registration is edge
// triggered: what comes after an empty read makes an event. So this operation only takes its place in the reactor's queue.
// The reactor asks it to `perform` at once if an event came while nobody waited, and when one comes later.
template <class Resume>
class readable final : public boost::asio::detail::reactor_op {
public:
    readable(int descriptor, Resume resume, error_code* result)
        : reactor_op(error_code(), &perform, &complete),
          descriptor_(descriptor),
          resume_(std::move(resume)),
          result_(result)
    {
    }
    void queued() noexcept { queued_ = true; }

private:
    static status perform(reactor_op* base)
    {
        auto* const self = static_cast<readable*>(base);
        // Exhausted: the reader will read until nothing is left before it waits again.
        if (self->queued_) return done_and_exhausted;
        char one;
        const ssize_t n = ::recv(self->descriptor_, &one, 1, MSG_PEEK | MSG_DONTWAIT);
        return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? not_done : done;
    }
    static void complete(void* owner, boost::asio::detail::operation* base, const error_code&, std::size_t)
    {
        auto* const self = static_cast<readable*>(base);
        Resume resume = std::move(self->resume_);
        error_code* const result = self->result_;
        const error_code how = self->ec_;
        self->~readable();
        if (!owner) return;  // the context is destroyed, and the coroutine with `resume`
        if (auto slot = resume.get_cancellation_slot(); slot.is_connected()) slot.clear();
        *result = how;
        std::move(resume)();
    }

    int descriptor_;
    bool queued_ = false;
    Resume resume_;
    error_code* result_;
};

// Up to here a copy is cheaper than the kernel's walk over a second buffer.
constexpr std::size_t copy_limit = 4096;
constexpr std::size_t tls_record = 16384;

error_code system_error() noexcept { return {errno, boost::asio::error::get_system_category()}; }

// Copies as much as fits; the bytes copied.
std::size_t gather(std::span<char> into, std::string_view first, std::string_view second, std::string_view third) noexcept
{
    std::size_t at = 0;
    for (const std::string_view part : {first, second, third}) {
        const std::size_t size = std::min(part.size(), into.size() - at);
        if (size > 0) std::memcpy(into.data() + at, part.data(), size);
        at += size;
    }
    return at;
}

// The usual three system calls go past glibc, whose functions are cancellation points: two atomic writes each, in a program
// with threads, for what it never does.
transfer plain_write(int descriptor, std::string_view first, std::string_view second, std::string_view third) noexcept
{
    std::array<char, copy_limit> flat;
    std::array<iovec, 3> parts;
    msghdr message{};
    std::string_view one = first;
    const std::size_t total = first.size() + second.size() + third.size();
    if (total != first.size()) {
        if (total <= flat.size()) {
            one = {flat.data(), gather(flat, first, second, third)};
        } else {
            for (const std::string_view part : {first, second, third})
                // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): sendmsg(2) reads, but iovec serves readv(2) too
                if (!part.empty()) parts[message.msg_iovlen++] = {const_cast<char*>(part.data()), part.size()};
            message.msg_iov = parts.data();
        }
    }
    for (;;) {
        const ssize_t n = message.msg_iov
                              ? ::sendmsg(descriptor, &message, MSG_NOSIGNAL | MSG_DONTWAIT)
                              : ::syscall(SYS_sendto, descriptor, one.data(), one.size(), MSG_NOSIGNAL | MSG_DONTWAIT, nullptr, 0);
        if (n >= 0) return {{}, static_cast<std::size_t>(n)};
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return {error::would_block};
        return {system_error()};
    }
}

transfer plain_read(int descriptor, std::span<char> into) noexcept
{
    for (;;) {
        const ssize_t n = ::syscall(SYS_recvfrom, descriptor, into.data(), into.size(), MSG_DONTWAIT, nullptr, nullptr);
        if (n > 0) return {{}, static_cast<std::size_t>(n)};
        if (n == 0) return {error::eof};
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return {error::would_block};
        return {system_error()};
    }
}

void drop_front(std::size_t bytes, std::string_view& first, std::string_view& second, std::string_view& third) noexcept
{
    for (std::string_view* part : {&first, &second, &third}) {
        const std::size_t size = std::min(bytes, part->size());
        part->remove_prefix(size);
        bytes -= size;
    }
}

void told(void* context) noexcept { static_cast<stream*>(context)->interrupt(); }

}  // namespace

stream::stream(http::core& core)
    : core_(&core),
      socket_(core.context()),
      read_deadline_(core.timers(), told, this),
      write_deadline_(core.timers(), told, this)
{
}

stream::stream(http::core& core, int family, int descriptor) : stream(core)
{
    error_code failed;
    socket_.assign(boost::asio::generic::stream_protocol(family, 0), descriptor, failed);
    if (failed) {
        ::close(descriptor);
        disconnected_ = true;
    }
}

stream::~stream() { close(); }

error_code stream::check(const deadline& limit) const noexcept
{
    if (!is_open()) return error::connection_aborted;
    if (limit.passed()) return error::timed_out;
    return {};
}

awaitable<error_code> stream::connect(const endpoint& to)
{
    close();
    disconnected_ = false;
    const int descriptor = ::socket(to.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) co_return system_error();
    error_code failed;
    socket_.assign(boost::asio::generic::stream_protocol(to.protocol().family(), 0), descriptor, failed);
    if (failed) {
        ::close(descriptor);
        co_return failed;
    }
    if (to.protocol().family() != AF_UNIX) {
        const int on = 1;
        ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    if (::connect(descriptor, to.data(), static_cast<socklen_t>(to.size())) == 0) co_return error_code();
    if (errno != EINPROGRESS && errno != EINTR) co_return system_error();
    if (const error_code waited = co_await wait_writable()) co_return waited;
    int code = 0;
    socklen_t size = sizeof code;
    if (::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size) != 0) co_return system_error();
    co_return error_code(code, error::get_system_category());
}

awaitable<error_code> stream::handshake_server(std::shared_ptr<tls_context> context)
{
    tls_ = std::make_unique<tls_session>(std::move(context), socket_.native_handle());
    return handshake();
}

awaitable<error_code> stream::handshake_client(std::shared_ptr<tls_context> context, const std::string& peer,
                                               const std::string& session_key)
{
    tls_ = std::make_unique<tls_session>(std::move(context), socket_.native_handle(), peer, session_key);
    return handshake();
}

awaitable<error_code> stream::handshake()
{
    for (;;) {
        if (const error_code now = check(read_deadline_)) co_return now;
        switch (tls_->handshake().state) {
        case tls_session::state::done: co_return error_code();
        case tls_session::state::wants_read: co_await wait_readable(); break;
        case tls_session::state::wants_write:
            write_deadline_.set(read_deadline_.at());
            co_await wait_writable();
            write_deadline_.clear();
            break;
        case tls_session::state::closed:
        case tls_session::state::failed: co_return tls_->untrusted() ? error::connection_refused : error::connection_aborted;
        }
    }
}

// To be named, then awaited, as wait_on.
auto stream::wait_drained(error_code& result)
{
    auto start = [this, &result](auto resume) {
        using operation = readable<decltype(resume)>;
        static_assert(sizeof(operation) <= sizeof(wait_));
        if (auto slot = resume.get_cancellation_slot(); slot.is_connected())
            slot.assign([this](boost::asio::cancellation_type) { interrupt(); });
        auto* const one = new (wait_.data()) operation(socket_.native_handle(), std::move(resume), &result);
        constexpr int read = boost::asio::detail::reactor::read_op;
        core_->reactor().start_op(read, socket_.native_handle(), socket_.registration(), one, true, true);
        one->queued();
    };
    return boost::asio::async_initiate<const boost::asio::deferred_t, void()>(start, boost::asio::deferred);
}

transfer stream::from_tls(tls_session::outcome outcome) noexcept
{
    switch (outcome.state) {
    case tls_session::state::done: return {{}, outcome.bytes};
    case tls_session::state::wants_read:
    case tls_session::state::wants_write: return {error::would_block};
    case tls_session::state::closed: return {error::eof};
    case tls_session::state::failed: break;
    }
    return {error::connection_reset};
}

transfer stream::try_read(std::span<char> into) noexcept
{
    if (const error_code now = check(read_deadline_)) return {now};
    if (!tls_) {
        const transfer read = plain_read(socket_.native_handle(), into);
        drained_ = read.error == error::would_block || (!read.error && read.bytes < into.size());
        return read;
    }
    const auto outcome = tls_->read(into);
    drained_ = outcome.state == tls_session::state::wants_read;
    other_way_ = outcome.state == tls_session::state::wants_write;
    return from_tls(outcome);
}

transfer stream::try_write(std::string_view first, std::string_view second, std::string_view third) noexcept
{
    if (const error_code now = check(write_deadline_)) return {now};
    if (first.size() + second.size() + third.size() == 0) return {};
    if (!tls_) return plain_write(socket_.native_handle(), first, second, third);
    // One record holds what fits: a record a part would cost bytes, and show the parts to whoever watches.
    transfer sum;
    std::array<char, tls_record> flat;
    for (;;) {
        std::string_view record = first.substr(0, tls_record);
        if (record.size() < tls_record && second.size() + third.size() > 0) record = {flat.data(), gather(flat, first, second, third)};
        const auto outcome = tls_->write(record);
        // Without renegotiation a write never needs a read first; to wait for the socket to take more would spin.
        if (outcome.state == tls_session::state::wants_read) return {error::connection_reset, sum.bytes};
        const transfer step = from_tls(outcome);
        if (step.error) {
            if (step.error != error::would_block || sum.bytes == 0) sum.error = step.error;
            return sum;
        }
        sum.bytes += step.bytes;
        drop_front(step.bytes, first, second, third);
        if (first.size() + second.size() + third.size() == 0) return sum;
    }
}

awaitable<transfer> stream::read_some(std::span<char> into)
{
    for (;;) {
        const transfer now = try_read(into);
        if (now.error != error::would_block) co_return now;
        error_code ignored;
        auto waiting = wait_on(socket_, other_way_ ? socket::wait_write : socket::wait_read, ignored);
        co_await std::move(waiting);
    }
}

awaitable<transfer> stream::write_all(std::string_view first, std::string_view second, std::string_view third)
{
    transfer sum;
    while (first.size() + second.size() + third.size() > 0) {
        const transfer now = try_write(first, second, third);
        sum.bytes += now.bytes;
        drop_front(now.bytes, first, second, third);
        if (now.error && now.error != error::would_block) {
            sum.error = now.error;
            break;
        }
        if (now.error || (now.bytes == 0)) {
            error_code ignored;
            auto waiting = wait_on(socket_, socket::wait_write, ignored);
            co_await std::move(waiting);
        }
    }
    co_return sum;
}

awaitable<error_code> stream::wait_readable()
{
    if (const error_code now = check(read_deadline_)) co_return now;
    // A record is decrypted as a whole: what a read left of it is no longer in the socket, which may stay silent for ever.
    if (tls_ && tls_->has_bytes()) co_return error_code();
    error_code waited;
    if (drained_ && !other_way_) {
        auto waiting = wait_drained(waited);
        co_await std::move(waiting);
    } else {
        auto waiting = wait_on(socket_, other_way_ ? socket::wait_write : socket::wait_read, waited);
        co_await std::move(waiting);
    }
    drained_ = false;  // until the next read says so
    if (const error_code now = check(read_deadline_)) co_return now;
    co_return waited;
}

awaitable<error_code> stream::wait_writable()
{
    for (;;) {
        if (const error_code now = check(write_deadline_)) co_return now;
        error_code waited;
        auto waiting = wait_on(socket_, socket::wait_write, waited);
        co_await std::move(waiting);
        if (const error_code now = check(write_deadline_)) co_return now;
        // The reader's deadline or an interruption ended this wait too; they are not the writer's.
        if (waited != error::operation_aborted) co_return waited;
    }
}

awaitable<error_code> stream::wait_failed()
{
    if (const error_code now = check(read_deadline_)) co_return now;
    error_code waited;
    auto waiting = wait_on(socket_, socket::wait_error, waited);
    co_await std::move(waiting);
    if (const error_code now = check(read_deadline_)) co_return now;
    co_return waited;
}

stream::glance stream::look() noexcept
{
    if (!is_open()) return glance::closed;
    if (tls_) {
        switch (tls_->peek().state) {
        case tls_session::state::done: return glance::bytes;
        case tls_session::state::wants_read:
        case tls_session::state::wants_write: return glance::nothing;
        case tls_session::state::closed:
        case tls_session::state::failed: break;
        }
        return glance::closed;
    }
    char one;
    for (;;) {
        const ssize_t n = ::syscall(SYS_recvfrom, socket_.native_handle(), &one, 1, MSG_PEEK | MSG_DONTWAIT, nullptr, nullptr);
        if (n > 0) return glance::bytes;
        if (n < 0 && errno == EINTR) continue;
        return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? glance::nothing : glance::closed;
    }
}

transfer stream::discard(std::size_t at_most) noexcept
{
    std::array<char, 16384> waste;
    transfer sum;
    while (sum.bytes < at_most) {
        const transfer now = try_read(std::span(waste).first(std::min(waste.size(), at_most - sum.bytes)));
        sum.bytes += now.bytes;
        if (now.error) {
            sum.error = now.error;
            break;
        }
    }
    return sum;
}

void stream::shutdown_send() noexcept
{
    if (!is_open()) return;
    if (tls_) tls_->close_notify();
    ::shutdown(socket_.native_handle(), SHUT_WR);
}

void stream::disconnect() noexcept
{
    if (!is_open()) return;
    disconnected_ = true;
    ::shutdown(socket_.native_handle(), SHUT_RDWR);
    interrupt();
}

void stream::interrupt() noexcept
{
    error_code ignored;
    socket_.cancel(ignored);
}

void stream::close() noexcept
{
    if (!socket_.is_open()) return;
    if (tls_ && !disconnected_) tls_->close_notify();
    tls_.reset();  // it has the descriptor's number, which may soon be another's
    error_code ignored;
    socket_.close(ignored);
}

void stream::reset() noexcept
{
    if (!socket_.is_open()) return;
    const linger hard{1, 0};
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    disconnected_ = true;  // no close_notify: that would say that all came
    close();
}

}  // namespace sallyport::http
