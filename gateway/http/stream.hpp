// One byte stream over TCP, a Unix socket, or TLS on either. Every operation makes its system call first and waits only
// if that would block; deadlines are entries in the core's wheel, not timers.
#pragma once

#include "gateway/http/async.hpp"
#include "gateway/http/core.hpp"
#include "gateway/http/tls.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/system/error_code.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace sallyport::http {

/// `error` set: nothing more will come. The ends: `asio::error::eof` the peer closed properly; `timed_out` the deadline
/// passed; `would_block` (from `try_…` only) nothing can be done now; anything else is the connection's failure.
struct transfer {
    boost::system::error_code error;
    std::size_t bytes = 0;
};

/// One reader and one writer at a time, which may be two coroutines of the stream's core. Stays in place. A stream is
/// destroyed when no coroutine is in one of its operations; `close` and `reset` end those.
class stream {
public:
    /// With a way to the reactor's registration, for waits that need no system call (stream.cpp, `readable`).
    class socket : public boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol, executor> {
    public:
        using basic_stream_socket::basic_stream_socket;
        auto& registration() noexcept { return impl_.get_implementation().reactor_data_; }
    };
    using endpoint = boost::asio::generic::stream_protocol::endpoint;

    explicit stream(http::core&);
    /// Takes a connected, non-blocking descriptor.
    stream(http::core&, int family, int descriptor);
    ~stream();
    stream(const stream&) = delete;
    stream& operator=(const stream&) = delete;

    /// TCP (Nagle off) or Unix; ends by the write deadline. A failed stream can connect again, to another address.
    awaitable<boost::system::error_code> connect(const endpoint&);

    /// TLS from here on; ends by the read deadline. A peer whose certificate does not verify is `connection_refused`, another
    /// failure `connection_aborted`; `tls_failure()` says why.
    awaitable<boost::system::error_code> handshake_server(std::shared_ptr<tls_context>);
    /// `peer`: the name (sent as SNI) or address that the certificate must be for; `session_key` separates sessions of
    /// different ports.
    awaitable<boost::system::error_code> handshake_client(std::shared_ptr<tls_context>, const std::string& peer,
                                                          const std::string& session_key);
    bool secure() const noexcept { return tls_ != nullptr; }
    /// One line for the log; empty without TLS.
    std::string_view tls_failure() const noexcept { return tls_ ? std::string_view(tls_->why()) : std::string_view(); }
    /// The session was resumed, so that no certificate was sent again.
    bool tls_resumed() const noexcept { return tls_ && tls_->resumed(); }

    /// At least one byte, or an error.
    awaitable<transfer> read_some(std::span<char> into);
    /// All of it, in as few system calls as the socket takes, or an error; `bytes` were handed to the system.
    awaitable<transfer> write_all(std::string_view first, std::string_view second = {}, std::string_view third = {});
    transfer try_read(std::span<char> into) noexcept;
    transfer try_write(std::string_view first, std::string_view second = {}, std::string_view third = {}) noexcept;

    /// Until bytes, the end or an error can be read; holds no buffer. `timed_out` by the read deadline, `operation_aborted`
    /// after `interrupt()`. An end that came together with bytes which were read is only noticed after `distrust()`.
    awaitable<boost::system::error_code> wait_readable();
    /// The next wait asks the kernel, whatever was read before.
    void distrust() noexcept { drained_ = false; }
    awaitable<boost::system::error_code> wait_writable();
    /// Until the connection fails or both sides closed it, whatever bytes lie there unread.
    awaitable<boost::system::error_code> wait_failed();

    enum class glance { nothing, bytes, closed };
    /// What a read would find now, taking nothing.
    glance look() noexcept;
    /// True when an idle connection must not be used again: closed, failed, or bytes that nobody asked for.
    bool readable_or_closed() noexcept { return look() != glance::nothing; }
    /// Reads and forgets what is there now; `bytes` were dropped.
    transfer discard(std::size_t at_most) noexcept;

    /// Absolute, kept until set again; when one passes, the operation that waits ends with `timed_out`, and so does each
    /// later one of its direction.
    void read_by(steady_time at) noexcept { read_deadline_.set(at); }
    void write_by(steady_time at) noexcept { write_deadline_.set(at); }
    void no_read_deadline() noexcept { read_deadline_.clear(); }
    void no_write_deadline() noexcept { write_deadline_.clear(); }
    bool read_timed_out() const noexcept { return read_deadline_.passed(); }

    /// Nothing more will be sent (TLS: close_notify first). Reading goes on.
    void shutdown_send() noexcept;
    /// From outside the reader's coroutine: makes every pending and later operation end with an error.
    void disconnect() noexcept;
    /// Ends a pending wait early, and nothing else: reads and writes go on as if nothing had been.
    void interrupt() noexcept;
    void close() noexcept;
    /// Closes with a reset, so that the peer cannot take what it has for the whole.
    void reset() noexcept;
    bool is_open() const noexcept { return !disconnected_ && socket_.is_open(); }

    http::core& core() const noexcept { return *core_; }
    socket& native() noexcept { return socket_; }

private:
    awaitable<boost::system::error_code> handshake();
    transfer from_tls(tls_session::outcome) noexcept;
    auto wait_drained(boost::system::error_code& result);
    boost::system::error_code check(const deadline&) const noexcept;

    http::core* core_;
    socket socket_;
    deadline read_deadline_, write_deadline_;
    std::unique_ptr<tls_session> tls_;
    alignas(std::max_align_t) std::array<std::byte, 128> wait_;  // the one pending `readable`
    bool drained_ = false;                                       // nothing lay in the socket when it was read last
    bool disconnected_ = false;
    bool other_way_ = false;  // TLS wants to read before it can write, or the reverse
};

}  // namespace sallyport::http
