// Deadlines without a timer each: one coarse tick a core sweeps a wheel of buckets. Setting a deadline is a store
// nearly always, for an entry stays in its bucket until that is swept and moves on then. What is late is told at most
// `tick` after its time.
#pragma once

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace sallyport::http {

using steady_time = std::chrono::steady_clock::time_point;

/// The steady clock, as of the kernel's last tick (at most 10 ms ago): enough for deadlines, at a fifth of the cost.
steady_time coarse_now() noexcept;

namespace detail {
struct ring {
    ring* before = this;
    ring* after = this;
    void unlink() noexcept
    {
        before->after = after;
        after->before = before;
        before = after = this;
    }
    void append(ring& one) noexcept
    {
        one.before = before;
        one.after = this;
        before->after = &one;
        before = &one;
    }
    bool alone() const noexcept { return after == this; }
};
}  // namespace detail

class timers;

/// One point in time and whom to tell. Its owner keeps it in place (it is linked) and on its core.
class deadline : detail::ring {
public:
    using told = void (*)(void*) noexcept;
    static constexpr steady_time never = steady_time::max();

    deadline(timers& owner, told tell, void* context) noexcept : timers_(&owner), tell_(tell), context_(context) {}
    ~deadline();
    deadline(const deadline&) = delete;
    deadline& operator=(const deadline&) = delete;

    void set(steady_time at) noexcept;
    void clear() noexcept
    {
        at_ = never;
        passed_ = false;
    }
    steady_time at() const noexcept { return at_; }
    /// It was swept past its time; `set` and `clear` forget that.
    bool passed() const noexcept { return passed_; }

private:
    friend class timers;
    timers* timers_;
    told tell_;
    void* context_;
    steady_time at_ = never;
    std::uint64_t slot_ = 0;  // the tick whose bucket holds it
    bool passed_ = false;
};

/// The wheel of one core. It ticks only while a deadline is linked, and is destroyed before its context and after
/// all deadlines.
class timers {
public:
    static constexpr std::chrono::milliseconds tick{100};

    explicit timers(boost::asio::io_context&);
    ~timers();
    timers(const timers&) = delete;
    timers& operator=(const timers&) = delete;

    /// Tells all whose time is at most `now`. Public so that tests own the clock.
    void sweep(steady_time now);

private:
    friend class deadline;
    using timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>,
                                                    boost::asio::io_context::executor_type>;
    static constexpr std::size_t bucket_count = 1024;  // about 100 s; what is further off passes through again

    static std::uint64_t tick_of(steady_time) noexcept;
    void link(deadline&) noexcept;
    void schedule();

    timer timer_;
    std::uint64_t swept_ = 0;  // every bucket up to this tick is done
    std::size_t linked_ = 0;
    bool ticking_ = false;
    std::array<detail::ring, bucket_count> buckets_;
};

}  // namespace sallyport::http
