// A field of a message: name and value as views into whatever holds them.
#pragma once

#include <string_view>

namespace sallyport {

struct field {
    std::string_view name;
    std::string_view value;
    friend bool operator==(const field&, const field&) = default;
};

/// ASCII only, as field names and authorities compare (RFC 9110 §5.1, RFC 3986 §6.2.2.1).
constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
bool same_ignoring_case(std::string_view, std::string_view) noexcept;

}  // namespace sallyport
