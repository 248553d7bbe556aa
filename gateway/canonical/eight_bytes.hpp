// Eight characters at a time, in one word: most texts that are looked at are short, ASCII and unremarkable. Of each byte that
// is asked for the highest bit is set in the answer. Nothing carries from one byte into the next.
#pragma once

#include <cstdint>
#include <cstring>

namespace sallyport::eight_bytes {

inline constexpr std::uint64_t ones = 0x0101010101010101;
inline constexpr std::uint64_t highs = ones * 0x80;

/// `text` has at least eight.
inline std::uint64_t load(const char* text) noexcept
{
    std::uint64_t word;
    std::memcpy(&word, text, sizeof word);
    return word;
}

/// From `first` to `last`, both ASCII.
constexpr std::uint64_t between(std::uint64_t word, char first, char last) noexcept
{
    const std::uint64_t seven = word & ~highs;
    const auto at = [](char c) { return static_cast<std::uint64_t>(static_cast<unsigned char>(c)); };
    return ((seven + ones * (0x80 - at(first))) ^ (seven + ones * (0x7F - at(last)))) & ~word & highs;
}

constexpr std::uint64_t equal(std::uint64_t word, char c) noexcept
{
    const std::uint64_t other = word ^ ones * static_cast<unsigned char>(c);
    return ~(((other & ~highs) + ~highs) | other) & highs;
}

}  // namespace sallyport::eight_bytes
