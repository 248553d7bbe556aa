// From the checked tree to operations.
#pragma once

#include "gateway/policy/cel/program.hpp"

namespace sallyport::policy::cel {

/// The tree's texts move into the program. `mistakes` gets literals that cannot work.
program plan(syntax_tree&&, bool literals_must_work, std::vector<mistake>& mistakes);

}  // namespace sallyport::policy::cel
