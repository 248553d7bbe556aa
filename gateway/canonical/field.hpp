// A field of a message: name and value as views into whatever holds them.
#pragma once

#include "gateway/canonical/eight_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sallyport {

struct field {
    std::string_view name;
    std::string_view value;
    friend bool operator==(const field&, const field&) = default;
};

/// ASCII only, as field names and authorities compare (RFC 9110 §5.1, RFC 3986 §6.2.2.1).
constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

namespace detail {
/// `lower` of eight characters at once.
constexpr std::uint64_t lower_eight(std::uint64_t word) noexcept
{
    return word | eight_bytes::between(word, 'A', 'Z') >> 2;  // 0x20, by which the cases differ
}
}  // namespace detail

/// `lower` of `text`, at `to`.
inline void lower_into(char* to, std::string_view text) noexcept
{
    std::size_t at = 0;
    for (; at + 8 <= text.size(); at += 8) {
        const std::uint64_t word = detail::lower_eight(eight_bytes::load(text.data() + at));
        std::memcpy(to + at, &word, sizeof word);
    }
    for (; at < text.size(); ++at) to[at] = lower(text[at]);
}

/// Inline, and for short texts with a glance at the end first: most names that are as long differ there.
inline bool same_ignoring_case(std::string_view a, std::string_view b) noexcept
{
    if (a.size() != b.size()) return false;
    const auto eight_differ = [&](std::size_t at) {
        return detail::lower_eight(eight_bytes::load(a.data() + at)) != detail::lower_eight(eight_bytes::load(b.data() + at));
    };
    if (a.size() >= 8) {
        for (std::size_t at = 0; at + 8 < a.size(); at += 8)
            if (eight_differ(at)) return false;
        return !eight_differ(a.size() - 8);
    }
    if (a.empty()) return true;
    if (lower(a.back()) != lower(b.back())) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (lower(a[i]) != lower(b[i])) return false;
    return true;
}

}  // namespace sallyport
