#include "gateway/http/timers.hpp"

#include <time.h>

#include <algorithm>

namespace sallyport::http {

deadline::~deadline()
{
    if (alone()) return;
    unlink();
    --timers_->linked_;
}

void deadline::set(steady_time at) noexcept
{
    at_ = at;
    passed_ = false;
    // Later than its bucket: left there, the sweep moves it on. Most deadlines are pushed back again and again.
    if (at == never || (!alone() && slot_ <= timers::tick_of(at))) return;
    if (!alone()) {
        unlink();
        --timers_->linked_;
    }
    timers_->link(*this);
}

steady_time coarse_now() noexcept
{
    timespec at{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &at);  // the clock that steady_clock reads
    return steady_time(std::chrono::seconds(at.tv_sec) + std::chrono::nanoseconds(at.tv_nsec));
}

timers::timers(boost::asio::io_context& context) : timer_(context.get_executor()) {}

timers::~timers()
{
    for (detail::ring& bucket : buckets_)
        while (!bucket.alone()) bucket.after->unlink();
}

std::uint64_t timers::tick_of(steady_time at) noexcept
{
    // Rounded up: an entry is never told before its time.
    const auto since = std::chrono::ceil<std::chrono::milliseconds>(at.time_since_epoch());
    return static_cast<std::uint64_t>((since + tick - std::chrono::milliseconds(1)) / tick);
}

void timers::link(deadline& one) noexcept
{
    if (!ticking_) {
        swept_ = tick_of(std::chrono::steady_clock::now()) - 1;
        schedule();
    }
    one.slot_ = std::clamp(tick_of(one.at_), swept_ + 1, swept_ + bucket_count - 1);
    buckets_[one.slot_ % bucket_count].append(one);
    ++linked_;
}

void timers::schedule()
{
    ticking_ = true;
    timer_.expires_after(tick);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;  // the context ends; `this` may be gone
        sweep(std::chrono::steady_clock::now());
        if (linked_ > 0)
            schedule();
        else
            ticking_ = false;
    });
}

void timers::sweep(steady_time now)
{
    // Rounded down: only ticks that have wholly passed.
    const auto until = static_cast<std::uint64_t>(std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()) / tick);
    if (until <= swept_) return;
    const std::uint64_t first = std::max(swept_ + 1, until >= bucket_count ? until - bucket_count + 1 : 0);
    for (std::uint64_t slot = first; slot <= until; ++slot) {
        swept_ = slot;
        detail::ring& bucket = buckets_[slot % bucket_count];
        if (bucket.alone()) continue;
        // What is told may set, clear or destroy deadlines, also those next to it: each is taken from a list of its own.
        detail::ring due;
        while (!bucket.alone()) {
            detail::ring& one = *bucket.after;
            one.unlink();
            due.append(one);
        }
        while (!due.alone()) {
            auto& one = static_cast<deadline&>(*due.after);
            one.unlink();
            --linked_;
            if (one.at_ == deadline::never) continue;
            if (tick_of(one.at_) > slot) {
                link(one);
                continue;
            }
            one.at_ = deadline::never;
            one.passed_ = true;
            one.tell_(one.context_);
        }
    }
}

}  // namespace sallyport::http
