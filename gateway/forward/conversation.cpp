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

failure broken_answer(std::string cause)
{
    return fail(problem::outcome_unknown, "the upstream gave no answer that can be read", std::move(cause));
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
}

asked conversation::gave_up(asked how, failure why)
{
    why_ = std::move(why);
    return how;
}

// The upstream may answer before it has read the request, and read no further then: who only wrote would wait for ever
// (RFC 9112 §9.5). Or it answers while it reads, as whoever transforms a stream does: who stopped writing then would cut the
// request off. So another coroutine writes what did not go at once, while this one reads head and body.
http::awaitable<asked> conversation::ask(const body_start& body, steady_time until)
{
    begun beginning = begun::again;
    lease_ = pool_.take_idle(route_.upstream, route_.ca);
    if (lease_) beginning = begin(body, until);
    if (beginning == begun::again) {
        auto taken = co_await pool_.take(route_.upstream, route_.ca, until, true);
        if (!taken) co_return gave_up(asked::nothing_sent, taken.error());
        lease_ = std::move(*taken);
        beginning = begin(body, until);
    }
    asked how = asked::nothing_sent;
    if (beginning == begun::written) {
        sent_all_ = body.agent == nullptr && rest_.empty();
        if (!sent_all_) start_sending(body, until);
        for (;;) {
            // What the sender has to say interrupts the wait, or was said before it.
            if (sending_failed_ || stalled_) {
                how = lost(error::operation_aborted);
                break;
            }
            // The answer is not there yet: to wait first saves the system call that would find nothing.
            if (waits_) co_await lease_->stream.wait_readable();
            if (const auto read = read_head()) {
                how = *read;
                break;
            }
        }
        // What was refused is not read further.
        if (sending() && (how != asked::answered || head().status >= 400)) co_await end_sending(false);
        // Bytes may have gone between the reader's verdict and the sender's end.
        if (how == asked::nothing_sent && perhaps_sent()) how = gave_up(asked::broken, broken_answer(why_.cause));
    }
    // A part of a request must not look like a whole one, whatever its framing: then with a reset.
    if (how != asked::answered) lease_.drop(perhaps_sent() && !sent_all_);
    co_return how;
}

conversation::begun conversation::begin(const body_start& body, steady_time until)
{
    http::stream& stream = lease_->stream;
    read_until(until);
    stream.write_by(until);
    times_.connected = now();

    std::string& text = pool_.core().scratch();
    if (!write_request_head(text, request_, body.framing)) {
        why_ = fail(problem::internal_error, "the request cannot be written",
                    "a part of the request for route " + route_.id + " would break its framing");
        return begun::refused;
    }
    const bool chunk = body.framing.kind == body_framing::kind::chunked && !body.first.empty();
    if (chunk) text += std::string_view(http::chunk_size_line(body.first.size()));

    std::string_view head = text, first = body.first, tail = chunk ? http::chunk_end : std::string_view();
    const http::transfer written = stream.try_write(head, first, tail);
    sent_ += written.bytes;
    if (written.error && written.error != error::would_block && sent_ == 0) {
        // Only here may it be sent again: the system took nothing, so nothing can have been processed. A connection
        // that took a byte and then failed is not asked twice, whatever the method.
        if (lease_->reused) {
            lease_.drop();
            return begun::again;
        }
        why_ = fail(problem::upstream_unreachable, "the upstream cannot be reached",
                    route_.upstream.authority + ": " + written.error.message());
        return begun::refused;
    }
    drop_sent(written.bytes, head, first, tail);
    // The scratch string is another's from the next suspension on.
    if (!head.empty()) rest_.head = head;
    rest_.first = first;
    rest_.tail = tail;
    return begun::written;
}

void conversation::start_sending(const body_start& body, steady_time until)
{
    const auto threw = [this](std::string_view what) {
        sending_failed_ = fail(problem::internal_error, "the request could not be sent", std::string(what));
        agents_turn_ = false;
        lease_->stream.interrupt();
    };
    sender_ = std::make_unique<http::task_group>(pool_.core().get_executor(), threw);
    sender_->spawn(send_rest(body, until));
}

http::awaitable<void> conversation::end_sending(bool complete)
{
    // The sender refers to this object, so it ends first, even when this coroutine is itself being cancelled.
    co_await boost::asio::this_coro::throw_if_cancelled(false);
    const bool reads_on = complete && body_ended_ && head().keep_alive;
    if (!reads_on) {
        // A wait that has ended already is not cancelled any more, and would be followed by one more write.
        stop_sending_ = true;
        sender_->cancel();
    }
    co_await sender_->join();
    agents_turn_ = false;
    read_until(read_until_);
    co_await boost::asio::this_coro::throw_if_cancelled(true);
}

