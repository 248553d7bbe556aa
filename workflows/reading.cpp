#include "workflows/reading.hpp"

#include <algorithm>
#include <cstdint>

namespace sallyport {
namespace {

using namespace std::chrono_literals;

constexpr duration shortest = 2s;
constexpr duration longest = 2min;
constexpr duration a_byte = 20ms;
constexpr duration a_row = 500ms;

}  // namespace

duration least_reading_time(std::size_t bytes, std::size_t before) noexcept
{
    // Bounded before they are multiplied: a body may be as long as its route lets it.
    const auto text = static_cast<std::int64_t>(std::min<std::size_t>(bytes, longest / a_byte));
    const auto rows = static_cast<std::int64_t>(std::min<std::size_t>(before, 1'000'000));
    return std::max(shortest, a_byte * text) + a_row * rows;
}

std::optional<bool> decided_too_fast(std::optional<time_point> shown, time_point decided, std::size_t bytes, std::size_t before) noexcept
{
    if (!shown) return std::nullopt;
    return decided - *shown < least_reading_time(bytes, before);
}

}  // namespace sallyport
