#include "gateway/config/words.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>
#include <vector>

namespace sallyport::config {
namespace {

constexpr std::size_t longest_shown = 60;  // bytes
constexpr std::size_t longest_compared = 80;

// Edits that make one word of the other, an exchange of neighbours being one.
std::size_t distance(std::string_view a, std::string_view b)
{
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before = std::exchange(last, row);
    }
    return last[b.size()];
}

std::string harmless(std::string_view text, std::size_t longest)
{
    std::string safe;
    while (!text.empty()) {
        const code_point c = read_utf8(text);
        const std::size_t width = std::max<std::size_t>(c.bytes, 1);
        if (longest - width < safe.size()) return safe + "…";
        const bool bad = c.bytes == 0 || c.value < 0x20 || (c.value >= 0x7F && c.value <= 0x9F) ||
                         (c.value >= 0x2028 && c.value <= 0x202E) || (c.value >= 0x2066 && c.value <= 0x2069);
        if (bad)
            safe += '?';
        else
            safe += text.substr(0, width);
        text.remove_prefix(width);
    }
    return safe;
}

}  // namespace

code_point read_utf8(std::string_view text) noexcept
{
    const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
    const std::uint32_t first = byte(0);
    if (first < 0x80) return {first, 1};
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < length) return {};
    std::uint32_t value = first & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return {};
        value = value << 6 | (byte(i) & 0x3F);
    }
    constexpr std::array<std::uint32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
    if (value < least[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {};
    return {value, length};
}

std::string one_line(std::string_view text) { return harmless(text, std::string::npos); }

std::string shown(std::string_view text) { return harmless(text, longest_shown); }

std::string one_of(std::span<const std::string_view> words)
{
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
        text += "`" + std::string(words[i]) + "`";
    }
    return text;
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> words)
{
    std::string_view best;
    if (word.size() > longest_compared) return best;
    std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const auto candidate : words) {
        if (candidate.size() > longest_compared) continue;
        const auto d = distance(word, candidate);
        if (d < least) {
            least = d;
            best = candidate;
        }
    }
    return best;
}

}  // namespace sallyport::config
