#include "workflows/time.hpp"

#include "workflows/utc_text.hpp"

#include <array>
#include <charconv>
#include <cstdint>

namespace sallyport {
namespace {

using namespace std::chrono;

struct unit {
    std::string_view name;
    std::int64_t microseconds;
};
// The longest first: format_duration takes the first that divides.
constexpr auto units =
    std::to_array<unit>({{"d", 86'400'000'000}, {"h", 3'600'000'000}, {"m", 60'000'000}, {"s", 1'000'000}, {"ms", 1'000}});
constexpr std::int64_t longest = 3'653 * units[0].microseconds;

// `count` digits at the front of `text`, which then begins behind them.
std::optional<int> digits(std::string_view& text, std::size_t count) noexcept
{
    if (text.size() < count) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(count);
    return value;
}

bool take(std::string_view& text, char c) noexcept
{
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
}

}  // namespace

std::string format_rfc3339(time_point t)
{
    std::string text(utc_text(t, 'T').milliseconds());
    text += 'Z';
    return text;
}

std::optional<time_point> parse_rfc3339(std::string_view text) noexcept
{
    const auto y = digits(text, 4);
    if (!y || !take(text, '-')) return std::nullopt;
    const auto mo = digits(text, 2);
    if (!mo || !take(text, '-')) return std::nullopt;
    const auto d = digits(text, 2);
    if (!d || !(take(text, 'T') || take(text, 't'))) return std::nullopt;
    const auto h = digits(text, 2);
    if (!h || !take(text, ':')) return std::nullopt;
    const auto mi = digits(text, 2);
    if (!mi || !take(text, ':')) return std::nullopt;
    const auto s = digits(text, 2);
    if (!s) return std::nullopt;

    std::int64_t fraction = 0;
    if (take(text, '.')) {
        std::size_t count = 0;
        std::int64_t place = 100'000;
        for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1), ++count, place /= 10)
            fraction += place * (text.front() - '0');
        if (count == 0) return std::nullopt;
    }

    minutes offset{0};
    if (!take(text, 'Z') && !take(text, 'z')) {
        const bool west = take(text, '-');
        if (!west && !take(text, '+')) return std::nullopt;
        const auto oh = digits(text, 2);
        if (!oh || !take(text, ':')) return std::nullopt;
        const auto om = digits(text, 2);
        if (!om || *oh > 23 || *om > 59) return std::nullopt;
        offset = hours{*oh} + minutes{*om};
        if (west) offset = -offset;
    }
    if (!text.empty() || *h > 23 || *mi > 59 || *s > 59) return std::nullopt;

    const year_month_day date{year{*y}, month{static_cast<unsigned>(*mo)}, day{static_cast<unsigned>(*d)}};
    if (!date.ok()) return std::nullopt;
    return time_point{sys_days{date}} + hours{*h} + minutes{*mi} + seconds{*s} + microseconds{fraction} - offset;
}

std::optional<duration> parse_duration(std::string_view text) noexcept
{
    std::int64_t count = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{} || count <= 0 || text.front() == '0') return std::nullopt;
    const std::string_view name{rest, static_cast<std::size_t>(text.data() + text.size() - rest)};
    for (const unit& u : units)
        if (u.name == name) {
            if (count > longest / u.microseconds) return std::nullopt;
            return duration{count * u.microseconds};
        }
    return std::nullopt;
}

std::string format_duration(duration d)
{
    for (const unit& u : units)
        if (d.count() % u.microseconds == 0) return std::to_string(d.count() / u.microseconds) + std::string(u.name);
    return std::to_string(d.count() / 1000) + "ms";
}

}  // namespace sallyport
