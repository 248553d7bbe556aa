// UTF-8 as CEL counts it: in code points. Never throws, never reads beyond the text; a byte that begins no well-formed
// sequence stands for itself (RFC 3629 §3, no surrogates, no overlong forms).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport::policy::cel {

struct code_point {
    char32_t value = 0;     // of an invalid byte: the byte
    std::uint8_t size = 1;  // bytes taken
    bool valid = true;
};

/// The character at the front of `text`, which is not empty.
code_point first_code_point(std::string_view text) noexcept;
bool is_utf8(std::string_view) noexcept;
std::size_t count_code_points(std::string_view) noexcept;
/// The byte at which the code point of that number begins; `text.size()` for the one behind the last, npos beyond.
std::size_t byte_of_code_point(std::string_view text, std::size_t number) noexcept;
/// `c` is a Unicode scalar value.
void append_utf8(std::string& out, char32_t c);

}  // namespace sallyport::policy::cel
