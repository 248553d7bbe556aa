// One request on one connection, as its handler sees it: the head, the body as far as it is wanted, one response. Belongs
// to the connection and its core; a handler's frame may refer to it until the handler returns.
#pragma once

#include "gateway/http/async.hpp"
#include "gateway/http/chunked.hpp"
#include "gateway/http/core.hpp"
#include "gateway/http/head.hpp"
#include "gateway/http/incoming.hpp"
#include "gateway/http/stream.hpp"
#include "workflows/result.hpp"

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sallyport::http {

class connection;

/// What ended a wait. `deadline` also when the server stops: whoever waits answers then.
enum class woke { signalled, deadline, gone };

class exchange {
public:
    exchange(const exchange&) = delete;
    exchange& operator=(const exchange&) = delete;

    /// Until `release_buffers` or the handler's end.
    const request_head& head() const noexcept { return in_.head(); }

    // --- the body ---------------------------------------------------------------------------------------------------

    /// The whole body; a view until the next reading call or `release_buffers`. `body_too_large` as soon as Content-Length
    /// or the count says so; `malformed_request` for broken chunks, a body that stops short or comes too slowly.
    /// `Expect: 100-continue` is answered here, when the first byte is asked for (RFC 9110 §10.1.1).
    awaitable<result<std::string_view>> read_body(std::uint64_t limit);
    /// The next bytes of it, at least one; empty at the end. `limit` is for the whole body.
    awaitable<result<std::string_view>> read_some_body(std::uint64_t limit);
    /// The body that `read_body` gave, for the caller to keep.
    std::string take_body();
    /// All of it was read.
    bool body_read() const noexcept { return body_left_ == 0 && !body_chunked_; }

    // --- the response: exactly one --------------------------------------------------------------------------------

    /// The whole response in one write: adds Content-Length, Date (unless given) and what the connection needs; for HEAD
    /// without the body. `headers` hold no framing and no connection fields (dropped), and a value with control
    /// characters is dropped with its name. False: the peer is gone.
    awaitable<bool> respond(int status, std::span<const field> headers, std::string_view body);

    /// The head alone, at once. Without `content_length`: chunked, or up to the connection's end in HTTP/1.0.
    awaitable<bool> begin_response(int status, std::span<const field> headers, std::optional<std::uint64_t> content_length = {});
    awaitable<bool> write_body(std::string_view);
    /// False also when fewer bytes came than `content_length` promised: the connection is cut then.
    awaitable<bool> end_response();
    /// Cuts the connection so that the peer knows the response is not whole (no final chunk).
    void abort_response() noexcept;

    /// The quick way for a proxy: `head_bytes` is a whole head, status line to empty line, with framing fields for `body`
    /// and with `connection_fields()`; `body` the whole body, or its beginning when `more` says that `write_raw` follows.
    awaitable<bool> respond_raw(std::string_view head_bytes, std::string_view body, bool more = false);
    awaitable<bool> write_raw(std::string_view bytes, std::string_view second = {}, std::string_view third = {});
    /// After the last `write_raw`. `until_close`: the body is framed by the end of the connection.
    void end_raw(bool until_close = false) noexcept;
    /// `Connection: close\r\n` or alike, or nothing; decides whether this connection goes on after the response.
    std::string_view connection_fields() noexcept;
    /// Whether this client understands `Transfer-Encoding: chunked`.
    bool takes_chunked() const noexcept { return minor_version_ >= 1; }
    bool is_head_request() const noexcept { return to_head_; }

    /// Something of a response was written, or tried.
    bool response_begun() const noexcept { return reply_ != reply::none; }
    std::uint64_t response_bytes() const noexcept { return sent_; }

    // --- waiting ----------------------------------------------------------------------------------------------------

    /// Gives the buffers back while nothing is read: head(), and views of the body, are gone; bytes of a next request
    /// are kept. What is in `arena()` stays.
    void release_buffers();
    /// Until the signal is fired, the time has passed, or the peer closed its connection.
    awaitable<woke> wait(signal&, steady_time until);
    /// Whether a response can still reach the peer, as far as is known.
    bool open() const noexcept { return stream_.is_open() && !broken_; }
    /// The server is stopping: answer soon.
    bool stopping() const noexcept;

    // --- surroundings -----------------------------------------------------------------------------------------------

    /// The peer's address; none on a Unix socket.
    const std::optional<boost::asio::ip::address>& remote_address() const noexcept { return remote_; }
    /// Memory that lives until the next request on this connection begins.
    std::pmr::monotonic_buffer_resource& arena() noexcept { return arena_; }
    http::core& core() const noexcept { return stream_.core(); }
    bool secure() const noexcept { return stream_.secure(); }

private:
    friend class connection;
    enum class reply : std::uint8_t { none, fixed, chunked, until_close, raw, done, failed };

    exchange(http::connection&, http::core&, int family, int descriptor, std::optional<boost::asio::ip::address> remote,
             std::size_t header_limit);
    ~exchange() = default;

    void begin_request();
    bool reusable() const noexcept;
    bool will_close() noexcept;
    void write_head(std::string& out, int status, std::span<const field> headers, std::optional<std::uint64_t> content_length,
                    bool chunked);
    awaitable<bool> send(std::string_view first, std::string_view second = {}, std::string_view third = {});
    awaitable<bool> send_rest(std::string_view first, std::string_view second, std::string_view third, std::size_t sent);
    awaitable<result<std::string_view>> continue_body(std::uint64_t limit);
    awaitable<bool> send_continue();
    failure body_failure(const boost::system::error_code&);
    void note_progress(std::size_t bytes) noexcept;

    http::connection* connection_;
    stream stream_;
    incoming<request_head> in_;
    std::pmr::monotonic_buffer_resource arena_;
    std::optional<boost::asio::ip::address> remote_;

    std::string body_;  // collected, when it does not lie beside its head
    std::string_view whole_;
    std::optional<chunk_decoder> chunks_;
    std::uint64_t body_left_ = 0;   // of a Content-Length
    std::uint64_t body_bytes_ = 0;  // handed out so far
    std::uint64_t promised_ = 0;    // of the response's Content-Length, still to be written
    std::uint64_t sent_ = 0;
    std::size_t progress_ = 0;  // bytes since the body's deadline was last moved
    reply reply_ = reply::none;
    std::uint8_t minor_version_ = 1;
    bool body_chunked_ = false;  // and not yet at its end
    bool expect_continue_ = false;
    bool keep_alive_ = true;
    bool to_head_ = false;
    bool close_after_ = false;
    bool broken_ = false;
};

}  // namespace sallyport::http
