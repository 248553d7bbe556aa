#include "notifiers/slack_text.hpp"

#include <algorithm>
#include <array>

namespace sallyport::notifiers {
namespace {

constexpr std::string_view cut_mark = "… [cut]";

struct code_point {
    char32_t value = 0;
    std::size_t bytes = 0;  // 0: no UTF-8 begins here
};

// RFC 3629 §4, by its table: neither overlong forms nor surrogates, nothing beyond U+10FFFF.
code_point first_of(std::string_view text) noexcept
{
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const unsigned lead = byte(0);
    if (lead < 0x80) return {static_cast<char32_t>(lead), 1};
    const std::size_t bytes = lead >= 0xC2 && lead <= 0xDF ? 2 : lead >= 0xE0 && lead <= 0xEF ? 3 : lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
    if (bytes == 0) return {};
    char32_t value = lead & (0x7FU >> bytes);
    for (std::size_t i = 1; i < bytes; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return {};
        value = value << 6 | (byte(i) & 0x3F);
    }
    constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
    if (value < smallest[bytes] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {};
    return {value, bytes};
}

bool moves_or_hides(char32_t c) noexcept
{
    return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0xAD || c == 0x061C || (c >= 0x200B && c <= 0x200F) ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF0 && c <= 0xFFFB) ||
           (c >= 0xE0000 && c <= 0xE0FFF);
}

void append_hex(std::string& out, char32_t value, int digits)
{
    constexpr std::string_view hex = "0123456789ABCDEF";
    for (int i = digits - 1; i >= 0; --i) out += hex[(value >> (4 * i)) & 0xF];
}

std::size_t length_of(char32_t c) noexcept { return c == U'&' ? 5 : c == U'<' || c == U'>' ? 4 : c > 0xFFFF ? 2 : 1; }

}  // namespace

std::string slack_line(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        if (text.starts_with("\r\n")) text.remove_prefix(1);
        const auto [c, bytes] = first_of(text);
        if (bytes == 0) {
            out += "\\x";
            append_hex(out, static_cast<unsigned char>(text.front()), 2);
        } else if (c == '\n') {
            out += "↵";
        } else if (moves_or_hides(c)) {
            out += c > 0xFFFF ? "\\U" : "\\u";
            append_hex(out, c, c > 0xFFFF ? 8 : 4);
        } else {
            out += text.substr(0, bytes);
        }
        text.remove_prefix(std::max<std::size_t>(bytes, 1));
    }
    return out;
}

std::string escaped_for_mrkdwn(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (c == '&')
            out += "&amp;";
        else if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else
            out += c;
    }
    return out;
}

std::size_t slack_length(std::string_view text) noexcept
{
    std::size_t length = 0;
    while (!text.empty()) {
        const auto [c, bytes] = first_of(text);
        length += length_of(c);
        text.remove_prefix(std::max<std::size_t>(bytes, 1));
    }
    return length;
}

fitted_text fit(std::string_view text, std::size_t limit)
{
    if (slack_length(text) <= limit) return {std::string(text), false};
    const std::size_t room = limit - std::min(limit, slack_length(cut_mark));
    std::size_t kept = 0, length = 0;
    while (kept < text.size()) {
        const auto [c, bytes] = first_of(text.substr(kept));
        length += length_of(c);
        if (length > room) break;
        kept += std::max<std::size_t>(bytes, 1);
    }
    return {std::string(text.substr(0, kept)) + std::string(cut_mark), true};
}

}  // namespace sallyport::notifiers
