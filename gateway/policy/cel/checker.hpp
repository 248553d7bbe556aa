// Names and types (cel-spec, langdef.md "Name Resolution", "Gradual Type Checking"): what every name means, and whether
// every operator and function has an overload for what it is given. Completes the tree for the planner.
#pragma once

#include "gateway/policy/cel/environment.hpp"
#include "gateway/policy/cel/syntax.hpp"

#include <vector>

namespace sallyport::policy::cel {

inline constexpr std::size_t most_locals = 16;  // variables of macros within one another

enum class checking { enforced, off };  // off: names are resolved, and what is wrong fails when it is evaluated

/// All mistakes, in the order of their places. `types` must outlive what is asked of the tree's types.
std::vector<mistake> check(syntax_tree&, const environment&, type_table& types, checking = checking::enforced);

}  // namespace sallyport::policy::cel
