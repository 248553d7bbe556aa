#include "workflows/encoding.hpp"

#include <algorithm>

namespace sallyport {
namespace {

constexpr std::string_view plain_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view hex_digits = "0123456789abcdef";

using value_table = std::array<std::int8_t, 256>;

constexpr value_table values_of(std::string_view alphabet)
{
    value_table values{};
    values.fill(-1);
    for (std::size_t i = 0; i < alphabet.size(); ++i) values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
    return values;
}

constexpr value_table hex_values()
{
    value_table values = values_of(hex_digits);
    for (std::size_t i = 10; i < 16; ++i) values[static_cast<std::size_t>('A') + i - 10] = static_cast<std::int8_t>(i);
    return values;
}

constexpr value_table plain_values = values_of(plain_alphabet);
constexpr value_table url_values = values_of(url_alphabet);
constexpr value_table hex_value_table = hex_values();

std::uint32_t byte_at(std::string_view bytes, std::size_t i) noexcept { return static_cast<unsigned char>(bytes[i]); }

void append_64(std::string& to, std::string_view bytes, std::string_view alphabet, bool padded)
{
    const std::size_t whole = bytes.size() / 3;
    const std::size_t left = bytes.size() % 3;
    const std::size_t from = to.size();
    to.resize(from + whole * 4 + (left == 0 ? 0 : padded ? 4 : left + 1));
    char* out = to.data() + from;
    std::size_t i = 0;
    for (; i < whole * 3; i += 3) {
        const std::uint32_t three = byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);
        for (int shift = 18; shift >= 0; shift -= 6) *out++ = alphabet[three >> shift & 63];
    }
    if (left == 0) return;
    const std::uint32_t rest = byte_at(bytes, i) << 16 | (left == 2 ? byte_at(bytes, i + 1) << 8 : 0);
    *out++ = alphabet[rest >> 18 & 63];
    *out++ = alphabet[rest >> 12 & 63];
    if (left == 2) *out++ = alphabet[rest >> 6 & 63];
    if (padded) std::fill(out, to.data() + to.size(), '=');
}

// `text` without padding.
std::optional<std::string> read_64(std::string_view text, const value_table& values)
{
    const std::size_t left = text.size() % 4;
    if (left == 1) return std::nullopt;
    std::string bytes;
    bytes.resize(text.size() / 4 * 3 + (left == 0 ? 0 : left - 1));
    char* out = bytes.data();
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const auto value = values[static_cast<unsigned char>(c)];
        if (value < 0) return std::nullopt;
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        count += 6;
        if (count >= 8) {
            count -= 8;
            *out++ = static_cast<char>(bits >> count & 0xff);
        }
    }
    // Bits that say nothing must be zero, or one value had several texts (RFC 4648 §3.5).
    if ((bits & ((1U << count) - 1)) != 0) return std::nullopt;
    return bytes;
}

}  // namespace

void append_base64(std::string& to, std::string_view bytes) { append_64(to, bytes, plain_alphabet, true); }
void append_base64url(std::string& to, std::string_view bytes) { append_64(to, bytes, url_alphabet, false); }

void append_hex(std::string& to, std::string_view bytes)
{
    to.reserve(to.size() + bytes.size() * 2);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        to.push_back(hex_digits[byte_at(bytes, i) >> 4]);
        to.push_back(hex_digits[byte_at(bytes, i) & 15]);
    }
}

std::string base64(std::string_view bytes)
{
    std::string text;
    append_base64(text, bytes);
    return text;
}

std::string base64url(std::string_view bytes)
{
    std::string text;
    append_base64url(text, bytes);
    return text;
}

std::string hex(std::string_view bytes)
{
    std::string text;
    append_hex(text, bytes);
    return text;
}

std::optional<std::string> read_base64(std::string_view text)
{
    if (text.size() % 4 != 0) return std::nullopt;
    if (text.ends_with('=')) text.remove_suffix(1);
    if (text.ends_with('=')) text.remove_suffix(1);
    return read_64(text, plain_values);
}

std::optional<std::string> read_base64url(std::string_view text) { return read_64(text, url_values); }

std::optional<std::string> read_hex(std::string_view text)
{
    if (text.size() % 2 != 0) return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const std::int8_t high = hex_value_table[byte_at(text, i)];
        const std::int8_t low = hex_value_table[byte_at(text, i + 1)];
        if (high < 0 || low < 0) return std::nullopt;
        bytes.push_back(static_cast<char>(high << 4 | low));
    }
    return bytes;
}

std::optional<digest> digest::from_bytes(std::string_view bytes) noexcept
{
    digest d;
    if (bytes.size() != d.bytes.size()) return std::nullopt;
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(d.bytes.data()));
    return d;
}

std::optional<digest> digest::from_hex(std::string_view text)
{
    const auto bytes = read_hex(text);
    return bytes ? from_bytes(*bytes) : std::nullopt;
}

std::optional<digest> digest::from_base64url(std::string_view text)
{
    const auto bytes = read_base64url(text);
    return bytes ? from_bytes(*bytes) : std::nullopt;
}

}  // namespace sallyport
