#include "gateway/policy/inert_text.hpp"

#include "gateway/policy/cel/utf8.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace sallyport::policy {
namespace {

struct range {
    char32_t first, last;
};

// Controls; what turns the direction; what takes no room and so hides or forges. In order, for the search.
constexpr auto dangerous = std::to_array<range>({
    {0x0000, 0x001F},     // C0
    {0x007F, 0x009F},     // DEL, C1
    {0x00AD, 0x00AD},     // soft hyphen
    {0x034F, 0x034F},     // combining grapheme joiner
    {0x061C, 0x061C},     // Arabic letter mark
    {0x115F, 0x1160},     // Hangul fillers
    {0x17B4, 0x17B5},     // Khmer inherent vowels
    {0x180B, 0x180F},     // Mongolian selectors and vowel separator
    {0x200B, 0x200F},     // zero width, left-to-right and right-to-left marks
    {0x2028, 0x202E},     // line and paragraph separators, bidirectional embeddings and overrides
    {0x2060, 0x206F},     // word joiner, invisible operators, isolates, deprecated format characters
    {0x2800, 0x2800},     // the blank Braille pattern
    {0x3164, 0x3164},     // Hangul filler
    {0xE000, 0xF8FF},     // private use: looks like whatever a font says
    {0xFE00, 0xFE0E},     // variation selectors, but for the one of emoji
    {0xFEFF, 0xFEFF},     // byte order mark
    {0xFFA0, 0xFFA0},     // halfwidth Hangul filler
    {0xFFF0, 0xFFFB},     // interlinear annotations
    {0xFFFE, 0xFFFF},     // noncharacters
    {0x13430, 0x1345F},   // Egyptian format controls
    {0x1BCA0, 0x1BCA3},   // shorthand format controls
    {0x1D173, 0x1D17A},   // musical format controls
    {0xE0000, 0x10FFFF},  // tags, variation selectors, private use
});

bool is_dangerous(char32_t c) noexcept
{
    if (c >= 0x20 && c < 0x7F) return false;
    const auto at = std::ranges::lower_bound(dangerous, c, {}, &range::last);
    return at != dangerous.end() && at->first <= c;
}

void append_hex(std::string& out, char32_t value, int digits)
{
    constexpr std::string_view hex = "0123456789ABCDEF";
    for (int i = digits - 1; i >= 0; --i) out.push_back(hex[(value >> (4 * i)) & 0xF]);
}

}  // namespace

void append_inert(std::string& out, std::string_view text, std::size_t limit)
{
    std::size_t shown = 0;
    // Where `…` would begin if the rest did not fit: the last place at which one character was still left.
    std::size_t cut = out.size();
    while (!text.empty()) {
        const cel::code_point c = cel::first_code_point(text);
        const std::size_t width = !c.valid ? 4 : !is_dangerous(c.value) ? 1 : c.value <= 0xFFFF ? 6 : 10;
        if (shown + width > limit) {
            out.resize(cut);
            out += "…";
            return;
        }
        if (!c.valid) {
            out += "\\x";
            append_hex(out, c.value, 2);
        } else if (width == 1) {
            out += text.substr(0, c.size);
        } else if (c.value <= 0xFFFF) {
            out += "\\u";
            append_hex(out, c.value, 4);
        } else {
            out += "\\U";
            append_hex(out, c.value, 8);
        }
        shown += width;
        if (shown < limit) cut = out.size();
        text.remove_prefix(c.size);
    }
}

std::string inert(std::string_view text, std::size_t limit)
{
    std::string out;
    append_inert(out, text, limit);
    return out;
}

std::string inert_whole(std::string_view text) { return inert(text, std::numeric_limits<std::size_t>::max()); }

}  // namespace sallyport::policy
