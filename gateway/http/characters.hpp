// Classes of characters that HTTP's grammar needs (RFC 9110 §5.6.2, RFC 9112).
#pragma once

#include "gateway/canonical/eight_bytes.hpp"
#include "gateway/canonical/field.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace sallyport::http::detail {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
using sallyport::lower;
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
/// RFC 9110 §5.6.2.
inline bool is_tchar(char c) noexcept { return token_table[static_cast<unsigned char>(c)]; }

/// Bytes of the token that `text` begins with. Names are letters and hyphens, nearly always: of these eight at a time.
inline std::size_t token_length(std::string_view text) noexcept
{
    std::size_t at = 0;
    for (; at + 8 <= text.size(); at += 8) {
        const std::uint64_t word = eight_bytes::load(text.data() + at);
        const std::uint64_t usual =
            eight_bytes::between(word, 'a', 'z') | eight_bytes::between(word, 'A', 'Z') | eight_bytes::equal(word, '-');
        if (usual != eight_bytes::highs) break;
    }
    while (at < text.size() && is_tchar(text[at])) ++at;
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
        const std::uint64_t word = eight_bytes::load(text.data() + at);
        return (eight_bytes::between(word, '\0', '\x1f') | eight_bytes::equal(word, '\x7f')) != 0;
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
