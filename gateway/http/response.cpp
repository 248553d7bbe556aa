// The half of `exchange` that writes.
#include "gateway/http/characters.hpp"
#include "gateway/http/exchange.hpp"
#include "gateway/http/head_writer.hpp"
#include "gateway/http/server.hpp"

#include <boost/asio/error.hpp>
#include <boost/beast/http/status.hpp>

#include <algorithm>
#include <utility>

namespace sallyport::http {
namespace {

using boost::system::error_code;
namespace error = boost::asio::error;

constexpr bool bodiless(int status) noexcept { return status < 200 || status == 204 || status == 304; }

bool writable(const field& one) noexcept { return detail::is_token(one.name) && !detail::has_control(one.value); }

}  // namespace

bool exchange::will_close() const noexcept
{
    if (!keep_alive_ || body_broken_ || broken_ || stopping()) return true;
    // Told neither to send its body nor not to, the client may do either (RFC 9110 §10.1.1).
    if (expect_continue_ && !body_read()) return true;
    return body_left_ > drain_limit;
}

std::string_view exchange::connection_fields() noexcept
{
    close_after_ = close_after_ || will_close();
    if (close_after_) return "Connection: close\r\n";
    return minor_version_ == 0 ? std::string_view("Connection: keep-alive\r\n") : std::string_view();
}

void exchange::write_head(std::string& text, int status, std::span<const field> headers, std::optional<std::uint64_t> content_length,
                          bool chunked)
{
    const auto reason = boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(static_cast<unsigned>(status)));
    constexpr std::size_t own_lines = 200;  // the status line with any reason, Date, Content-Length or chunked, Connection
    head_writer out(text, own_lines + head_writer::room_for(headers));
    out.put("HTTP/1.1 ");
    out.number(static_cast<std::uint64_t>(status));
    out.put(" ");
    out.put({reason.data(), reason.size()});
    out.put("\r\n");
    bool dated = false;
    for (const field& one : headers) {
        if (frames_message(one.name) || !writable(one)) continue;
        dated = dated || equals_ignoring_case(one.name, "date");
        out.line(one.name, one.value);
    }
    if (!dated) out.line("Date", core().date());
    if (content_length && !bodiless(status)) out.content_length(*content_length);
    if (chunked) out.put("Transfer-Encoding: chunked\r\n");
    out.put(connection_fields());
    out.put("\r\n");
    out.finish();
}

// True when all went; else send_rest has to go on, unless the connection is broken.
bool exchange::sent_whole(const transfer& written, std::size_t total) noexcept
{
    sent_ += written.bytes;
    if (written.error && written.error != error::would_block) broken_ = true;
    return written.bytes == total;
}

awaitable<bool> exchange::send(std::string_view first, std::string_view second, std::string_view third)
{
    const std::size_t total = first.size() + second.size() + third.size();
    if (broken_) co_return false;
    const transfer written = stream_.try_write(first, second, third);
    if (sent_whole(written, total)) co_return true;
    std::size_t skip = written.bytes;
    for (std::string_view* part : {&first, &second, &third}) {
        const std::size_t size = std::min(skip, part->size());
        part->remove_prefix(size);
        skip -= size;
    }
    // Views that the caller holds while it awaits: only an empty string need be kept.
    if (first.empty()) co_return co_await send_rest({}, second, third);
    if (third.empty()) co_return co_await send_rest({}, first, second);
    std::string kept(first);
    auto rest = send_rest(std::move(kept), second, third);
    co_return co_await std::move(rest);
}

// `kept` is owned here: a head that lies in the core's scratch string is another's as soon as this suspends. What is waited
// counts as for a body that comes in (`fill`): the client must take something each progress_time, and all at body_rate.
awaitable<bool> exchange::send_rest(std::string kept, std::string_view second, std::string_view third)
{
    std::string_view first = kept;
    while (!broken_ && first.size() + second.size() + third.size() > 0) {
        const transfer written = stream_.try_write(first, second, third);
        sent_whole(written, 0);
        std::size_t skip = written.bytes;
        for (std::string_view* part : {&first, &second, &third}) {
            const std::size_t size = std::min(skip, part->size());
            part->remove_prefix(size);
            skip -= size;
        }
        writing_ += std::chrono::microseconds(written.bytes * 1'000'000 / options_->body_rate);
        if (written.error != error::would_block) continue;
        const auto began = std::chrono::steady_clock::now();
        stream_.write_by(began + std::min<std::chrono::microseconds>(options_->progress_time, writing_));
        co_await stream_.wait_writable();
        writing_ -= std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began);
    }
    if (!broken_) stream_.no_write_deadline();
    co_return !broken_;
}

