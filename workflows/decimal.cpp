#include "workflows/decimal.hpp"

#include <algorithm>

namespace sallyport {
namespace {

constexpr std::size_t most_whole = 20, most_places = 9;

bool digits(std::string_view text) noexcept
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<decimal> decimal::parse(std::string_view text) noexcept
{
    const bool minus = text.starts_with('-');
    if (minus) text.remove_prefix(1);
    const auto point = text.find('.');
    const auto whole = text.substr(0, point);
    const auto behind = point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
    if (!digits(whole) || whole.size() > most_whole || (whole.size() > 1 && whole.front() == '0')) return std::nullopt;
    if (point != std::string_view::npos && (!digits(behind) || behind.size() > most_places)) return std::nullopt;
    wide units = 0;
    for (const char c : whole) units = units * 10 + (c - '0');
    for (std::size_t i = 0; i < most_places; ++i) units = units * 10 + (i < behind.size() ? behind[i] - '0' : 0);
    if (minus && units == 0) return std::nullopt;
    return decimal(minus ? -units : units);
}

std::string decimal::text() const
{
    wide left = units_ < 0 ? -units_ : units_;
    std::string reversed;
    for (std::size_t i = 0; left > 0 || i <= most_places; ++i, left /= 10) {
        if (i == most_places && !reversed.empty()) reversed += '.';
        const char digit = static_cast<char>('0' + static_cast<int>(left % 10));
        // Zeros at the end of what is behind the point say nothing.
        if (i >= most_places || digit != '0' || !reversed.empty()) reversed += digit;
    }
    if (units_ < 0) reversed += '-';
    std::reverse(reversed.begin(), reversed.end());
    return reversed;
}

std::size_t places_of(std::string_view text) noexcept
{
    const auto point = text.find('.');
    return point == std::string_view::npos ? 0 : text.size() - point - 1;
}

}  // namespace sallyport
