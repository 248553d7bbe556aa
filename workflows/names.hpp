// Tables between enumerators and their words. For the .cpp files of this folder.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace sallyport::names {

/// The words of an enumeration whose enumerators count from 0, in their order.
template <std::size_t N>
using table = std::array<std::string_view, N>;

template <class Enum, std::size_t N>
std::string_view of(const table<N>& words, Enum value) noexcept
{
    const auto place = static_cast<std::size_t>(value);
    return place < N ? words[place] : std::string_view{};
}

template <class Enum, std::size_t N>
std::optional<Enum> find(const table<N>& words, std::string_view word) noexcept
{
    for (std::size_t i = 0; i < N; ++i)
        if (words[i] == word) return static_cast<Enum>(i);
    return std::nullopt;
}

/// The table has a word for each enumerator: for a static_assert beside it.
template <std::size_t N, class Enum>
constexpr bool complete(const table<N>&, Enum last) noexcept
{
    return N == static_cast<std::size_t>(last) + 1;
}

}  // namespace sallyport::names
