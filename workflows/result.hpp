// Errors as values: what failed by the contract's name, what to tell the one who asked, what to tell the operator.
#pragma once

#include "workflows/problem.hpp"

#include <boost/system/result.hpp>

#include <string>
#include <utility>

namespace sallyport {

/// `detail` may be shown to whoever asked (agent, person, terminal): no secret, nothing internal.
/// `cause` is for the operator's log alone.
struct failure {
    problem what = problem::internal_error;
    std::string detail = {};
    std::string cause = {};
};

template <class T>
using result = boost::system::result<T, failure>;

/// Called by `result::value()` when there is none: a broken invariant, caught once per connection.
[[noreturn]] void throw_exception_from_error(const failure&, const boost::source_location&);

/// For `return fail(problem::no_route, "…")` in a function that gives a result.
inline failure fail(problem what, std::string detail = {}, std::string cause = {})
{
    return failure{what, std::move(detail), std::move(cause)};
}

}  // namespace sallyport