void conversation::read_until(steady_time at) noexcept
{
    read_until_ = at;
    if (!agents_turn_) lease_->stream.read_by(at);
}

http::awaitable<bool> conversation::write(std::string_view first, std::string_view second, std::string_view third, steady_time until)
{
    http::stream& stream = lease_->stream;
    stream.write_by(until);
    while (first.size() + second.size() + third.size() > 0) {
        if (stop_sending_) co_return false;
        wrote_ciphertext_ = stream.secure();
        // Counted at once: that the rest fails, or that nobody waits for it, does not take back what went.
        const http::transfer written = stream.try_write(first, second, third);
        sent_ += written.bytes;
        drop_sent(written.bytes, first, second, third);
        if (written.error == error::would_block) {
            co_await stream.wait_writable();
        } else if (written.error) {
            if (written.error == error::timed_out) {
                stalled_ = true;
                stream.interrupt();
            }
            // Another failure is left to the reader: an upstream that refuses early answers, closes, and so breaks this writing.
            co_return false;
        }
    }
    co_return true;
}

http::awaitable<void> conversation::send_rest(body_start body, steady_time until)
{
    if (!rest_.empty()) {
        const bool written = co_await write(rest_.head, rest_.first, rest_.tail, until);
        if (!written) co_return;
    }
    if (body.agent != nullptr) {
        http::stream& stream = lease_->stream;
        const bool chunked = body.framing.kind == body_framing::kind::chunked;
        for (;;) {
            // While the agent is slow the upstream is not: how long an agent may take is the exchange's to say.
            agents_turn_ = true;
            stream.no_read_deadline();
            const auto piece = co_await body.agent->read_some_body(body.limit);
            agents_turn_ = false;
            const steady_time limit = now() + route_.timeout;
            read_until(limit);
            if (!piece) {
                sending_failed_ = piece.error();
                by_agent_ = true;
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
    if (sending_failed_) {
        const asked unless_agent = perhaps_sent() ? asked::broken : asked::nothing_sent;
        return gave_up(by_agent_ ? asked::agent_failed : unless_agent, std::move(*sending_failed_));
    }
    const std::string cause = route_.upstream.authority + ": " + error.message();
    if (!perhaps_sent()) return gave_up(asked::nothing_sent, fail(problem::upstream_unreachable, "the upstream cannot be reached", cause));
    if ((error == error::timed_out || stalled_) && lease_->in.rest().empty())
        return gave_up(asked::timed_out, fail(problem::upstream_timeout, "the upstream did not answer in time", cause));
    return gave_up(asked::broken, broken_answer(cause));
}

std::optional<asked> conversation::read_head()
{
    upstream_connection& upstream = *lease_;
    const http::transfer read = upstream.stream.try_read(upstream.in.room());
    // Once something came, its end may have come with it, which a wait would not notice.
    waits_ = read.error == error::would_block;
    if (waits_) return std::nullopt;
    if (read.error) return lost(read.error);
    if (received_ == 0) times_.first_byte = now();
    received_ += read.bytes;
    upstream.in.received(read.bytes);
    do {
        const auto parsed = upstream.in.parse(request_.method == "HEAD");
        if (!parsed)
            return gave_up(asked::broken,
                           broken_answer(route_.upstream.authority + ": " + parsed.error().detail + ' ' + parsed.error().cause));
        if (!*parsed) break;
        const http::response_head& head = upstream.in.head();
        if (!head.interim()) {
            begin_body();
            return asked::answered;
        }
        // RFC 9110 §15.2: 100 and 103 are the upstream's talk with its client, which is the gateway. Nobody asked to
        // switch protocols; what follows a 101 could be anything.
        if (head.status == 101 || ++interim_ > max_interim)
            return gave_up(asked::broken, broken_answer(route_.upstream.authority + ": interim answer " + std::to_string(head.status)));
        upstream.in.next();
    } while (!upstream.in.rest().empty());
    return std::nullopt;
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
    for (bool waits = false;; waits = true) {
        auto piece = take_arrived();
        if (!piece || !piece->empty() || body_ended_) co_return piece;
        // Half a request from the agent leads to no whole answer.
        if (sending_failed_) co_return *sending_failed_;
        upstream_connection& upstream = *lease_;
        if (!waits) read_until(until);  // once: a deadline that is set again has not passed
        const http::transfer read = upstream.stream.try_read(upstream.in.room(read_ahead));
        if (read.error == error::would_block) {
            co_await upstream.stream.wait_readable();
            continue;
        }
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
        lease_.drop(!sent_all_);
        return;
    }
    upstream.idle_time = promised_idle(head());
    upstream.in.next();
    lease_.give_back();
}

}  // namespace sallyport::forward
