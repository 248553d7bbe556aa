// A field of a message: name and value as views into whatever holds them.
#pragma once

#include <cstddef>
#include <string_view>

namespace sallyport {

struct field {
    std::string_view name;
    std::string_view value;
    friend bool operator==(const field&, const field&) = default;
};

/// ASCII only, as field names and authorities compare (RFC 9110 §5.1, RFC 3986 §6.2.2.1).
constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

/// Inline, and with a glance at the end first: most names that are compared differ, and most that are as long differ there.
inline bool same_ignoring_case(std::string_view a, std::string_view b) noexcept
{
    if (a.size() != b.size()) return false;
    if (a.empty()) return true;
    if (lower(a.back()) != lower(b.back())) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (lower(a[i]) != lower(b[i])) return false;
    return true;
}

}  // namespace sallyport
