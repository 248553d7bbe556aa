// Text from agents, made inert: what people read before they decide must not be able to move the cursor, turn the
// reading direction, hide letters or forge a line of its own (semantics.md, "Agent's text in summaries").
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sallyport::policy {

/// Characters of one value that a summary shows; what is longer is cut and ends with `…`.
inline constexpr std::size_t inert_limit = 200;

/// Appends `text` with controls, line breaks, bidirectional and invisible characters as `\u202E` (`\U000E0041` beyond
/// U+FFFF) and bytes that are no UTF-8 as `\xFF`. At most `limit` characters are appended, escapes counted as they are
/// written and never cut in two; then `…` says that something is missing. The result is valid UTF-8 on one line.
void append_inert(std::string& out, std::string_view text, std::size_t limit = inert_limit);
std::string inert(std::string_view text, std::size_t limit = inert_limit);

/// The same without a limit, for text that is shown whole.
std::string inert_whole(std::string_view text);

}  // namespace sallyport::policy
