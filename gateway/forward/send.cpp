#include "gateway/forward/send.hpp"

#include "gateway/forward/answer_fields.hpp"
#include "gateway/forward/conversation.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace sallyport::forward {

namespace {

using http::steady_time;

constexpr std::uint64_t first_reserve = 256 << 10;  // a Content-Length is not believed beyond this

steady_time now() noexcept { return std::chrono::steady_clock::now(); }

/// Takes an answer's body: into the answer as long as it fits, then to the sink.
class keeper {
public:
    keeper(answer& kept, std::uint64_t limit, answer_sink* sink) noexcept : kept_(kept), limit_(limit), sink_(sink) {}

    http::awaitable<void> take(std::string_view bytes, std::optional<std::uint64_t> length)
    {
        if (!too_long_ && bytes.size() <= limit_ - kept_.body.size()) {
            kept_.body += bytes;
            co_return;
        }
        if (!too_long_) {
            const std::string before = std::exchange(kept_.body, {});
            co_await outgrow(length);
            if (sink_takes_ && !before.empty()) sink_takes_ = co_await sink_->write(before);
        }
        if (sink_takes_ && !bytes.empty()) sink_takes_ = co_await sink_->write(bytes);
    }
    /// It will not fit.
    http::awaitable<void> outgrow(std::optional<std::uint64_t> length)
    {
        too_long_ = true;
        if (sink_) sink_takes_ = co_await sink_->begin(kept_.status, kept_.headers, length);
    }
    http::awaitable<void> end(bool whole)
    {
        if (!whole) kept_ = answer();
        if (sink_takes_) co_await sink_->end(whole);
    }
    bool too_long() const noexcept { return too_long_; }
    bool sink_takes() const noexcept { return sink_takes_; }

private:
    answer& kept_;
    std::uint64_t limit_;
    answer_sink* sink_;
    bool too_long_ = false;
    bool sink_takes_ = false;
};

/// Reads the answer to its end. A failure when it has none.
http::awaitable<std::optional<failure>> keep_answer(conversation& talk, const config::route& route, const outgoing& request,
                                                    std::uint64_t limit, answer_sink* sink, header_list& scratch, steady_time until,
                                                    sent& told)
{
    const credential_forms* forms = request.credential ? request.credential->forms : nullptr;
    const http::response_head& head = talk.head();
    answer& kept = told.answer;
    kept.status = head.status;
    answer_fields(head, forms, scratch);
    kept.headers.reserve(scratch.size());
    for (const auto& one : scratch) kept.headers.emplace_back(one.name, one.value);
    if (head.no_body) kept.declared_length = head.content_length;

    // What is replaced changes the length.
    const auto length = forms ? std::nullopt : talk.length_left();
    keeper body(kept, limit, sink);
    if (length && *length > limit)
        co_await body.outgrow(length);
    else if (length)
        kept.body.reserve(std::min(*length, first_reserve));

    static const credential_forms none;
    redactor clean(forms ? *forms : none);
    bool had_sink = body.sink_takes();
    for (;;) {
        // Kept, the whole answer has the route's timeout. On its way to an agent it is as slow as that agent, which must
        // not make an unknown outcome of it: then each read has, and what is left when the agent goes has it once more.
        if (body.sink_takes() || had_sink != body.sink_takes()) until = now() + route.timeout;
        had_sink = body.sink_takes();
        const auto piece = co_await talk.read_body(until);
        if (!piece) {
            co_await body.end(false);
            co_return piece.error();
        }
        const std::string_view text = piece->empty() ? clean.finish() : clean.feed(*piece);
        const bool last = piece->empty();
        co_await body.take(text, length);
        if (last) break;
    }
    co_await body.end(true);
    told.kind = body.too_long() ? sent_kind::too_long : sent_kind::answered;
    co_return std::nullopt;
}

}  // namespace

http::awaitable<sent> send(upstream_pool& pool, const config::route& route, const outgoing& request, std::string_view body,
                           std::uint64_t limit, answer_sink* sink)
{
    sent told;
    conversation talk(pool, route, request);
    const steady_time until = now() + route.timeout;
    conversation::body_start start;
    start.first = body;
    start.framing = body_framing::of(body);
    asked how = asked::broken;
    std::exception_ptr thrown;
    try {
        how = co_await talk.ask(start, until);
        if (how == asked::answered) told.why = co_await keep_answer(talk, route, request, limit, sink, pool.scratch_fields(), until, told);
    } catch (...) {
        thrown = std::current_exception();
    }
    if (talk.sending()) co_await talk.end_sending(!thrown && !told.why);
    talk.done();
    if (thrown) std::rethrow_exception(thrown);
    switch (how) {
    case asked::answered: break;
    case asked::nothing_sent:
        told.kind = sent_kind::nothing_sent;
        told.why = std::move(talk.why());
        break;
    case asked::timed_out:
    case asked::broken:
    case asked::agent_failed:
        told.kind = sent_kind::unknown;
        told.why = std::move(talk.why());
        told.why->what = problem::outcome_unknown;
        break;
    }
    told.request_bytes = talk.sent_bytes();
    told.response_bytes = talk.body_bytes();
    told.times = talk.times();
    if (told.times.ended == steady_time{}) told.times.ended = now();
    co_return told;
}

}  // namespace sallyport::forward
