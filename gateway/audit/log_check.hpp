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
    /// The next leaf there is; `apart` is its data where the leaf has but the hash of it. Gives the leaf's hash.
    digest look(std::int64_t index, std::string_view leaf, const std::optional<std::string_view>& apart);

    /// The log has so many leaves: those behind the last are missing.
    void ends_at(std::int64_t size) { record_.ends_at(size); }

    std::uint64_t size() const noexcept { return range_.size(); }
    digest root() const { return range_.root(); }
    verification finish() { return record_.finish(); }

private:
    void look_into(std::int64_t index, std::string_view leaf, const std::optional<std::string_view>& apart);
    void pass_over(std::int64_t index, finding_kind, std::string why);

    tree::compact_range range_;
    record_check record_;
};

}  // namespace sallyport::audit
