// From text to tree: the whole grammar of CEL, macros included (cel-spec, langdef.md "Syntax", "Macros").
#pragma once

#include "gateway/policy/cel/syntax.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace sallyport::policy::cel {

/// What is longer, or nested deeper, is refused: recursion over a tree stays bounded.
inline constexpr std::size_t longest_source = 64 * 1024;  // bytes
inline constexpr unsigned deepest_nesting = 100;          // brackets, conditionals within one another
inline constexpr unsigned deepest_tree = 250;             // operators on top of one another

/// The source is copied. On the first mistake nothing.
std::optional<syntax_tree> parse(std::string_view source, mistake&);

}  // namespace sallyport::policy::cel
