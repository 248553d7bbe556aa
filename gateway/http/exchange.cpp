#include "gateway/http/exchange.hpp"

#include "gateway/http/server.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <utility>

namespace sallyport::http {
namespace {

using boost::system::error_code;
namespace error = boost::asio::error;

constexpr std::size_t progress_bytes = 4096;                  // a body's, to be given another progress_time
constexpr std::size_t read_ahead = 16 << 10;                  // of a body, at once
constexpr std::size_t first_reserve = 256 << 10;              // a Content-Length is not believed beyond this
constexpr std::size_t arena_chunk = buffer_pool::small - 64;  // with the resource's own header it fills a small block

steady_time now() noexcept { return std::chrono::steady_clock::now(); }

void wake_stream(void* context) noexcept { static_cast<stream*>(context)->interrupt(); }

}  // namespace

exchange::exchange(http::core& core, const server_options& options, const std::atomic<bool>& stopping, int family, int descriptor,
                   std::optional<boost::asio::ip::address> remote)
    : options_(&options),
      stopping_(&stopping),
      stream_(core, family, descriptor),
      in_(core.buffers(), options.header_bytes),
      arena_(arena_chunk, &core.buffers()),
      remote_(std::move(remote))
{
}

bool exchange::stopping() const noexcept { return stopping_->load(std::memory_order_relaxed); }

void exchange::begin_request()
{
    const request_head& head = in_.head();
    body_left_ = head.content_length.value_or(0);
    chunks_.reset();
    if (head.chunked) chunks_.emplace();
    minor_version_ = head.minor_version;
    keep_alive_ = head.keep_alive;
    to_head_ = head.method == "HEAD";
    // RFC 9110 §10.1.1: not for HTTP/1.0, nor where no body comes.
    expect_continue_ = head.expect_continue && head.minor_version >= 1 && !body_read();
    whole_ = {};
    body_bytes_ = promised_ = sent_ = 0;
    arrived_ = 0;
    patience_ = options_->progress_time;
    reserve_ = writing_ = options_->body_time;
    reply_ = reply::none;
    whole_read_ = body_broken_ = close_after_ = false;
}

// What came is no request: nothing of the one before holds for the answer.
void exchange::begin_refusal()
{
    chunks_.reset();
    body_left_ = sent_ = 0;
    writing_ = options_->body_time;
    minor_version_ = 1;
    reply_ = reply::none;
    keep_alive_ = expect_continue_ = to_head_ = false;
}

// --- the body -------------------------------------------------------------------------------------------------------

failure exchange::body_failure(const error_code& why)
{
    body_broken_ = true;
    if (why == error::timed_out) return fail(problem::malformed_request, "the body did not arrive in time");
    if (why != error::eof) broken_ = true;
    return fail(problem::malformed_request, "the connection ended inside the body", why.message());
}

// At least one more byte in `in_`. The time spent waiting counts, not the time that the reader takes: a body must bring
// progress_bytes for each progress_time of waiting, so that a drop now and then does not hold a connection for ever; and it
// must come at body_rate but for body_time, so that what was allowed when it began is not at work for hours.
awaitable<error_code> exchange::fill(std::size_t wanted)
{
    if (expect_continue_) {
        expect_continue_ = false;
        // A client that did not wait for the word does not need it.
        if (in_.rest().empty() && reply_ == reply::none && stream_.look() == stream::glance::nothing) {
            const bool said = co_await send("HTTP/1.1 100 Continue\r\n\r\n");
            if (!said) co_return error::connection_aborted;
        }
    }
    for (;;) {
        const transfer read = stream_.try_read(in_.room(wanted));
        if (read.error == error::would_block) {
            const steady_time began = now();
            stream_.read_by(began + std::min(patience_, reserve_));
            co_await stream_.wait_readable();
            if (stream_.read_timed_out()) co_return error::timed_out;
            stream_.no_read_deadline();
            const auto waited = std::chrono::duration_cast<std::chrono::microseconds>(now() - began);
            patience_ -= waited;
            reserve_ -= waited;
            continue;
        }
        if (read.error) co_return read.error;
        in_.received(read.bytes);
        arrived_ += static_cast<std::uint32_t>(read.bytes);
        reserve_ += std::chrono::microseconds(read.bytes * 1'000'000 / options_->body_rate);
        if (arrived_ >= progress_bytes) {
            arrived_ = 0;
            patience_ = options_->progress_time;
        }
        co_return error_code();
    }
}

// What is there of the body, taken out of its framing; empty when more must be read, or at the end.
result<std::string_view> exchange::framed_piece(std::uint64_t limit)
{
    if (!chunks_) {
        const std::string_view piece = in_.rest().substr(0, std::min<std::uint64_t>(body_left_, in_.rest().size()));
        in_.consume(piece.size());
        body_left_ -= piece.size();
        body_bytes_ += piece.size();
        return piece;
    }
    while (!in_.rest().empty()) {
        auto piece = chunks_->next(in_.rest());
        if (!piece) {
            body_broken_ = true;
            return piece.error();
        }
        in_.consume(piece->used);
        body_bytes_ += piece->data.size();
        if (body_bytes_ > limit) return fail(problem::body_too_large, "the body is longer than " + std::to_string(limit) + " bytes");
        if (chunks_->done()) {
            chunks_.reset();
            return std::string_view();
        }
        if (!piece->data.empty()) return piece->data;
    }
    return std::string_view();
}

awaitable<result<std::string_view>> exchange::read_some_body(std::uint64_t limit)
{
    if (body_broken_) co_return fail(problem::malformed_request, "the body cannot be read on");
    if (body_bytes_ + body_left_ > limit)
        co_return fail(problem::body_too_large, "the body is longer than " + std::to_string(limit) + " bytes");
    while (!body_read()) {
        auto piece = framed_piece(limit);
        if (!piece || !piece->empty()) co_return piece;
        if (body_read()) break;
        if (const error_code failed = co_await fill(chunks_ ? read_ahead : std::min<std::uint64_t>(body_left_, read_ahead)))
            co_return body_failure(failed);
    }
    co_return std::string_view();
}

awaitable<result<std::string_view>> exchange::read_body(std::uint64_t limit)
{
    if (!whole_read_) {
        if (body_broken_) co_return fail(problem::malformed_request, "the body cannot be read on");
        if (body_left_ > limit) co_return fail(problem::body_too_large, "the body is longer than " + std::to_string(limit) + " bytes");
        if (!chunks_) {
            auto whole = co_await read_sized_body();
            if (!whole) co_return whole;
            whole_ = *whole;
        } else {
            body_.clear();
            for (;;) {
                const auto piece = co_await read_some_body(limit);
                if (!piece) co_return piece;
                if (piece->empty()) break;
                body_ += *piece;
            }
            whole_ = body_;
        }
        whole_read_ = true;
    }
    co_return whole_;
}

std::optional<std::string_view> exchange::body_at_hand(std::uint64_t limit)
{
    if (whole_read_) return whole_;
    if (body_broken_ || chunks_ || body_left_ > limit || body_left_ > in_.rest().size()) return std::nullopt;
    whole_ = in_.rest().substr(0, body_left_);
    body_bytes_ = body_left_;
    in_.consume(body_left_);
    body_left_ = 0;
    whole_read_ = true;
    return whole_;
}

awaitable<result<std::string_view>> exchange::read_sized_body()
{
    const std::uint64_t size = body_left_;
    std::string_view whole;
    if (size <= in_.capacity_beside_head()) {
        // The usual case: it came with its head, or follows into the same block. No copy.
        while (in_.rest().size() < size)
            if (const error_code failed = co_await fill(size - in_.rest().size())) co_return body_failure(failed);
        whole = in_.rest().substr(0, size);
        in_.consume(size);
    } else {
        body_.clear();
        body_.reserve(std::min<std::uint64_t>(size, first_reserve));
        while (body_.size() < size) {
            if (in_.rest().empty())
                if (const error_code failed = co_await fill(std::min<std::uint64_t>(size - body_.size(), read_ahead)))
                    co_return body_failure(failed);
            const std::string_view piece = in_.rest().substr(0, std::min<std::uint64_t>(size - body_.size(), in_.rest().size()));
            body_ += piece;
            in_.consume(piece.size());
        }
        whole = body_;
    }
    body_left_ = 0;
    body_bytes_ = size;
    co_return whole;
}

std::string exchange::take_body()
{
    std::string taken = whole_.data() == body_.data() ? std::exchange(body_, {}) : std::string(whole_);
    whole_ = {};
    return taken;
}

// --- waiting --------------------------------------------------------------------------------------------------------

void exchange::release_buffers()
{
    in_.release();
    std::string().swap(body_);
    whole_ = {};
}

awaitable<woke> exchange::wait(signal& event, steady_time until)
{
    stream_.read_by(until);
    stream_.distrust();  // the peer's end may have come with its request
    event.waker_ = {wake_stream, &stream_};
    woke why = woke::gone;
    bool quiet = true;  // nothing lies there unread
    for (;;) {
        if (event.fired_) {
            why = woke::signalled;
            break;
        }
        if (!open()) break;
        if (stopping() || stream_.read_timed_out() || now() >= until) {
            why = woke::deadline;
            break;
        }
        if (!quiet) {
            // Bytes of a next request would end every wait for bytes at once. Failure and a full close are still seen.
            if (co_await stream_.wait_failed() != error::operation_aborted) broken_ = !event.fired_ && !stream_.read_timed_out();
            continue;
        }
        if (co_await stream_.wait_readable()) continue;
        switch (stream_.look()) {
        case stream::glance::nothing: break;
        case stream::glance::bytes: quiet = false; break;
        case stream::glance::closed: broken_ = true; break;
        }
    }
    event.waker_ = {};
    if (why == woke::signalled) event.fired_ = false;
    stream_.no_read_deadline();
    co_return why;
}

}  // namespace sallyport::http
