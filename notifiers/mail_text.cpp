#include "notifiers/mail_text.hpp"

#include "workflows/encoding.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace sallyport::notifiers {
namespace {

constexpr std::size_t longest_line = 76;
constexpr std::string_view replacement = "\xEF\xBF\xBD";

struct character {
    char32_t value = 0xFFFD;
    std::size_t size = 1;  // bytes that it takes
    bool valid = false;
};

// RFC 3629 §4: no overlong forms, no surrogates, nothing beyond U+10FFFF. Of a text that is not empty.
character first_character(std::string_view text) noexcept
{
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned first = byte(0);
    if (first < 0x80) return {first, 1, true};
    const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < size) return {};
    char32_t value = first & (0x7Fu >> size);
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return {};
        value = value << 6 | (byte(i) & 0x3F);
    }
    constexpr char32_t least[] = {0x80, 0x800, 0x10000};
    if (value < least[size - 2] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {};
    return {value, size, true};
}

bool is_blank(char32_t c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0x2028 || c == 0x2029; }

bool is_control(char32_t c) noexcept
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

bool is_ascii(std::string_view text) noexcept
{
    return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7F; });
}

bool has(std::string_view text, std::string_view part) noexcept { return text.find(part) != std::string_view::npos; }

bool is_alphanumeric(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// RFC 2047 §4.1, §5: 45 bytes of text are 60 of base 64, and a line with its brackets stays within 76. A character is never
// divided between two of them.
void append_encoded_words(std::string& field, std::string_view text)
{
    std::size_t column = field.size();
    while (!text.empty()) {
        constexpr std::string_view open = "=?UTF-8?B?", close = "?=";
        const std::size_t brackets = open.size() + close.size();
        const std::size_t room =
            column + brackets + 4 > longest_line ? 0 : std::min<std::size_t>(45, (longest_line - column - brackets) / 4 * 3);
        std::size_t taken = 0;
        for (std::string_view rest = text; !rest.empty();) {
            const std::size_t size = first_character(rest).size;
            if (taken + size > room) break;
            taken += size;
            rest.remove_prefix(size);
        }
        if (taken > 0) {
            field += open;
            append_base64(field, text.substr(0, taken));
            field += close;
            text.remove_prefix(taken);
        }
        if (!text.empty()) {
            field += "\r\n ";
            column = 1;
        }
    }
}

bool has_long_word(std::string_view text) noexcept
{
    std::size_t length = 0;
    return std::ranges::any_of(text, [&](char c) { return (length = c == ' ' ? 0 : length + 1) > 60; });
}

// What may stand as it is: nothing in it would be decoded, and it can be folded at its spaces.
bool stands_as_it_is(std::string_view text) noexcept { return is_ascii(text) && !has(text, "=?") && !has_long_word(text); }

// RFC 5322 §2.2.3: a line break before a space, which stays.
void append_folded(std::string& field, std::string_view text)
{
    std::size_t column = field.size();
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' ', 1), text.size());
        if (column + end > longest_line && text.front() == ' ') {
            field += "\r\n";
            column = 0;
        }
        field += text.substr(0, end);
        column += end;
        text.remove_prefix(end);
    }
}

}  // namespace

std::string one_line(std::string_view text)
{
    std::string line;
    bool between = false;
    while (!text.empty()) {
        const character c = first_character(text);
        if (c.valid && is_blank(c.value)) {
            between = true;
        } else {
            if (between && !line.empty()) line += ' ';
            between = false;
            line += c.valid && !is_control(c.value) ? text.substr(0, c.size) : replacement;
        }
        text.remove_prefix(c.size);
    }
    return line;
}

std::string shortened(std::string_view text, std::size_t most, bool& cut)
{
    std::string line = one_line(text);
    const std::size_t kept = most - std::min<std::size_t>(most, 7);  // the mark has seven characters
    std::size_t count = 0, end = 0;
    for (std::size_t at = 0; at < line.size(); ++count) {
        if (count == kept) end = at;
        at += first_character(std::string_view(line).substr(at)).size;
    }
    if (count <= most) return line;
    line.resize(end);
    cut = true;
    return line += cut_mark;
}

