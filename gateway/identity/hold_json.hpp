// A hold as its agent sees it: wire.md, "Hold, as the agent sees it". Agents are never told who decided.
#pragma once

#include "workflows/hold.hpp"

#include <boost/json/object.hpp>

namespace sallyport::identity {

boost::json::object agent_view(const hold&);

/// wire.md's `reasons`; what `summary_digest` is made of.
boost::json::array reasons_json(const hold&);

}  // namespace sallyport::identity
