// A grant as pages and terminals show it. Pure.
#pragma once

#include "gateway/release/grants.hpp"
#include "workflows/directory.hpp"

#include <boost/json/fwd.hpp>

namespace sallyport::release {

/// Without its calls, and without what depends on who reads it.
boost::json::object grant_json(const standing_grant&, const directory&);

/// Those whose signatures it rests on.
std::vector<person_id> signers_of(const standing_grant&);

}  // namespace sallyport::release