awaitable<bool> exchange::send_rest(unsent rest)
{
    auto sending = send_rest(std::move(rest.head), rest.body, {});
    co_return co_await std::move(sending);
}

bool exchange::respond_at_once(int status, std::span<const field> headers, std::string_view body, unsent& rest)
{
    if (reply_ != reply::none || broken_) return true;
    std::string& out = core().scratch();
    write_head(out, status, headers, body.size(), false);
    if (to_head_ || bodiless(status)) body = {};
    reply_ = reply::done;
    const transfer written = stream_.try_write(out, body);
    if (sent_whole(written, out.size() + body.size()) || broken_) return true;
    const std::size_t of_head = std::min(written.bytes, out.size());
    rest.head = out.substr(of_head);
    rest.body = body.substr(written.bytes - of_head);
    return false;
}

awaitable<bool> exchange::respond(int status, std::span<const field> headers, std::string_view body)
{
    if (reply_ != reply::none || broken_) co_return false;
    unsent rest;
    if (respond_at_once(status, headers, body, rest)) co_return !broken_;
    auto sending = send_rest(std::move(rest.head), rest.body, {});
    co_return co_await std::move(sending);
}

awaitable<bool> exchange::begin_response(int status, std::span<const field> headers, std::optional<std::uint64_t> content_length)
{
    if (reply_ != reply::none || broken_) co_return false;
    const bool no_body = to_head_ || bodiless(status);
    if (content_length || no_body) {
        reply_ = reply::fixed;
        promised_ = no_body ? 0 : *content_length;
    } else if (takes_chunked()) {
        reply_ = reply::chunked;
    } else {
        reply_ = reply::until_close;
        close_after_ = true;
    }
    std::string& out = core().scratch();
    write_head(out, status, headers, content_length, reply_ == reply::chunked);
    const transfer written = stream_.try_write(out);
    if (sent_whole(written, out.size())) co_return true;
    std::string kept = out.substr(written.bytes);
    auto rest = send_rest(std::move(kept), {}, {});
    co_return co_await std::move(rest);
}

awaitable<bool> exchange::write_body(std::string_view bytes)
{
    if (broken_) co_return false;
    switch (reply_) {
    case reply::fixed:
        if (to_head_ || bytes.empty()) co_return true;
        if (bytes.size() > promised_) {
            abort_response();
            co_return false;
        }
        promised_ -= bytes.size();
        co_return co_await send(bytes);
    case reply::chunked: {
        if (bytes.empty()) co_return true;  // a chunk of size 0 would end the body
        const chunk_size_line size(bytes.size());
        co_return co_await send(size, bytes, chunk_end);
    }
    case reply::until_close: co_return co_await send(bytes);
    case reply::none:
    case reply::raw:
    case reply::done:
    case reply::failed: break;
    }
    co_return false;
}

awaitable<bool> exchange::end_response()
{
    if (broken_) co_return false;
    switch (reply_) {
    case reply::fixed:
        if (promised_ > 0) {
            abort_response();
            co_return false;
        }
        reply_ = reply::done;
        co_return true;
    case reply::chunked: reply_ = reply::done; co_return co_await send(last_chunk);
    case reply::until_close: reply_ = reply::done; co_return true;
    case reply::none:
    case reply::raw:
    case reply::done:
    case reply::failed: break;
    }
    co_return false;
}

void exchange::abort_response() noexcept
{
    // Where the end of the connection is the end of the body, only a reset tells that it is not whole.
    if (reply_ == reply::until_close || (reply_ == reply::raw && minor_version_ == 0))
        stream_.reset();
    else
        stream_.shutdown_send();
    reply_ = reply::failed;
    close_after_ = broken_ = true;
}

awaitable<bool> exchange::respond_raw(std::string_view head_bytes, std::string_view body, bool more)
{
    if (reply_ != reply::none || broken_) co_return false;
    close_after_ = close_after_ || will_close();
    reply_ = more ? reply::raw : reply::done;
    // Not by way of send(): the head may lie in the core's scratch string.
    const transfer written = stream_.try_write(head_bytes, body);
    if (sent_whole(written, head_bytes.size() + body.size())) co_return true;
    const std::size_t of_head = std::min(written.bytes, head_bytes.size());
    std::string kept(head_bytes.substr(of_head));
    auto rest = send_rest(std::move(kept), body.substr(written.bytes - of_head), {});
    co_return co_await std::move(rest);
}

awaitable<bool> exchange::write_raw(std::string_view first, std::string_view second, std::string_view third)
{
    if (reply_ != reply::raw) co_return false;
    co_return co_await send(first, second, third);
}

void exchange::end_raw(bool until_close) noexcept
{
    if (reply_ != reply::raw) return;
    reply_ = reply::done;
    close_after_ = close_after_ || until_close;
}

}  // namespace sallyport::http
