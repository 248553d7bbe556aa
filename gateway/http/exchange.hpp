// One request on one connection, as its handler sees it: the head, as much of the body as it wants, one response. Belongs
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

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sallyport::http {

struct server_options;
class connection;

/// What ended a wait. `deadline` also when the server stops: whoever waits answers then.
enum class woke { signalled, deadline, gone };

class exchange {
public:
    exchange(const exchange&) = delete;
    exchange& operator=(const exchange&) = delete;

    /// Until `release_buffers` or the handler's end.
    const request_head& head() const noexcept { return in_.head(); }

    // The body. It is read by one coroutine, which may be another than the one that writes the response.

    /// All of it; a view until `release_buffers` or the handler's end. `body_too_large` as soon as Content-Length or the
    /// count says so; `malformed_request` for broken chunks and for a body that stops short or comes too slowly.
    /// `Expect: 100-continue` is answered when the first byte is asked for (RFC 9110 §10.1.1).
    awaitable<result<std::string_view>> read_body(std::uint64_t limit);
    /// The same without a wait or a coroutine, for a body that came with its head, as most do; none when `read_body` must
    /// say more.
    std::optional<std::string_view> body_at_hand(std::uint64_t limit);
    /// The next bytes of it, a view until the next call; empty at the end. `limit` is for the whole body. Not after
    /// `read_body`.
    awaitable<result<std::string_view>> read_some_body(std::uint64_t limit);
    /// What `read_body` gave, for the caller to keep; that view is gone then.
    std::string take_body();
    /// Nothing of it is left to read.
    bool body_read() const noexcept { return body_left_ == 0 && !chunks_; }

    // The response, exactly one. Each call gives false when the peer is gone or the call comes out of order.

    /// The whole response in one write: adds Content-Length, Date (unless given) and what the connection needs; the body
    /// is left out for HEAD, 204 and 304. Framing and connection fields in `headers` are dropped, and so is a field
    /// whose name or value could end its line (response splitting).
    awaitable<bool> respond(int status, std::span<const field> headers, std::string_view body);

    /// What the socket did not take at once of a response.
    struct unsent {
        std::string head;
        std::string_view body;
    };
    /// The same without a coroutine, as far as the socket takes it now, which is nearly always all of it. False: `rest` must go
    /// through `send_rest`; its `body` views the caller's, which must live until that returns. True: it is over, and `open()`
    /// tells whether it went (out of order nothing is written).
    [[nodiscard]] bool respond_at_once(int status, std::span<const field> headers, std::string_view body, unsent& rest);
    awaitable<bool> send_rest(unsent rest);
    /// The head, at once. Without `content_length` the body is chunked, or ends with the connection in HTTP/1.0.
    awaitable<bool> begin_response(int status, std::span<const field> headers, std::optional<std::uint64_t> content_length = {});
    awaitable<bool> write_body(std::string_view);
    /// With fewer bytes than `content_length` promised the response is aborted.
    awaitable<bool> end_response();
    /// Ends the connection so that the peer can tell that the response is not whole: no final chunk.
    void abort_response() noexcept;

    /// A proxy's quick way. `head_bytes`: a whole head, from the status line to the empty line, with `connection_fields()`
    /// in it; the caller answers for its framing. `more`: `write_raw` and `end_raw` follow.
    awaitable<bool> respond_raw(std::string_view head_bytes, std::string_view body, bool more = false);
    awaitable<bool> write_raw(std::string_view first, std::string_view second = {}, std::string_view third = {});
    /// `until_close`: the body is framed by the end of the connection.
    void end_raw(bool until_close = false) noexcept;
    /// `Connection: close\r\n` or alike or nothing: decides whether the connection goes on after this response.
    std::string_view connection_fields() noexcept;
    bool takes_chunked() const noexcept { return minor_version_ >= 1; }
    bool is_head_request() const noexcept { return to_head_; }

    /// Something of a response was written, or tried.
    bool response_begun() const noexcept { return reply_ != reply::none; }
    /// What was written, heads and framing too.
    std::uint64_t bytes_sent() const noexcept { return sent_; }

    // Waiting.

    /// Gives all buffers back while nothing is read: head() and views of the body are gone. Bytes of a next request are
    /// kept, and so is what is in `arena()`.
    void release_buffers();
    /// Until the signal is fired (and taken back), the time has passed, or the peer closed its connection.
    awaitable<woke> wait(signal&, steady_time until);
    /// A response can still reach the peer, as far as is known.
    bool open() const noexcept { return !broken_ && stream_.is_open(); }
    /// The server is stopping: answer soon.
    bool stopping() const noexcept;

    // Surroundings.

    /// The peer's; none on a Unix socket.
    const std::optional<boost::asio::ip::address>& remote_address() const noexcept { return remote_; }
    /// Memory until the handler's end; its first 4 KiB are recycled.
    std::pmr::monotonic_buffer_resource& arena() noexcept { return arena_; }
    http::core& core() const noexcept { return stream_.core(); }
    bool secure() const noexcept { return stream_.secure(); }

private:
    friend class connection;
    enum class reply : std::uint8_t { none, fixed, chunked, until_close, raw, done, failed };

    exchange(http::core&, const server_options&, const std::atomic<bool>& stopping, int family, int descriptor,
             std::optional<boost::asio::ip::address> remote);

    /// Bytes of a body that nobody read; with more, the connection ends.
    static constexpr std::size_t drain_limit = 64 << 10;

    void begin_request();
    void begin_refusal();
    bool will_close() const noexcept;
    void write_head(std::string& text, int status, std::span<const field> headers, std::optional<std::uint64_t> content_length,
                    bool chunked);
    bool sent_whole(const transfer&, std::size_t total) noexcept;
    awaitable<bool> send(std::string_view first, std::string_view second = {}, std::string_view third = {});
    awaitable<bool> send_rest(std::string kept, std::string_view second, std::string_view third);

    result<std::string_view> framed_piece(std::uint64_t limit);
    awaitable<boost::system::error_code> fill(std::size_t wanted);
    awaitable<result<std::string_view>> read_sized_body();
    failure body_failure(const boost::system::error_code&);

    const server_options* options_;
    const std::atomic<bool>* stopping_;
    stream stream_;
    incoming<request_head> in_;
    std::pmr::monotonic_buffer_resource arena_;
    std::optional<boost::asio::ip::address> remote_;

    std::string body_;                     // collected, when it does not lie beside its head
    std::string_view whole_;               // what read_body gave
    std::optional<chunk_decoder> chunks_;  // until their end
    std::uint64_t body_left_ = 0;          // of Content-Length
    std::uint64_t body_bytes_ = 0;         // handed out
    std::uint64_t promised_ = 0;           // of the response's Content-Length, not yet written
    std::uint64_t sent_ = 0;
    std::chrono::microseconds patience_{};  // with a body that does not come
    std::chrono::microseconds reserve_{};   // with all of it
    std::chrono::microseconds writing_{};   // with a client that reads the answer slowly
    std::uint32_t arrived_ = 0;             // bytes of it since patience_ was last renewed
    reply reply_ = reply::none;
    std::uint8_t minor_version_ = 1;
    bool expect_continue_ = false;
    bool keep_alive_ = true;
    bool to_head_ = false;
    bool whole_read_ = false;
    bool body_broken_ = false;  // where the next request begins is not known
    bool close_after_ = false;
    bool broken_ = false;
};

}  // namespace sallyport::http
