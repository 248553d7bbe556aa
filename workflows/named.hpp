// Enumerators and their words: one table for both directions.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace sallyport {

/// In the order of the enumeration, beginning at 0.
template <class Enum, std::size_t N>
using word_table = std::array<std::pair<Enum, std::string_view>, N>;

template <class Enum, std::size_t N>
constexpr bool in_order(const word_table<Enum, N>& table)
{
    for (std::size_t i = 0; i < N; ++i)
        if (static_cast<std::size_t>(table[i].first) != i) return false;
    return true;
}

template <class Enum, std::size_t N>
constexpr std::string_view word_of(const word_table<Enum, N>& table, Enum e) noexcept
{
    return table[static_cast<std::size_t>(e)].second;
}

template <class Enum, std::size_t N>
constexpr std::optional<Enum> of_word(const word_table<Enum, N>& table, std::string_view word) noexcept
{
    for (const auto& [e, w] : table)
        if (w == word) return e;
    return std::nullopt;
}

}  // namespace sallyport
