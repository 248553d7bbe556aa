// Words for messages: outside text made harmless, lists of what is accepted, and what may have been meant. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sallyport::config {

struct code_point {
    std::uint32_t value = 0;
    std::size_t bytes = 0;  // 0: no valid UTF-8 (RFC 3629: no overlong form, no surrogate)
};
/// The first character of a text that is not empty.
code_point read_utf8(std::string_view) noexcept;

/// In one line of valid UTF-8: what is neither becomes `?`.
std::string one_line(std::string_view);
/// The same, and cut behind 60 bytes with a mark.
std::string shown(std::string_view);
/// `a`, `a or b`, `a, b or c`.
std::string one_of(std::span<const std::string_view> words);
/// The word nearest to `word`, where a slip of the fingers may have been meant; empty for none.
std::string_view nearest(std::string_view word, std::span<const std::string_view> words);

}  // namespace sallyport::config
