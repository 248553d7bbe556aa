// Classes of characters that HTTP's grammar needs (RFC 9110 §5.6.2, RFC 9112).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace sallyport::http::detail {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
constexpr char lower(char c) noexcept { return is_upper(c) ? static_cast<char>(c + ('a' - 'A')) : c; }
constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

constexpr std::array<bool, 256> make_token_table() noexcept
{
    std::array<bool, 256> table{};
    for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = true;
    for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned char>(c)] = table[static_cast<unsigned char>(lower(c))] = true;
    for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
    return table;
}
inline constexpr auto token_table = make_token_table();
inline bool is_token(char c) noexcept { return token_table[static_cast<unsigned char>(c)]; }

/// Whether a byte below 0x20 other than a tab, or 0x7F, is there; many bytes at a time, for a value may be a token of a
/// kilobyte.
inline bool has_control(std::string_view text) noexcept
{
    const char* p = text.data();
    std::size_t left = text.size();
#ifdef __SSE2__
    for (; left >= 16; p += 16, left -= 16) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
        const __m128i bad =
            _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')), low), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F)));
        if (_mm_movemask_epi8(bad) != 0) return true;
    }
#endif
    constexpr std::uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
    for (; left >= 8; p += 8, left -= 8) {
        std::uint64_t word;
        std::memcpy(&word, p, 8);
        const std::uint64_t del = word ^ (ones * 0x7F);
        const std::uint64_t suspects = (((word - ones * 0x20) & ~word) | ((del - ones) & ~del)) & highs;
        if (suspects != 0) break;  // perhaps only a tab: the loop below says
    }
    for (; left > 0; ++p, --left) {
        const auto c = static_cast<unsigned char>(*p);
        if ((c < 0x20 && c != '\t') || c == 0x7F) return true;
    }
    return false;
}

inline std::string_view trim_blanks(std::string_view text) noexcept
{
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

}  // namespace sallyport::http::detail
