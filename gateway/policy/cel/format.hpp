// string.format() of the library of strings.
#pragma once

#include "gateway/policy/cel/value.hpp"

#include <string_view>

namespace sallyport::policy::cel {

/// `%s %d %f %e %b %o %x %X %%`, with a precision for `%f` and `%e`.
value format(workspace&, std::string_view pattern, const value& arguments);

}  // namespace sallyport::policy::cel
