#include "gateway/policy/cel/utf8.hpp"

namespace sallyport::policy::cel {
namespace {

constexpr std::uint8_t byte(std::string_view text, std::size_t i) noexcept { return static_cast<std::uint8_t>(text[i]); }

}  // namespace

code_point first_code_point(std::string_view text) noexcept
{
    const std::uint8_t lead = byte(text, 0);
    if (lead < 0x80) return {lead, 1, true};

    const code_point invalid{lead, 1, false};
    std::size_t size = 0;
    char32_t value = 0;
    if (lead >= 0xC2 && lead <= 0xDF) {
        size = 2;
        value = lead & 0x1FU;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
        size = 3;
        value = lead & 0x0FU;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
        size = 4;
        value = lead & 0x07U;
    } else {
        return invalid;
    }
    if (text.size() < size) return invalid;
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(text, i) & 0xC0U) != 0x80) return invalid;
        value = (value << 6) | (byte(text, i) & 0x3FU);
    }
    const bool overlong = (size == 3 && value < 0x800) || (size == 4 && value < 0x10000);
    if (overlong || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return invalid;
    return {value, static_cast<std::uint8_t>(size), true};
}

bool is_utf8(std::string_view text) noexcept
{
    while (!text.empty()) {
        const code_point c = first_code_point(text);
        if (!c.valid) return false;
        text.remove_prefix(c.size);
    }
    return true;
}

std::size_t count_code_points(std::string_view text) noexcept
{
    std::size_t count = 0;
    for (; !text.empty(); ++count) text.remove_prefix(first_code_point(text).size);
    return count;
}

std::size_t byte_of_code_point(std::string_view text, std::size_t number) noexcept
{
    std::size_t at = 0;
    for (; number > 0; --number) {
        if (at >= text.size()) return std::string_view::npos;
        at += first_code_point(text.substr(at)).size;
    }
    return at;
}

void append_utf8(std::string& out, char32_t c)
{
    const auto put = [&out](char32_t bits) { out.push_back(static_cast<char>(static_cast<std::uint8_t>(bits))); };
    if (c < 0x80) {
        put(c);
    } else if (c < 0x800) {
        put(0xC0 | (c >> 6));
        put(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        put(0xE0 | (c >> 12));
        put(0x80 | ((c >> 6) & 0x3F));
        put(0x80 | (c & 0x3F));
    } else {
        put(0xF0 | (c >> 18));
        put(0x80 | ((c >> 12) & 0x3F));
        put(0x80 | ((c >> 6) & 0x3F));
        put(0x80 | (c & 0x3F));
    }
}

}  // namespace sallyport::policy::cel
