// The digits of an instant in UTC, by hand, for the log's entries are written by the ten thousand: of these RFC 3339 and SQL
// make their texts.
#pragma once

#include "workflows/time.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sallyport {

/// `2026-01-05T09:00:00.123456`, with that character between date and time. Years 0000 to 9999.
class utc_text {
public:
    utc_text(time_point t, char between) noexcept
    {
        using namespace std::chrono;
        const auto day = floor<days>(t);
        const year_month_day date{day};
        const hh_mm_ss clock{t - day};
        put(4, 4, static_cast<int>(date.year()), '-');
        put(7, 2, static_cast<unsigned>(date.month()), '-');
        put(10, 2, static_cast<unsigned>(date.day()), between);
        put(13, 2, clock.hours().count(), ':');
        put(16, 2, clock.minutes().count(), ':');
        put(19, 2, clock.seconds().count(), '.');
        put(26, 6, clock.subseconds().count(), '\0');
    }
    std::string_view microseconds() const noexcept { return {text_.data(), 26}; }
    std::string_view milliseconds() const noexcept { return {text_.data(), 23}; }

private:
    void put(std::size_t end, std::size_t count, std::int64_t value, char behind) noexcept
    {
        text_[end] = behind;
        for (; count > 0; --count, value /= 10) text_[--end] = static_cast<char>('0' + value % 10);
    }
    std::array<char, 27> text_;
};

}  // namespace sallyport
