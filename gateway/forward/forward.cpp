#include "gateway/forward/forward.hpp"

#include "gateway/forward/answer_fields.hpp"
#include "gateway/forward/conversation.hpp"

#include <exception>
#include <memory_resource>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::forward {

namespace {

using http::steady_time;

// An answer of at most so many bytes that might show the credential is looked at as a whole: usually it does not, and
// goes on unchanged in one write.
constexpr std::uint64_t look_at_once = 64 << 10;

steady_time now() noexcept { return std::chrono::steady_clock::now(); }

/// The way of one answer from the upstream to the agent.
class passing {
public:
    passing(http::exchange& agent, upstream_pool& pool, const config::route& route, const outgoing& request, std::span<const field> added,
            conversation& talk, forwarded& told) noexcept
        : agent_(agent),
          pool_(pool),
          route_(route),
          added_(added),
          talk_(talk),
          told_(told)
    {
        if (request.credential && request.credential->forms && !request.credential->forms->empty()) forms_ = request.credential->forms;
    }

    /// The usual answer is all here, and goes on in one write. False: `run` has the rest to do.
    bool at_once()
    {
        arrived_ = talk_.arrived_body();
        if (!arrived_) {
            told_.failed = arrived_.error();
            return true;
        }
        if (!talk_.ended() || talk_.head().no_body) return false;
        const std::string_view body = begin_whole(*arrived_);
        begun_ = true;
        const field_list all = fields();
        if (!agent_.respond_at_once(told_.status, all, body, unsent_)) return false;
        told_.agent_gone = !agent_.open();
        return true;
    }

    http::awaitable<void> run()
    {
        if (begun_) {
            const bool written = co_await agent_.send_rest(std::move(unsent_));
            told_.agent_gone = !written;
        } else if (talk_.ended()) {
            co_await respond(*arrived_);
        } else if (forms_ && talk_.head().content_length.value_or(look_at_once + 1) <= look_at_once) {
            co_await collect(*arrived_);
        } else {
            co_await stream(*arrived_);
        }
    }

private:
    using field_list = std::pmr::vector<http::field>;

    /// For a head that is written before anything else can run on this core: texts may lie in the pool's scratch.
    field_list fields()
    {
        field_list all(&agent_.arena());
        all.reserve(talk_.head().fields.size() + added_.size());
        if (forms_) {
            header_list& kept = pool_.scratch_fields();
            answer_fields(talk_.head(), forms_, kept);
            all.assign(kept.begin(), kept.end());
        } else {
            fields_to_agent(talk_.head().fields, [&all](const http::field& one) { all.push_back(one); });
        }
        all.insert(all.end(), added_.begin(), added_.end());
        return all;
    }

    /// Gives the body as the agent may see it.
    std::string_view begin_whole(std::string_view body)
    {
        told_.status = talk_.head().status;
        told_.head_written = true;
        if (!forms_ || !forms_->found_in(body)) return body;
        clean_ = forms_->redact(body);
        return clean_;
    }

    http::awaitable<void> respond(std::string_view body)
    {
        const http::response_head& head = talk_.head();
        body = begin_whole(body);
        const field_list all = fields();
        bool written = false;
        if (head.no_body) {
            written = co_await agent_.begin_response(head.status, all, head.content_length);
            if (written) written = co_await agent_.end_response();
        } else {
            written = co_await agent_.respond(head.status, all, body);
        }
        told_.agent_gone = !written;
    }

    http::awaitable<void> collect(std::string_view first)
    {
        std::string whole(first);
        for (;;) {
            const auto piece = co_await talk_.read_body(now() + route_.timeout);
            if (!piece) {
                told_.failed = piece.error();
                co_return;
            }
            if (piece->empty()) break;
            whole += *piece;
        }
        co_await respond(whole);
    }

    http::awaitable<void> stream(std::string_view first)
    {
        const int status = talk_.head().status;
        // What is replaced changes the length, and whether it will be is not known yet.
        const auto length = forms_ ? std::nullopt : talk_.head().content_length;
        told_.status = status;
        told_.head_written = true;
        bool written = false;
        {
            const field_list all = fields();
            written = co_await agent_.begin_response(status, all, length);
        }
        static const credential_forms none;
        redactor clean(forms_ ? *forms_ : none);
        std::string_view piece = first;
        while (written) {
            const std::string_view text = clean.feed(piece);
            if (!text.empty()) written = co_await agent_.write_body(text);
            if (!written) break;
            const auto next = co_await talk_.read_body(now() + route_.timeout);
            if (!next && !agent_.open()) break;  // it left in the middle of its own body
            if (!next) {
                // The one way to say so that is left: the answer does not end properly.
                told_.failed = next.error();
                agent_.abort_response();
                co_return;
            }
            if (next->empty()) {
                const std::string_view rest = clean.finish();
                if (!rest.empty()) written = co_await agent_.write_body(rest);
                if (written) written = co_await agent_.end_response();
                told_.agent_gone = !written;
                co_return;
            }
            piece = *next;
        }
        told_.agent_gone = true;
    }

    http::exchange& agent_;
    upstream_pool& pool_;
    const config::route& route_;
    std::span<const field> added_;
    conversation& talk_;
    forwarded& told_;
    const credential_forms* forms_ = nullptr;
    result<std::string_view> arrived_{std::string_view()};
    std::string clean_;  // a body without the credential
    http::exchange::unsent unsent_;
    bool begun_ = false;  // `unsent_` is what is left
};

}  // namespace

http::awaitable<forwarded> forward(http::exchange& agent, upstream_pool& pool, const config::route& route, const outgoing& request,
                                   const body_source& body, std::span<const field> added)
{
    forwarded told;
    conversation talk(pool, route, request);
    conversation::body_start start;
    if (!body.streamed()) {
        start.first = body.bytes();
        start.framing = body_framing::of(start.first);
    } else if (agent.head().has_body()) {
        const auto first = co_await agent.read_some_body(route.body_limit);
        if (!first) {
            told.failed = first.error();
            told.times = talk.times();
            told.times.ended = now();
            co_return told;
        }
        start.first = *first;
        if (agent.body_read()) {
            start.framing = body_framing::of(start.first);
        } else {
            start.agent = &agent;
            start.limit = route.body_limit;
            const auto length = agent.head().content_length;
            start.framing = length ? body_framing{body_framing::kind::length, *length} : body_framing{body_framing::kind::chunked};
        }
    }
    std::exception_ptr thrown;
    try {
        const asked how = co_await talk.ask(start, http::coarse_now() + route.timeout);
        if (how == asked::answered) {
            passing way(agent, pool, route, request, added, talk, told);
            if (!way.at_once()) co_await way.run();
        } else {
            told.failed = std::move(talk.why());
        }
    } catch (...) {
        thrown = std::current_exception();
    }
    if (talk.sending()) co_await talk.end_sending(!thrown && !told.failed && !told.agent_gone);
    talk.done();
    if (thrown) std::rethrow_exception(thrown);
    told.request_bytes = talk.sent_bytes();
    told.response_bytes = talk.body_bytes();
    told.times = talk.times();
    if (told.times.ended == steady_time{}) told.times.ended = now();
    co_return told;
}

}  // namespace sallyport::forward
