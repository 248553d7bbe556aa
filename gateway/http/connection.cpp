#include "gateway/http/connection.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

namespace sallyport::http {
namespace {

using boost::system::error_code;
namespace error = boost::asio::error;

constexpr std::size_t linger_limit = 16 << 20;  // bytes that a closing connection still takes

constexpr std::chrono::milliseconds trusting_time{200};

steady_time now() noexcept { return std::chrono::steady_clock::now(); }

}  // namespace

connection::connection(http::core& core, const server_options& options, const std::atomic<bool>& stopping, int family, int descriptor,
                       std::optional<boost::asio::ip::address> remote, bool refused)
    : options_(options),
      exchange_(core, options, stopping, family, descriptor, std::move(remote)),
      refused_(refused)
{
}

connection::~connection() { unlink(); }

awaitable<void> connection::run()
{
    stream& peer = exchange_.stream_;
    if (options_.tls) {
        peer.read_by(now() + options_.head_time);
        // Nothing to log: every scanner of ports would write there.
        const error_code failed = co_await peer.handshake_server(options_.tls);
        if (failed) co_return;
    }
    for (bool on = true; on;) {
        const auto begun = co_await next_head();
        first_ = false;
        if (!begun) {
            exchange_.begin_refusal();
            co_await refuse(begun.error());
            co_await linger();
            break;
        }
        if (!*begun) break;
        co_await answer();
        on = exchange_.open() && !exchange_.close_after_ && exchange_.body_read();
        if (!on) on = co_await ready_for_next();
        if (on) {
            exchange_.in_.next();
            exchange_.arena_.release();
        }
    }
    peer.close();
}

// True: a request begins. False: none will come. Holds no buffer while nothing is there. The time for the head runs from its
// first bytes, for the first head from the connection's beginning, and does not begin anew with each byte (slowloris).
awaitable<result<bool>> connection::next_head()
{
    stream& peer = exchange_.stream_;
    auto& in = exchange_.in_;
    bool begun = !in.rest().empty();  // pipelined
    bool hurried = first_;
    // For a moment the next request is waited for without a system call; then the kernel is asked, for the peer's end may
    // have come together with its last request.
    const steady_time begin = coarse_now();
    const steady_time patience = begin + (first_ ? options_.head_time : options_.idle_time);
    bool asked = first_;
    peer.read_by(asked ? patience : std::min(patience, begin + trusting_time));
    for (;;) {
        if (begun) {
            auto complete = in.parse();
            if (!complete) co_return complete;
            if (*complete) {
                peer.no_read_deadline();
                co_return true;
            }
            if (!std::exchange(hurried, true)) peer.read_by(now() + options_.head_time);
        } else {
            if (exchange_.stopping()) co_return false;
            // A response was just sent, or a connection just made: bytes are seldom there yet, and a read that finds nothing
            // costs as much as arming the wait.
            const error_code failed = co_await peer.wait_readable();
            if (failed == error::timed_out && !std::exchange(asked, true)) {
                peer.distrust();
                peer.read_by(patience);
                continue;
            }
            if (failed && failed != error::operation_aborted) co_return false;
        }
        const transfer read = peer.try_read(in.room());
        if (read.error == error::would_block) {
            if (begun)
                co_await peer.wait_readable();
            else
                in.next();
            continue;
        }
        if (read.error == error::timed_out && begun) co_return fail(problem::malformed_request, "the head did not arrive in time");
        if (read.error) co_return false;
        in.received(read.bytes);
        begun = true;
    }
}

awaitable<void> connection::answer()
{
    exchange_.begin_request();
    if (refused_) {
        auto why = fail(problem::overloaded, "too many connections");
        auto telling = refuse(std::move(why));
        co_await std::move(telling);
        co_return;
    }
    std::string thrown;
    try {
        co_await options_.handler(exchange_);
    } catch (const std::exception& caught) {
        thrown = caught.what();
        if (thrown.empty()) thrown = "an exception";
    } catch (...) {
        thrown = "an exception of unknown type";
    }
    if (!thrown.empty() && options_.log) options_.log("a handler threw: " + thrown);
    if (exchange_.reply_ == exchange::reply::none && exchange_.open()) {
        auto why = fail(problem::internal_error, "the request could not be answered", thrown.empty() ? "no response was written" : thrown);
        auto telling = refuse(std::move(why));
        co_await std::move(telling);
    } else if (exchange_.reply_ != exchange::reply::done) {
        exchange_.abort_response();
    }
}

// The next request begins where this one's body ends, so that is read; if it is long or slow, the connection ends.
awaitable<bool> connection::ready_for_next()
{
    if (!exchange_.open() || exchange_.close_after_) {
        // Closing with bytes unread resets the connection, which can take the answer out of the client's hands.
        if (!exchange_.body_read() || exchange_.body_broken_) co_await linger();
        co_return false;
    }
    exchange_.patience_ = options_.linger_time;
    const std::uint64_t limit = exchange_.body_bytes_ + exchange::drain_limit;
    while (!exchange_.body_read()) {
        const auto piece = co_await exchange_.read_some_body(limit);
        if (!piece) {
            co_await linger();
            co_return false;
        }
    }
    co_return true;
}

// Before or instead of a handler's answer.
awaitable<void> connection::refuse(failure why)
{
    exchange_.close_after_ = true;
    std::array<field, 3> fields{{{"Content-Type", "application/problem+json"}, {"Cache-Control", "no-store"}, {"Retry-After", "1"}}};
    const std::string document = options_.problem_document ? options_.problem_document(why) : std::string();
    const bool later = facts(why.what).retry == retry::yes;
    co_await exchange_.respond(facts(why.what).status, std::span(fields).first(later ? 3 : 2), document);
}

// RFC 9112 §9.6: half a close, and what the client still sends is read until it has seen the answer.
awaitable<void> connection::linger()
{
    stream& peer = exchange_.stream_;
    if (!peer.is_open()) co_return;
    peer.shutdown_send();
    peer.read_by(now() + options_.linger_time);
    std::size_t left = linger_limit;
    while (left > 0) {
        const transfer dropped = peer.discard(left);
        left -= dropped.bytes;
        if (dropped.error == error::would_block)
            co_await peer.wait_readable();
        else if (dropped.error)
            break;
    }
}

}  // namespace sallyport::http
