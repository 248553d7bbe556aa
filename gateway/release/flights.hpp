// Which claims of this process somebody is at work on, and what becomes of the others. The database alone cannot say it: a
// hold that this replica is `releasing` may be one whose claim's COMMIT went unanswered, so that nobody knew of it, or one
// whose outcome could not be written.
#pragma once

#include "workflows/hold_step.hpp"
#include "workflows/ids.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace sallyport::release {

class flights;

/// One claim that is being worked on, from the commit that made the hold `releasing` to the one of its outcome.
class flight {
public:
    flight(flights& all, hold_id hold, std::int64_t version);
    /// Without `recorded` the claim is left over: whoever settles records what it `would_be`.
    ~flight();
    flight(const flight&) = delete;
    flight& operator=(const flight&) = delete;

    /// At first: nothing was sent. Before the first byte goes, and again when its end is known.
    void would_be(event);
    /// The database has the outcome, this one or another's.
    void recorded() noexcept;

private:
    flights& all_;
    hold_id hold_;
    std::int64_t version_;
    bool recorded_ = false;
};

/// Any thread. Outlives its flights.
class flights {
public:
    std::size_t running() const noexcept;
    /// What a hold that this replica is `releasing` in that version becomes; none: somebody is at work on it. One that was
    /// never here was claimed by a transaction whose end nobody saw: nothing was sent.
    std::optional<event> left_over(hold_id, std::int64_t version) const;
    /// It was settled.
    void forget(hold_id, std::int64_t version) noexcept;

private:
    friend class flight;
    struct claim {
        hold_id hold;
        std::int64_t version;
        auto operator<=>(const claim&) const = default;
    };
    struct state {
        bool running = true;
        event would_be = happened::sent_nothing{"the gateway did not come to send it"};
    };

    mutable std::mutex mutex_;
    std::map<claim, state> all_;
    std::size_t running_ = 0;
};

}  // namespace sallyport::release
