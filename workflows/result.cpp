#include "workflows/result.hpp"

#include <stdexcept>

namespace sallyport {

void throw_exception_from_error(const failure& why, const boost::source_location& where)
{
    throw std::logic_error(std::string(where.file_name()) + ':' + std::to_string(where.line()) +
                           ": took the value of a failure: " + std::string(facts(why.what).name) + ": " + why.detail);
}

}  // namespace sallyport
