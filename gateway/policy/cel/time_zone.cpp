#include "gateway/policy/cel/time_zone.hpp"

#include "gateway/policy/zone_file.hpp"

#include <chrono>

namespace sallyport::policy::cel {
namespace {

std::optional<std::int32_t> fixed_offset(std::string_view text) noexcept
{
    const bool west = text.starts_with('-');
    if (west || text.starts_with('+')) text.remove_prefix(1);
    const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; };
    if (text.size() != 5 || text[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4)) return std::nullopt;
    const int hours = (text[0] - '0') * 10 + (text[1] - '0'), minutes = (text[3] - '0') * 10 + (text[4] - '0');
    if (hours > 23 || minutes > 59) return std::nullopt;
    return (west ? -1 : 1) * (hours * 3600 + minutes * 60);
}

}  // namespace

std::optional<time_zone> time_zone::find(std::string_view name)
{
    time_zone zone;
    if (name == "UTC" || name == "Z") return zone;
    if (const auto fixed = fixed_offset(name)) {
        zone.fixed_ = *fixed;
        return zone;
    }
    zone.named_ = find_zone(name);
    if (!zone.named_) return std::nullopt;
    return zone;
}

std::int32_t time_zone::offset_at(std::int64_t seconds) const noexcept
{
    if (!named_) return fixed_;
    return static_cast<std::int32_t>(named_->offset_at(std::chrono::sys_seconds{std::chrono::seconds{seconds}}).count());
}

}  // namespace sallyport::policy::cel
