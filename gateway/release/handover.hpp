// Answers that are too long to be kept go to a connection that waits for them, as they come (semantics.md, "Kept
// answers"). Who sends and who waits may be on two cores: what passes between them is owned, one piece at a time, and each
// is acknowledged once the agent's connection has it, so that the upstream is read no faster than the agent reads.
#pragma once

#include "gateway/forward/send.hpp"
#include "gateway/http/async.hpp"
#include "gateway/http/core.hpp"
#include "gateway/http/exchange.hpp"
#include "workflows/ids.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sallyport::release {

namespace detail {
struct meeting;
struct message;
}  // namespace detail

/// Who waits in this process. Any thread; outlives everybody in it.
class handovers {
public:
    void add(hold_id, std::shared_ptr<detail::meeting>);
    void remove(hold_id, const std::shared_ptr<detail::meeting>&) noexcept;
    std::vector<std::shared_ptr<detail::meeting>> waiting_for(hold_id) const;

private:
    mutable std::mutex mutex_;
    std::unordered_multimap<hold_id, std::shared_ptr<detail::meeting>> all_;
};

/// A connection that waits for a hold's answer. Belongs to its core.
class waiting_agent {
public:
    /// `told` is fired when an answer is offered; it outlives this.
    waiting_agent(handovers&, hold_id, http::core&, http::signal& told);
    /// What is offered from now on is declined.
    ~waiting_agent();
    waiting_agent(const waiting_agent&) = delete;
    waiting_agent& operator=(const waiting_agent&) = delete;

    /// An answer begins to come: it is this connection's, once `pass_on` is called with no suspension between.
    bool offered() const noexcept;
    /// To its end, or to that of the connection; nothing can be answered after it.
    http::awaitable<void> pass_on(http::exchange&);

private:
    http::awaitable<bool> next(http::exchange&);

    handovers& all_;
    hold_id hold_;
    std::shared_ptr<detail::meeting> meeting_;
};

/// The sender's end: offers the answer to those who wait, one after the other. Belongs to the sender's core.
class long_answer final : public forward::answer_sink {
public:
    long_answer(const handovers&, hold_id, action_id, http::core&);
    /// An answer that is not at its end is cut off, so that its agent can tell.
    ~long_answer() override;
    long_answer(const long_answer&) = delete;
    long_answer& operator=(const long_answer&) = delete;

    http::awaitable<bool> begin(int status, std::span<const std::pair<std::string, std::string>> headers,
                                std::optional<std::uint64_t> length) override;
    http::awaitable<bool> write(std::string_view) override;
    http::awaitable<void> end(bool whole) override;

private:
    http::awaitable<bool> tell(std::shared_ptr<detail::meeting> whom, detail::message);
    void finish(bool whole) noexcept;

    const handovers& all_;
    hold_id hold_;
    action_id action_;
    http::core& core_;
    std::shared_ptr<detail::meeting> taker_;  // while it takes
};

}  // namespace sallyport::release
