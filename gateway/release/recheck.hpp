// At release an action is judged again, under what stands then (semantics.md, "At release").
#pragma once

#include "gateway/canonical/action.hpp"
#include "gateway/identity/standing.hpp"
#include "storage/hold_store.hpp"

#include <optional>
#include <string>

namespace sallyport::release {

/// Why it must not be sent any more; none: it goes. Pure.
std::optional<std::string> why_void(const storage::stored_hold&, const action&, const identity::standing&);

/// Of the workflows that a verdict names, those that the configuration has.
std::vector<workflow> demanded(const config::configuration&, const policy::verdict&);

}  // namespace sallyport::release
