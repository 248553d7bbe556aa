// Checks a log by its leaves, one after another: what each says (record_check), and the tree that they make. The same for
// the log of a running gateway and for an exported one.
#pragma once

#include "gateway/audit/verify.hpp"
#include "gateway/tree/merkle.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sallyport::audit {

class log_check {
public:
    /// The next leaf; `apart` is its data where the leaf has but the hash of it. Gives the leaf's hash.
    digest look(std::string_view leaf, const std::optional<std::string_view>& apart);

    std::uint64_t size() const noexcept { return range_.size(); }
    digest root() const { return range_.root(); }
    verification finish();

private:
    void look_into(std::string_view leaf, const std::optional<std::string_view>& apart);
    void pass_over(std::int64_t index);

    tree::compact_range range_;
    record_check record_;
    std::vector<finding> findings_;  // of what is no entry
};

}  // namespace sallyport::audit
