// One request to an upstream and its answer, as far as `forward` and `send` are alike: connect, send, read the head, read
// the body. It says exactly what was sent, for that is what decides whether a call may ever be sent again.
#pragma once

#include "gateway/config/configuration.hpp"
#include "gateway/forward/forward.hpp"
#include "gateway/forward/outgoing.hpp"
#include "gateway/forward/pool.hpp"
#include "gateway/http/async.hpp"
#include "gateway/http/chunked.hpp"
#include "gateway/http/exchange.hpp"
#include "gateway/http/head.hpp"
#include "workflows/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::forward {

/// Why there is no answer's head.
enum class asked {
    answered,
    nothing_sent,  // not a byte of the request can have been processed
    timed_out,     // nothing came in time
    broken,        // what came, if anything, was no well-formed answer
    agent_failed,  // the agent's body could not be read on: the upstream has a part of the request
};

/// Belongs to the coroutine that runs it; stays in place.
class conversation {
public:
    /// All of it must outlive this.
    conversation(upstream_pool& pool, const config::route& route, const outgoing& request) noexcept;
    conversation(const conversation&) = delete;
    conversation& operator=(const conversation&) = delete;

    /// The body's beginning, which may be all of it.
    struct body_start {
        std::string_view first;           // stays valid until more is read from the agent
        body_framing framing;             // of the whole body
        http::exchange* agent = nullptr;  // where the rest comes from; null: `first` is all
        std::uint64_t limit = 0;          // bytes of the whole body, for the agent
    };
    /// Sends the request and reads the answer's head. `until`: for both; while the agent is being read from, counted anew
    /// from each of its bytes. Except for `answered`, `why()` says more and the connection is gone.
    http::awaitable<asked> ask(const body_start& body, http::steady_time until);

    /// After `answered`.
    const http::response_head& head() const noexcept { return lease_->in.head(); }
    /// The body's next bytes, until the next call; empty at the end. A failure (`outcome_unknown`) is final. `until`: the
    /// latest time for them to come.
    http::awaitable<result<std::string_view>> read_body(http::steady_time until);
    /// What of the body has arrived by now, without waiting; `ended` tells whether that is all.
    result<std::string_view> arrived_body();
    bool ended() const noexcept { return body_ended_; }
    /// How much is still to come, where Content-Length says so.
    std::optional<std::uint64_t> length_left() const noexcept;

    /// The answer is read: the connection goes back for other calls if it is fit for them.
    void done() noexcept;
    void drop() noexcept { lease_.drop(); }

    failure& why() noexcept { return why_; }
    std::uint64_t sent_bytes() const noexcept { return sent_; }
    std::uint64_t body_bytes() const noexcept { return body_bytes_; }
    timing& times() noexcept { return times_; }

private:
    struct unsent {
        std::string head;              // what is left of head and first chunk's size
        std::string_view first, tail;  // and of the body's first piece
        bool empty() const noexcept { return head.empty() && first.empty() && tail.empty(); }
    };

    http::awaitable<asked> begin(const body_start& body, http::steady_time until, unsent& rest);
    http::awaitable<asked> exchange_both_ways(const body_start& body, unsent& rest, http::steady_time until);
    http::awaitable<void> send_rest(const body_start& body, unsent& rest, http::steady_time until);
    http::awaitable<bool> write(std::string_view first, std::string_view second, std::string_view third, http::steady_time until);
    http::awaitable<asked> read_head();
    asked gave_up(asked, failure);
    asked lost(const boost::system::error_code&);
    result<std::string_view> take_arrived();
    void begin_body() noexcept;

    upstream_pool& pool_;
    const config::route& route_;
    const outgoing& request_;
    lease lease_;
    failure why_;
    timing times_;
    std::uint64_t sent_ = 0, received_ = 0;

    // of the request
    std::optional<failure> agent_failure_;
    bool sent_all_ = false;
    bool stalled_ = false;  // the upstream takes nothing more
    bool sender_threw_ = false;

    // of the answer's body
    std::optional<http::chunk_decoder> chunks_;
    std::uint64_t left_ = 0;  // of Content-Length
    std::uint64_t body_bytes_ = 0;
    std::string collected_;
    bool until_close_ = false;
    bool body_ended_ = false;
};

}  // namespace sallyport::forward
