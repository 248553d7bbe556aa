// People and agents as JSON: wire.md, "The people's API".
#pragma once

#include "workflows/agent.hpp"
#include "workflows/person.hpp"

#include <boost/json/object.hpp>

namespace sallyport::identity {

boost::json::object agent_json(const agent&);
/// With `enrolled`: whether there is a passkey.
boost::json::object person_json(const person&);

}  // namespace sallyport::identity
