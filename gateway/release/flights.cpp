#include "gateway/release/flights.hpp"

#include <utility>

namespace sallyport::release {

flight::flight(flights& all, hold_id hold, std::int64_t version) : all_(all), hold_(hold), version_(version)
{
    const std::lock_guard lock(all_.mutex_);
    all_.all_.insert_or_assign(flights::claim{hold_, version_}, flights::state{});
    ++all_.running_;
}

flight::~flight()
{
    const std::lock_guard lock(all_.mutex_);
    --all_.running_;
    const auto mine = all_.all_.find(flights::claim{hold_, version_});
    if (recorded_)
        all_.all_.erase(mine);
    else
        mine->second.running = false;
}

void flight::would_be(event what)
{
    const std::lock_guard lock(all_.mutex_);
    all_.all_.find(flights::claim{hold_, version_})->second.would_be = std::move(what);
}

void flight::recorded() noexcept { recorded_ = true; }

std::size_t flights::running() const noexcept
{
    const std::lock_guard lock(mutex_);
    return running_;
}

std::optional<event> flights::left_over(hold_id hold, std::int64_t version) const
{
    const std::lock_guard lock(mutex_);
    const auto found = all_.find(claim{hold, version});
    if (found == all_.end()) return happened::sent_nothing{"the gateway did not see its claim"};
    if (found->second.running) return std::nullopt;
    return found->second.would_be;
}

void flights::forget(hold_id hold, std::int64_t version) noexcept
{
    const std::lock_guard lock(mutex_);
    const auto found = all_.find(claim{hold, version});
    if (found != all_.end() && !found->second.running) all_.erase(found);
}

}  // namespace sallyport::release
