#include "gateway/forward/conversation.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <charconv>
#include <exception>
#include <utility>

namespace sallyport::forward {

using http::steady_time;
namespace error = boost::asio::error;

namespace {

constexpr std::size_t read_ahead = 16 << 10;  // bytes of a body, at once
constexpr int max_interim = 32;               // 1xx answers before the final one

steady_time now() noexcept { return std::chrono::steady_clock::now(); }

/// Removes `bytes` from the front of the parts, and gives what is left of `head`.
void drop_sent(std::size_t bytes, std::string_view& head, std::string_view& first, std::string_view& tail) noexcept
{
    for (std::string_view* part : {&head, &first, &tail}) {
        const std::size_t size = std::min(bytes, part->size());
        part->remove_prefix(size);
        bytes -= size;
    }
}

/// How long the upstream will keep the connection (`Keep-Alive: timeout=5`; RFC 2068 §19.7.1.1), less a margin for the way:
/// a request that crosses the upstream's close would be lost with an unknown outcome.
std::chrono::milliseconds promised_idle(const http::response_head& head) noexcept
{
    using namespace std::chrono_literals;
    constexpr auto unlimited = std::chrono::milliseconds::max();
    const auto value = head.find("keep-alive");
    if (!value) return unlimited;
    const auto at = value->find("timeout=");
    if (at == std::string_view::npos) return unlimited;
    const std::string_view digits = value->substr(at + 8);
    std::uint32_t seconds = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
    if (read.ec != std::errc() || seconds > 3600) return unlimited;
    const std::chrono::milliseconds promised = std::chrono::seconds(seconds);
    return promised > 1s ? promised - 1s : promised / 2;
}

}  // namespace

conversation::conversation(upstream_pool& pool, const config::route& route, const outgoing& request) noexcept
    : pool_(pool),
      route_(route),
      request_(request)
{
    times_.began = now();
}

asked conversation::gave_up(asked how, failure why)
{
    why_ = std::move(why);
    return how;
}

http::awaitable<asked> conversation::ask(const body_start& body, steady_time until)
{
    unsent rest;
    asked how = co_await begin(body, until, rest);
    if (how == asked::answered) {
        sent_all_ = body.agent == nullptr && rest.empty();
        how = sent_all_ ? co_await read_head() : co_await exchange_both_ways(body, rest, until);
    }
    // A part of a request must not look like a whole one, whatever its framing: then with a reset.
    if (how != asked::answered) lease_.drop(sent_ > 0 && !sent_all_);
    co_return how;
}

http::awaitable<asked> conversation::begin(const body_start& body, steady_time until, unsent& rest)
{
    for (bool fresh = false;; fresh = true) {
        auto taken = co_await pool_.take(route_.upstream, route_.ca, until, fresh);
        if (!taken) co_return gave_up(asked::nothing_sent, std::move(taken.error()));
        lease_ = std::move(*taken);
        http::stream& stream = lease_->stream;
        stream.read_by(until);
        stream.write_by(until);
        times_.connected = now();

        std::string& text = pool_.core().scratch();
        if (!write_request_head(text, request_, body.framing))
            co_return gave_up(asked::nothing_sent, fail(problem::internal_error, "the request cannot be written",
                                                        "a part of the request for route " + route_.id + " would break its framing"));
        const bool chunk = body.framing.kind == body_framing::kind::chunked && !body.first.empty();
        if (chunk) text += std::string_view(http::chunk_size_line(body.first.size()));

        std::string_view head = text, first = body.first, tail = chunk ? http::chunk_end : std::string_view();
        const http::transfer written = stream.try_write(head, first, tail);
        sent_ += written.bytes;
        drop_sent(written.bytes, head, first, tail);
        if (written.error && written.error != error::would_block && sent_ == 0) {
            // Only here may it be sent again: the system took nothing, so nothing can have been processed. A connection
            // that took a byte and then failed is not asked twice, whatever the method.
            const bool was_idle = lease_->reused;
            const std::string cause = route_.upstream.authority + ": " + written.error.message();
            lease_.drop();
            if (was_idle && !fresh) continue;
            co_return gave_up(asked::nothing_sent, fail(problem::upstream_unreachable, "the upstream cannot be reached", cause));
        }
        // The scratch string is another's from the next suspension on.
        if (!head.empty()) rest.head = head;
        rest.first = first;
        rest.tail = tail;
        co_return asked::answered;
    }
}

// The upstream may answer before it has read the request, and read no further then: who only wrote would wait for ever
// (RFC 9112 §9.5). So one coroutine writes while this one reads.
http::awaitable<asked> conversation::exchange_both_ways(const body_start& body, unsent& rest, steady_time until)
{
    const auto threw = [this](std::string_view what) {
        sender_threw_ = true;
        why_ = fail(problem::internal_error, "the request could not be sent", std::string(what));
        lease_->stream.interrupt();
    };
    http::task_group sender(pool_.core().get_executor(), threw);
    sender.spawn(send_rest(body, rest, until));
    asked how = asked::broken;
    std::exception_ptr thrown;
    try {
        how = co_await read_head();
    } catch (...) {
        thrown = std::current_exception();
    }
    // The sender refers to this frame, so it ends first, even when this coroutine is itself being cancelled.
    co_await boost::asio::this_coro::throw_if_cancelled(false);
    sender.cancel();
    co_await sender.join();
    co_await boost::asio::this_coro::throw_if_cancelled(true);
    if (thrown) std::rethrow_exception(thrown);
    co_return how;
}

http::awaitable<bool> conversation::write(std::string_view first, std::string_view second, std::string_view third, steady_time until)
{
    http::stream& stream = lease_->stream;
    stream.write_by(until);
    const http::transfer written = co_await stream.write_all(first, second, third);
    sent_ += written.bytes;
    if (!written.error) co_return true;
    if (written.error == error::timed_out) {
        stalled_ = true;
        stream.interrupt();
    }
    // Another failure is left to the reader: an upstream that refuses early answers, closes, and so breaks this writing.
    co_return false;
}

http::awaitable<void> conversation::send_rest(const body_start& body, unsent& rest, steady_time until)
{
    if (!rest.empty()) {
        const bool written = co_await write(rest.head, rest.first, rest.tail, until);
        if (!written) co_return;
    }
    if (body.agent != nullptr) {
        http::stream& stream = lease_->stream;
        const bool chunked = body.framing.kind == body_framing::kind::chunked;
        for (;;) {
            // While the agent is slow the upstream is not: how long an agent may take is the exchange's to say.
            stream.no_read_deadline();
            const auto piece = co_await body.agent->read_some_body(body.limit);
            const steady_time limit = now() + route_.timeout;
            stream.read_by(limit);
            if (!piece) {
                agent_failure_ = piece.error();
                stream.interrupt();
                co_return;
            }
            if (piece->empty()) break;
            bool written = false;
            if (chunked) {
                const http::chunk_size_line size(piece->size());
                written = co_await write(size, *piece, http::chunk_end, limit);
            } else {
                written = co_await write(*piece, {}, {}, limit);
            }
            if (!written) co_return;
        }
        if (chunked) {
            const bool written = co_await write(http::last_chunk, {}, {}, now() + route_.timeout);
            if (!written) co_return;
        }
    }
    sent_all_ = true;
}

asked conversation::lost(const boost::system::error_code& error)
{
    if (agent_failure_) return gave_up(asked::agent_failed, std::move(*agent_failure_));
    if (sender_threw_) return gave_up(sent_ == 0 ? asked::nothing_sent : asked::broken, std::move(why_));
    const std::string cause = route_.upstream.authority + ": " + error.message();
    if (sent_ == 0) return gave_up(asked::nothing_sent, fail(problem::upstream_unreachable, "the upstream cannot be reached", cause));
    if ((error == error::timed_out || stalled_) && lease_->in.rest().empty())
        return gave_up(asked::timed_out, fail(problem::upstream_timeout, "the upstream did not answer in time", cause));
    return gave_up(asked::broken, fail(problem::outcome_unknown, "the upstream gave no answer that can be read", cause));
}

http::awaitable<asked> conversation::read_head()
{
    upstream_connection& upstream = *lease_;
    const bool answers_head = request_.method == "HEAD";
    for (int interim = 0;;) {
        // The answer is not there yet: to wait first saves the system call that would find nothing. What the sender has to
        // say interrupts the wait, or was said before it.
        if (agent_failure_ || sender_threw_ || stalled_) co_return lost(error::operation_aborted);
        co_await upstream.stream.wait_readable();
        const http::transfer read = upstream.stream.try_read(upstream.in.room());
        if (read.error == error::would_block) continue;
        if (read.error) co_return lost(read.error);
        if (received_ == 0) times_.first_byte = now();
        received_ += read.bytes;
        upstream.in.received(read.bytes);
        for (;;) {
            const auto parsed = upstream.in.parse(answers_head);
            if (!parsed)
                co_return gave_up(asked::broken,
                                  fail(problem::outcome_unknown, "the upstream gave no answer that can be read",
                                       route_.upstream.authority + ": " + parsed.error().detail + ' ' + parsed.error().cause));
            if (!*parsed) break;
            const http::response_head& head = upstream.in.head();
            if (!head.interim()) {
                begin_body();
                co_return asked::answered;
            }
            // RFC 9110 §15.2: 100 and 103 are the upstream's talk with its client, which is the gateway. Nobody asked to
            // switch protocols; what follows a 101 could be anything.
            if (head.status == 101 || ++interim > max_interim)
                co_return gave_up(asked::broken, fail(problem::outcome_unknown, "the upstream gave no answer that can be read",
                                                      route_.upstream.authority + ": interim answer " + std::to_string(head.status)));
            upstream.in.next();
            if (upstream.in.rest().empty()) break;
        }
    }
}

void conversation::begin_body() noexcept
{
    const http::response_head& h = head();
    body_ended_ = h.no_body || (h.content_length && *h.content_length == 0);
    left_ = h.no_body ? 0 : h.content_length.value_or(0);
    until_close_ = h.until_close;
    if (h.chunked && !h.no_body) chunks_.emplace();
}

std::optional<std::uint64_t> conversation::length_left() const noexcept
{
    if (chunks_ || until_close_) return std::nullopt;
    return left_;
}

// The next bytes of the body among those that have arrived; empty when there are none (yet).
result<std::string_view> conversation::take_arrived()
{
    auto& in = lease_->in;
    while (!body_ended_ && !in.rest().empty()) {
        std::string_view data;
        if (chunks_) {
            const auto piece = chunks_->next(in.rest());
            if (!piece) return fail(problem::outcome_unknown, "the upstream's answer cannot be read on", piece.error().detail);
            in.consume(piece->used);
            body_ended_ = chunks_->done();
            data = piece->data;
        } else if (until_close_) {
            data = in.rest();
            in.consume(data.size());
        } else {
            data = in.rest().substr(0, std::min<std::uint64_t>(left_, in.rest().size()));
            in.consume(data.size());
            left_ -= data.size();
            body_ended_ = left_ == 0;
        }
        body_bytes_ += data.size();
        if (!data.empty()) return data;
    }
    return std::string_view();
}

result<std::string_view> conversation::arrived_body()
{
    auto first = take_arrived();
    if (!first || first->empty() || body_ended_) return first;
    // Several chunks: what lies between them goes, so they are put together.
    auto next = take_arrived();
    if (!next || next->empty()) return next ? first : next;
    collected_ = *first;
    while (next && !next->empty()) {
        collected_ += *next;
        next = take_arrived();
    }
    if (!next) return next;
    return std::string_view(collected_);
}

http::awaitable<result<std::string_view>> conversation::read_body(steady_time until)
{
    for (;;) {
        auto piece = take_arrived();
        if (!piece || !piece->empty() || body_ended_) co_return piece;
        upstream_connection& upstream = *lease_;
        upstream.stream.read_by(until);
        const http::transfer read = co_await upstream.stream.read_some(upstream.in.room(read_ahead));
        if (read.error) {
            // Over TLS only a proper close_notify gives eof: a cut stream cannot pass for its end (RFC 9112 §9.8).
            if (until_close_ && read.error == error::eof) {
                body_ended_ = true;
                co_return std::string_view();
            }
            co_return fail(problem::outcome_unknown, "the upstream's answer ended too early",
                           route_.upstream.authority + ": " + read.error.message());
        }
        upstream.in.received(read.bytes);
    }
}

void conversation::done() noexcept
{
    times_.ended = now();
    if (!lease_) return;
    upstream_connection& upstream = *lease_;
    // Bytes behind the answer would be read as the next call's (response splitting).
    const bool fit = sent_all_ && body_ended_ && !until_close_ && head().keep_alive && upstream.in.rest().empty();
    if (!fit) {
        lease_.drop();
        return;
    }
    upstream.idle_time = promised_idle(head());
    upstream.in.next();
    lease_.give_back();
}

}  // namespace sallyport::forward
