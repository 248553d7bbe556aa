#include "notifiers/retry_after.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <system_error>

namespace sallyport::notifiers {

std::optional<duration> retry_after(std::string_view field) noexcept
{
    using namespace std::chrono_literals;
    std::uint32_t seconds = 0;
    const auto read = std::from_chars(field.data(), field.data() + field.size(), seconds);
    if (read.ec == std::errc::result_out_of_range) return 1h;
    if (read.ec != std::errc() || read.ptr != field.data() + field.size()) return std::nullopt;
    return std::min<duration>(std::chrono::seconds(seconds), 1h);
}

}  // namespace sallyport::notifiers
