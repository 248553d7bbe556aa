// One expression by itself, for the command line: `policy eval` (contract.md, wire.md "Command line details").
#pragma once

#include "workflows/result.hpp"

#include <string>
#include <string_view>

namespace sallyport::policy {

/// The value as JSON. `bindings` is the text of a JSON object whose members are the variables, or empty for none.
/// Fails with `invalid_input`: `LINE:COLUMN: message` for an expression that is refused, else why it has no value.
result<std::string> evaluate(std::string_view expression, std::string_view bindings = {});

/// One line of `policy eval --batch`, in the form of the conformance vectors (`expr`, `bindings`, `typeEnv`,
/// `disableCheck`), answered with a line: `{"value": …}`, `{"error": …}` or `{"check_error": …, "line": n, "column": n}`.
/// Any line gets an answer; none ends with a line end.
std::string evaluate_line(std::string_view line);

/// Where an offset lies in a text: both from 1, columns in characters.
struct text_position {
    std::size_t line = 1;
    std::size_t column = 1;
};
text_position position_of(std::string_view text, std::size_t offset) noexcept;

}  // namespace sallyport::policy
