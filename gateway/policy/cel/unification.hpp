// Fitting types to signatures: parameters are bound as they are met (langdef.md "Gradual Type Checking").
#pragma once

#include "gateway/policy/cel/types.hpp"

#include <vector>

namespace sallyport::policy::cel {

class unification {
public:
    explicit unification(type_table& table) : table_(table) {}

    const type* fresh();
    /// The same type with parameters 0 and 1 replaced; for signatures, whose parameters are numbered so.
    const type* instantiate(const type* signature, const type* a, const type* b);

    /// Whether `actual` may stand where `wanted` is asked for. Binds parameters, also where it fails: undo() then.
    bool fit(const type* wanted, const type* actual);
    /// The type of both, `dyn` where there is none: of list elements, of branches.
    const type* join(const type* x, const type* y);
    /// What a parameter is bound to, at the top.
    const type* resolve(const type*) const;
    /// All through; what is still open is `dyn`.
    const type* settle(const type*);

    /// A state to come back to when a signature turns out not to fit.
    struct mark {
        std::size_t parameters, changes;
    };
    mark here() const noexcept { return {bound_.size(), changes_.size()}; }
    void undo(mark);

private:
    void bind(std::size_t parameter, const type* to);
    bool occurs(std::size_t parameter, const type*) const;
    const type* more_general(const type* x, const type* y);

    type_table& table_;
    std::vector<const type*> bound_;  // by number; null: open
    struct change {
        std::size_t parameter;
        const type* before;
    };
    std::vector<change> changes_;
};

}  // namespace sallyport::policy::cel
