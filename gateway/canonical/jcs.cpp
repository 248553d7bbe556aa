#include "gateway/canonical/jcs.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <utility>
#include <vector>

namespace sallyport {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

unsigned char byte_at(std::string_view s, std::size_t i) noexcept { return static_cast<unsigned char>(s[i]); }

/// The code point at `i`, which is moved behind it. Throws for what is no UTF-8 (RFC 3629 §4).
char32_t next_character(std::string_view s, std::size_t& i)
{
    const unsigned char first = byte_at(s, i++);
    if (first < 0x80) return first;
    const std::size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    char32_t c = first & (0x3fU >> more);
    bool good = first >= 0xc2 && first <= 0xf4 && s.size() - i >= more;
    for (std::size_t n = 0; good && n < more; ++n) {
        const unsigned char b = byte_at(s, i++);
        good = (b & 0xc0) == 0x80;
        c = c << 6 | (b & 0x3f);
    }
    constexpr std::array<char32_t, 4> least = {0, 0x80, 0x800, 0x10000};
    if (!good || c < least[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) throw std::invalid_argument("jcs: text is no UTF-8");
    return c;
}

/// By UTF-16 code units (RFC 8785 §3.2.3). It differs from the order of the bytes only where characters beyond U+FFFF
/// meet those from U+E000 to U+FFFF: their surrogates come first.
bool comes_before(std::string_view a, std::string_view b)
{
    const std::size_t common = std::min(a.size(), b.size());
    const auto differ =
        static_cast<std::size_t>(std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(common), b.begin()).first - a.begin());
    if (differ == common) return a.size() < b.size();
    const unsigned char x = byte_at(a, differ);
    const unsigned char y = byte_at(b, differ);
    const auto beyond = [](unsigned char c) { return c >= 0xf0; };                         // begins a surrogate pair
    const auto above_surrogates = [](unsigned char c) { return c == 0xee || c == 0xef; };  // U+E000 to U+FFFF
    if (beyond(x) && above_surrogates(y)) return true;
    if (above_surrogates(x) && beyond(y)) return false;
    return x < y;
}

// The two kinds of document, alike to the writer below.

std::string_view view_of(boost::json::string_view s) noexcept { return {s.data(), s.size()}; }

void write(std::string& to, const boost::json::value& v);
void write(std::string& to, const json::value& v);

template <class Value>
void write_members(std::string& to, std::vector<std::pair<std::string_view, const Value*>>& members)
{
    std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return comes_before(a.first, b.first); });
    char separator = '{';
    for (const auto& [name, v] : members) {
        to += std::exchange(separator, ',');
        append_jcs_string(to, name);
        to += ':';
        write(to, *v);
    }
    to += members.empty() ? "{}" : "}";
}

void write(std::string& to, const boost::json::object& o)
{
    std::vector<std::pair<std::string_view, const boost::json::value*>> members;
    members.reserve(o.size());
    for (const auto& member : o) members.emplace_back(view_of(member.key()), &member.value());
    write_members(to, members);
}

void write(std::string& to, const boost::json::value& v)
{
    switch (v.kind()) {
    case boost::json::kind::null: to += "null"; return;
    case boost::json::kind::bool_: to += v.get_bool() ? "true" : "false"; return;
    case boost::json::kind::int64: append_jcs_number(to, static_cast<double>(v.get_int64())); return;
    case boost::json::kind::uint64: append_jcs_number(to, static_cast<double>(v.get_uint64())); return;
    case boost::json::kind::double_: append_jcs_number(to, v.get_double()); return;
    case boost::json::kind::string: append_jcs_string(to, view_of(v.get_string())); return;
    case boost::json::kind::object: write(to, v.get_object()); return;
    case boost::json::kind::array: break;
    }
    char separator = '[';
    for (const auto& element : v.get_array()) {
        to += std::exchange(separator, ',');
        write(to, element);
    }
    to += v.get_array().empty() ? "[]" : "]";
}

