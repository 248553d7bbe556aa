#include "gateway/policy/cel/text.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>

namespace sallyport::policy::cel {
namespace {

using namespace std::chrono;

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// `.123456789` without zeros at its end; nothing for 0.
std::string fraction_text(std::uint32_t nanoseconds)
{
    if (nanoseconds == 0) return {};
    std::string digits = std::to_string(nanoseconds);
    digits.insert(0, 9 - digits.size(), '0');
    digits.erase(digits.find_last_not_of('0') + 1);
    return "." + digits;
}

/// Takes `count` digits from the front.
std::optional<int> take_digits(std::string_view& text, std::size_t count) noexcept
{
    if (text.size() < count) return std::nullopt;
    int number = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (!is_digit(text[i])) return std::nullopt;
        number = number * 10 + (text[i] - '0');
    }
    text.remove_prefix(count);
    return number;
}

bool take(std::string_view& text, char c, char or_c = '\0') noexcept
{
    if (text.empty() || (text.front() != c && (or_c == '\0' || text.front() != or_c))) return false;
    text.remove_prefix(1);
    return true;
}

}  // namespace

std::size_t find_text(std::string_view text, std::string_view needle, std::size_t from) noexcept
{
    if (from > text.size()) return std::string_view::npos;
    if (needle.empty()) return from;
    const void* found = ::memmem(text.data() + from, text.size() - from, needle.data(), needle.size());
    return found ? static_cast<std::size_t>(static_cast<const char*>(found) - text.data()) : std::string_view::npos;
}

std::string double_text(double d)
{
    if (std::isnan(d)) return "NaN";
    if (std::isinf(d)) return d < 0 ? "-Infinity" : "Infinity";
    std::array<char, 400> text{};
    const double size = std::fabs(d);
    const bool plain = d == 0 || (size >= 1e-6 && size < 1e21);
    const auto done =
        std::to_chars(text.data(), text.data() + text.size(), d, plain ? std::chars_format::fixed : std::chars_format::scientific);
    return {text.data(), done.ptr};
}

std::string timestamp_text(std::int64_t seconds_since, std::uint32_t nanoseconds_of)
{
    const sys_seconds at{seconds{seconds_since}};
    const auto day = floor<days>(at);
    const year_month_day date{day};
    const hh_mm_ss clock{at - day};
    std::array<char, 64> text{};
    const int length =
        std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                      static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
    return std::string(text.data(), static_cast<std::size_t>(length)) + fraction_text(nanoseconds_of) + "Z";
}

std::string duration_text(std::int64_t ns)
{
    const std::uint64_t size = ns < 0 ? 0 - static_cast<std::uint64_t>(ns) : static_cast<std::uint64_t>(ns);
    return (ns < 0 ? "-" : "") + std::to_string(size / 1'000'000'000) + fraction_text(static_cast<std::uint32_t>(size % 1'000'000'000)) +
           "s";
}

value read_timestamp(std::string_view text)
{
    const value malformed = value::error("no timestamp of RFC 3339");
    const auto y = take_digits(text, 4);
    if (!y || !take(text, '-')) return malformed;
    const auto mo = take_digits(text, 2);
    if (!mo || !take(text, '-')) return malformed;
    const auto d = take_digits(text, 2);
    if (!d || !take(text, 'T', 't')) return malformed;
    const auto h = take_digits(text, 2);
    if (!h || !take(text, ':')) return malformed;
    const auto mi = take_digits(text, 2);
    if (!mi || !take(text, ':')) return malformed;
    const auto s = take_digits(text, 2);
    if (!s) return malformed;

    std::uint32_t nanoseconds_of = 0;
    if (take(text, '.')) {
        std::uint32_t place = 100'000'000;
        if (text.empty() || !is_digit(text.front())) return malformed;
        for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1), place /= 10)
            nanoseconds_of += place * static_cast<std::uint32_t>(text.front() - '0');
    }
    seconds offset{0};
    if (!take(text, 'Z', 'z')) {
        const bool west = take(text, '-');
        if (!west && !take(text, '+')) return malformed;
        const auto oh = take_digits(text, 2);
        if (!oh || !take(text, ':')) return malformed;
        const auto om = take_digits(text, 2);
        if (!om || *oh > 23 || *om > 59) return malformed;
        offset = hours{*oh} + minutes{*om};
        if (west) offset = -offset;
    }
    const year_month_day date{year{*y}, month{static_cast<unsigned>(*mo)}, day{static_cast<unsigned>(*d)}};
    if (!text.empty() || !date.ok() || *h > 23 || *mi > 59 || *s > 59) return malformed;
    const auto at = sys_days{date} + hours{*h} + minutes{*mi} + seconds{*s} - offset;
    return value::of_timestamp(duration_cast<seconds>(at.time_since_epoch()).count(), nanoseconds_of);
}

std::optional<std::int64_t> read_duration(std::string_view text)
{
    struct unit {
        std::string_view name;
        std::int64_t nanoseconds;
    };
    // The longest name first where one begins another.
    constexpr auto units = std::to_array<unit>({{"ns", 1},
                                                {"us", 1'000},
                                                {"µs", 1'000},
                                                {"μs", 1'000},
                                                {"ms", 1'000'000},
                                                {"s", 1'000'000'000},
                                                {"m", 60'000'000'000},
                                                {"h", 3'600'000'000'000}});
    const bool negative = take(text, '-');
    if (!negative) take(text, '+');
    if (text == "0") return 0;
    if (text.empty()) return std::nullopt;

    // Summed as a negative number: its range is the larger one.
    std::int64_t sum = 0;
    while (!text.empty()) {
        std::int64_t count = 0;
        std::size_t digits = 0;
        for (; digits < text.size() && is_digit(text[digits]); ++digits)
            if (__builtin_mul_overflow(count, 10, &count) || __builtin_add_overflow(count, text[digits] - '0', &count)) return std::nullopt;
        text.remove_prefix(digits);
        std::string_view fraction;
        if (take(text, '.')) {
            std::size_t length = 0;
            while (length < text.size() && is_digit(text[length])) ++length;
            fraction = text.substr(0, length);
            text.remove_prefix(length);
        }
        if (digits == 0 && fraction.empty()) return std::nullopt;
        const unit* found = nullptr;
        for (const unit& u : units)
            if (!found && text.starts_with(u.name)) found = &u;
        if (!found) return std::nullopt;
        text.remove_prefix(found->name.size());

        std::int64_t part = 0;
        if (__builtin_mul_overflow(count, found->nanoseconds, &part) || __builtin_sub_overflow(sum, part, &sum)) return std::nullopt;
        std::int64_t scale = found->nanoseconds, more = 0;
        for (const char c : fraction) {
            if (scale % 10 != 0) break;  // finer than a nanosecond
            scale /= 10;
            more += scale * (c - '0');
        }
        if (__builtin_sub_overflow(sum, more, &sum)) return std::nullopt;
    }
    if (negative) return sum;
    if (sum == std::numeric_limits<std::int64_t>::min()) return std::nullopt;
    return -sum;
}

}  // namespace sallyport::policy::cel
