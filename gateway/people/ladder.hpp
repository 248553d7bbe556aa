// The ladder of a hold as its page draws it: each step of each workflow with its times, whom it tells by name, and what is now.
#pragma once

#include "workflows/directory.hpp"
#include "workflows/hold.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace sallyport::people {

/// The steps of that demand, in order.
boost::json::array ladder_json(const hold&, const demand&, const directory&, time_point now);
/// Each place with how many approvals it needs and has; empty where the workflow has none.
boost::json::array places_json(const hold&, const demand&);
/// What is still missing, in words: `one more of team legal`.
boost::json::array missing_json(const hold&, const demand&);

}  // namespace sallyport::people
