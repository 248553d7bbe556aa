// Exact decimal numbers, for amounts that are added up and compared: never a double. Pure.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

/// Up to 20 digits before the point and 9 behind it; a hundred thousand of them can be added up.
class decimal {
public:
    constexpr decimal() = default;  // zero

    /// Plain decimal text only: `900`, `-12.50`. None for an exponent, a leading zero or plus, `-0`, and more digits: two
    /// readers may not agree on what those are.
    static std::optional<decimal> parse(std::string_view) noexcept;
    /// The shortest plain text of that value.
    std::string text() const;

    bool negative() const noexcept { return units_ < 0; }

    friend decimal operator+(decimal a, decimal b) noexcept { return decimal(a.units_ + b.units_); }
    /// `times` is at most a hundred thousand.
    friend decimal operator*(decimal a, int times) noexcept { return decimal(a.units_ * times); }
    friend auto operator<=>(decimal, decimal) = default;

private:
    __extension__ using wide = __int128;

    explicit constexpr decimal(wide units) noexcept : units_(units) {}
    wide units_ = 0;  // of 10^-9
};

/// How many digits a plain decimal text has behind its point.
std::size_t places_of(std::string_view) noexcept;

}  // namespace sallyport
