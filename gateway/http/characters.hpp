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

/// Bytes of the token that `text` begins with. Names are letters and hyphens, nearly always: of these eight at a time.
inline std::size_t token_length(std::string_view text) noexcept
{
    constexpr std::uint64_t ones = 0x0101010101010101, highs = ones * 0x80;
    std::size_t at = 0;
    for (; at + 8 <= text.size(); at += 8) {
        std::uint64_t word;
        std::memcpy(&word, text.data() + at, 8);
        // The high bit of each byte that is a letter, and of each that is a hyphen.
        const std::uint64_t folded = (word | ones * 0x20) & ~highs;
        const std::uint64_t letters = ((folded + ones * (0x80 - 'a')) ^ (folded + ones * (0x7F - 'z'))) & ~word;
        const std::uint64_t other = word ^ ones * '-';
        const std::uint64_t hyphens = ~(((other & ~highs) + ~highs) | other);
        if (((letters | hyphens) & highs) != highs) break;
    }
    while (at < text.size() && is_token(text[at])) ++at;
    return at;
}
inline bool is_token(std::string_view text) noexcept { return !text.empty() && token_length(text) == text.size(); }

/// Whether a byte below 0x20 other than a tab, or 0x7F, is there; many bytes at a time, for a value may be a token of a
/// kilobyte.
inline bool has_control(std::string_view text) noexcept
{
    const auto slowly = [](std::string_view part) {
        for (const char one : part) {
            const auto c = static_cast<unsigned char>(one);
            if ((c < 0x20 && c != '\t') || c == 0x7F) return true;
        }
        return false;
    };
#ifdef __SSE2__
    if (text.size() >= 16) {
        const auto in_sixteen = [&text](std::size_t at) {
            const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
            const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
            const __m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
            return _mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, low), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F)))) != 0;
        };
        for (std::size_t at = 0; at + 16 < text.size(); at += 16)
            if (in_sixteen(at)) return true;
        return in_sixteen(text.size() - 16);
    }
#endif
    if (text.size() < 8) return slowly(text);
    const auto suspect = [&text](std::size_t at) {
        constexpr std::uint64_t ones = 0x0101010101010101, highs = ones * 0x80;
        std::uint64_t word;
        std::memcpy(&word, text.data() + at, sizeof word);
        const std::uint64_t del = word ^ (ones * 0x7F);
        return ((((word - ones * 0x20) & ~word) | ((del - ones) & ~del)) & highs) != 0;
    };
    for (std::size_t at = 0; at + 8 < text.size(); at += 8)
        if (suspect(at)) return slowly(text);  // perhaps only a tab
    return suspect(text.size() - 8) && slowly(text);
}

inline std::string_view trim_blanks(std::string_view text) noexcept
{
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

}  // namespace sallyport::http::detail
