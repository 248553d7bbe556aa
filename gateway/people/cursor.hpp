// Where a list goes on. A place in it may be that of something which its reader may not know of, so that it leaves the
// house sealed, for one person and one list.
#pragma once

#include "gateway/people/call.hpp"
#include "workflows/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sallyport::people {

std::string seal_cursor(const call&, std::string_view list, std::string_view place);
/// What was sealed in the query's `cursor`; none where there is none; `malformed_request` for one that is not this
/// person's, of this list.
result<std::optional<std::string>> open_cursor(const call&, std::string_view list);

}  // namespace sallyport::people
