#include "gateway/notify/backoff.hpp"

#include <algorithm>
#include <cstdint>

namespace sallyport::notify {

duration pause_after(int attempts, double chance, std::optional<duration> asked_for) noexcept
{
    duration pause = first_pause;
    for (int i = 1; i < attempts && pause < longest_pause; ++i) pause *= 2;
    pause = std::min(pause, longest_pause);
    const duration half = pause / 2;
    const duration jittered = half + duration(static_cast<std::int64_t>(static_cast<double>(half.count()) * chance));
    return asked_for ? std::max(jittered, *asked_for + jittered / 4) : jittered;
}

}  // namespace sallyport::notify
