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
#include <memory>
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

    /// A part of the request is still on its way, which may go on while the answer comes. Then `end_sending` must have
    /// returned before `done` is called and before this goes, also when what is between them throws.
    bool sending() const noexcept { return sender_ && sender_->running() > 0; }
    /// `complete`: the answer was read to its end, so what is left of the request goes on too, if the upstream keeps the
    /// connection and thereby says that it reads on. Else the request ends here, in the middle.
    http::awaitable<void> end_sending(bool complete);
    /// The connection goes back for other calls if it is fit for them, and ends otherwise.
    void done() noexcept;

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

    enum class begun { written, again, refused };
    /// Writes what the socket takes at once, on the connection that was taken.
    begun begin(const body_start& body, http::steady_time until);
    void start_sending(const body_start& body, http::steady_time until);
    http::awaitable<void> send_rest(body_start body, http::steady_time until);
    http::awaitable<bool> write(std::string_view first, std::string_view second, std::string_view third, http::steady_time until);
    /// Reads once. None: more must come first; `waits_` says whether it is worth asking the kernel for it.
    std::optional<asked> read_head();
    void read_until(http::steady_time) noexcept;
    asked gave_up(asked, failure);
    asked lost(const boost::system::error_code&);
    bool perhaps_sent() const noexcept { return sent_ > 0 || wrote_ciphertext_; }
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
    std::unique_ptr<http::task_group> sender_;  // of what did not go at once; refers to this object
    unsent rest_;
    std::optional<failure> sending_failed_;
    bool by_agent_ = false;  // that failed
    bool sent_all_ = false;
    bool stop_sending_ = false;
    bool stalled_ = false;           // the upstream takes nothing more
    bool agents_turn_ = false;       // the sender waits for the agent, so nobody waits for the upstream
    bool wrote_ciphertext_ = false;  // of a record that the system took in part, nothing is counted

    // of the answer
    int interim_ = 0;
    bool waits_ = true;
    http::steady_time read_until_{};
    std::optional<http::chunk_decoder> chunks_;
    std::uint64_t left_ = 0;  // of Content-Length
    std::uint64_t body_bytes_ = 0;
    std::string collected_;
    bool until_close_ = false;
    bool body_ended_ = false;
};

}  // namespace sallyport::forward
