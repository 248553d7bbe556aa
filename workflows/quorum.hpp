// Who fills which place: a matching of approvals and the places of a workflow, so that one person fills one place, and as many
// are filled as can be, whoever decided first. Pure.
#pragma once

#include "workflows/hold.hpp"
#include "workflows/workflow.hpp"

#include <cstddef>
#include <functional>
#include <vector>

namespace sallyport {

class quorum {
public:
    /// Refers to the workflow, which outlives it.
    explicit quorum(const workflow&);

    /// One more person's approval. `could_fill` is asked of each place, or where the workflow has none once, with null.
    void add(const std::function<bool(const target*)>& could_fill);

    /// How many places are filled, at most `approvals` where there are places.
    int given() const noexcept;
    bool reached() const noexcept { return given() >= asked_.approvals; }
    std::vector<missing_approvals> missing() const;
    /// Of each place.
    std::vector<int> filled() const;

private:
    bool seat(std::size_t approval, std::vector<bool>& tried);

    const workflow& asked_;
    std::vector<std::vector<std::size_t>> could_fill_;  // of each approval: places by number
    std::vector<std::vector<std::size_t>> seated_;      // of each place: approvals by number
    int unplaced_ = 0;                                  // approvals, where there are no places
};

}  // namespace sallyport