void write(std::string& to, const json::value& v)
{
    switch (v.kind()) {
    case json::kind::null: to += "null"; return;
    case json::kind::boolean: to += v.boolean() ? "true" : "false"; return;
    case json::kind::integer:
    case json::kind::real: append_jcs_number(to, v.real()); return;
    case json::kind::string: append_jcs_string(to, v.string()); return;
    case json::kind::object: {
        std::vector<std::pair<std::string_view, const json::value*>> members;
        members.reserve(v.size());
        for (std::size_t i = 0; i < v.size(); ++i) members.emplace_back(v.key(i), &v.at(i));
        write_members(to, members);
        return;
    }
    case json::kind::array: break;
    }
    char separator = '[';
    for (std::size_t i = 0; i < v.size(); ++i) {
        to += std::exchange(separator, ',');
        write(to, v.at(i));
    }
    to += v.size() == 0 ? "[]" : "]";
}

}  // namespace

std::string jcs(const boost::json::value& v)
{
    std::string text;
    write(text, v);
    return text;
}

std::string jcs(const boost::json::object& o)
{
    std::string text;
    write(text, o);
    return text;
}

std::string jcs(const json::value& v)
{
    std::string text;
    write(text, v);
    return text;
}

void append_jcs_string(std::string& to, std::string_view utf8)
{
    to += '"';
    for (std::size_t i = 0; i < utf8.size();) {
        const std::size_t from = i;
        const char32_t c = next_character(utf8, i);
        switch (c) {
        case U'"': to += "\\\""; break;
        case U'\\': to += "\\\\"; break;
        case U'\b': to += "\\b"; break;
        case U'\t': to += "\\t"; break;
        case U'\n': to += "\\n"; break;
        case U'\f': to += "\\f"; break;
        case U'\r': to += "\\r"; break;
        default:
            if (c < 0x20) {
                to += "\\u00";
                to += hex_digits[c >> 4];
                to += hex_digits[c & 15];
            } else {
                to.append(utf8, from, i - from);
            }
        }
    }
    to += '"';
}

void append_jcs_number(std::string& to, double d)
{
    if (!std::isfinite(d)) throw std::invalid_argument("jcs: a number that is not finite");
    if (d == 0) {  // minus zero too (ECMA-262, Number::toString)
        to += '0';
        return;
    }
    // Number::toString: the fewest digits that give the same double, then where the decimal point goes.
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), d, std::chars_format::scientific).ptr;
    std::string_view scientific(text.data(), static_cast<std::size_t>(end - text.data()));  // `-d.ddde±dd`
    if (scientific.front() == '-') {
        to += '-';
        scientific.remove_prefix(1);
    }
    const std::size_t e = scientific.find('e');
    std::string digits(scientific.substr(0, 1));
    if (e > 2) digits += scientific.substr(2, e - 2);
    int exponent = 0;
    const std::size_t sign = scientific[e + 1] == '+' ? 2 : 1;  // from_chars takes a minus, no plus
    std::from_chars(scientific.data() + e + sign, scientific.data() + scientific.size(), exponent);

    const int count = static_cast<int>(digits.size());
    const int point = exponent + 1;  // digits before the decimal point
    if (count <= point && point <= 21) {
        to += digits;
        to.append(static_cast<std::size_t>(point - count), '0');
    } else if (0 < point && point <= 21) {
        to.append(digits, 0, static_cast<std::size_t>(point));
        to += '.';
        to.append(digits, static_cast<std::size_t>(point));
    } else if (-6 < point && point <= 0) {
        to += "0.";
        to.append(static_cast<std::size_t>(-point), '0');
        to += digits;
    } else {
        to += digits[0];
        if (count > 1) {
            to += '.';
            to.append(digits, 1);
        }
        to += exponent < 0 ? "e-" : "e+";
        to += std::to_string(std::abs(exponent));
    }
}

}  // namespace sallyport
