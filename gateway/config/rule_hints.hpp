// What a look at a condition's words tells without evaluating it; for warnings alone, never for a verdict. Pure.
#pragma once

#include <string_view>

namespace sallyport::config {

/// Whether evaluating it might fail: it reads `body`, `task` or something by a key, converts, computes or matches a
/// pattern. Errs on the side of true.
bool may_err(std::string_view condition) noexcept;

/// It is `false` and nothing else.
bool never_true(std::string_view condition) noexcept;

}  // namespace sallyport::config