bool is_mail_address(std::string_view text) noexcept
{
    const auto at = text.find('@');
    if (at == std::string_view::npos || text.size() > 254) return false;
    const std::string_view local = text.substr(0, at), domain = text.substr(at + 1);
    // RFC 5321 §4.1.2, without quoted strings and address literals.
    const auto parts = [](std::string_view name, std::string_view also) {
        return !name.empty() && name.front() != '.' && name.back() != '.' && !has(name, "..") && std::ranges::all_of(name, [&](char c) {
            return is_alphanumeric(c) || c == '.' || has(also, {&c, 1});
        });
    };
    return local.size() <= 64 && parts(local, "!#$%&'*+-/=?^_`{|}~") && parts(domain, "-_") && domain.front() != '-';
}

std::optional<mailbox> read_mailbox(std::string_view text)
{
    if (!text.ends_with('>')) return is_mail_address(text) ? std::optional(mailbox{{}, std::string(text)}) : std::nullopt;
    const auto open = text.rfind('<');
    if (open == std::string_view::npos) return std::nullopt;
    const std::string_view address = text.substr(open + 1, text.size() - open - 2);
    if (!is_mail_address(address)) return std::nullopt;
    std::string name = one_line(text.substr(0, open));
    if (name.size() >= 2 && name.starts_with('"') && name.ends_with('"')) {
        std::string unquoted;
        for (std::size_t i = 1; i + 1 < name.size(); ++i) {
            if (name[i] == '\\' && i + 2 < name.size()) ++i;
            unquoted += name[i];
        }
        name = one_line(unquoted);
    }
    return mailbox{std::move(name), std::string(address)};
}

std::string text_field(std::string_view name, std::string_view text)
{
    const std::string line = one_line(text);
    std::string field = std::string(name) + ": ";
    if (stands_as_it_is(line))
        append_folded(field, line);
    else
        append_encoded_words(field, line);
    return field += "\r\n";
}

std::string mailbox_field(std::string_view name, const mailbox& who)
{
    bool cut = false;
    const std::string shown = shortened(who.name, 100, cut);
    std::string field = std::string(name) + ": ";
    if (!shown.empty()) {
        std::string quoted = "\"";
        for (const char c : shown) {
            if (c == '"' || c == '\\') quoted += '\\';
            quoted += c;
        }
        quoted += '"';
        if (stands_as_it_is(quoted))
            append_folded(field, quoted);
        else
            append_encoded_words(field, shown);
        const auto last_line = field.size() - (has(field, "\r\n") ? field.rfind("\r\n") + 2 : 0);
        field += last_line + who.address.size() + 3 > longest_line ? "\r\n " : " ";
        field += '<' + who.address + '>';
    } else {
        field += who.address;
    }
    return field += "\r\n";
}

std::string mail_date(time_point t)
{
    using namespace std::chrono;
    constexpr std::array<std::string_view, 7> weekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = floor<days>(t);
    const year_month_day date{day};
    const std::string text = format_rfc3339(t);  // 2026-01-05T09:00:00.123Z
    std::string out(weekdays[weekday{day}.c_encoding()]);
    out += ", " + text.substr(8, 2) + ' ';
    out += months[static_cast<unsigned>(date.month()) - 1];
    return out += ' ' + text.substr(0, 4) + ' ' + text.substr(11, 8) + " +0000";
}

std::string quoted_printable(std::string_view text)
{
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string out;
    std::size_t column = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\n') {
            out += "\r\n";
            column = 0;
            continue;
        }
        const bool at_end = i + 1 == text.size() || text[i + 1] == '\n';
        // Blanks at a line's end get lost; a dot at its beginning ends a message, and `From ` begins one in a mail folder.
        const bool visible = c > 0x20 && c < 0x7F && c != '=', blank = c == ' ' && !at_end;
        const auto width = [&]() -> std::size_t { return (visible && !(column == 0 && (c == '.' || c == 'F'))) || blank ? 1 : 3; };
        if (column + width() > longest_line - 1) {  // its last place is for the soft line break
            out += "=\r\n";
            column = 0;
        }
        if (width() == 1) {
            out += c;
            ++column;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += {'=', hex[byte >> 4], hex[byte & 15]};
            column += 3;
        }
    }
    return out;
}

}  // namespace sallyport::notifiers
