// How `check`, `serve` and the log say what load() found (contract.md "Command line", semantics.md "`check`").
#pragma once

#include "gateway/config/load.hpp"

#include <string>

namespace sallyport::config {

/// `FILE:LINE:COLUMN: message`, without a line end; `FILE: message` where there is no line.
std::string line_of(const finding&);

/// One line each, for standard error: the errors, then the warnings as `FILE:LINE:COLUMN: warning: message`.
std::string text_report(const load_result&);

/// `{"ok", "policy", "errors": [{"file", "line", "column", "message"}], "warnings": […]}` in one line, without a line end.
/// `policy` is the digest, null when there are errors.
std::string json_report(const load_result&);

}  // namespace sallyport::config
