// What a look at a condition's words tells without evaluating it; for warnings alone, never for a verdict. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::config {

/// Whether evaluating it might fail: it reads `body`, `task` or something by a key, converts, computes or matches a
/// pattern. Errs on the side of true.
bool may_err(std::string_view condition) noexcept;

/// It is `false` and nothing else.
bool never_true(std::string_view condition) noexcept;

/// Something in a condition that cannot match what it is compared with.
struct remark {
    std::size_t offset = 0;  // bytes into the condition
    std::string message;
};
/// Comparisons of `request.method` with a word in small letters, and of `request.path` with what no path of a route
/// with these prefixes looks like: rules that silently gate nothing.
std::vector<remark> vain_comparisons(std::string_view condition, std::span<const std::string_view> prefixes);

}  // namespace sallyport::config
