// At release an action is judged again, under what stands then (semantics.md, "At release").
#pragma once

#include "gateway/canonical/action.hpp"
#include "gateway/identity/standing.hpp"
#include "gateway/release/grants.hpp"
#include "storage/hold_store.hpp"

#include <optional>
#include <string>

namespace sallyport::release {

/// Why it must not be sent any more; none: it goes. Pure.
/// `grant`: that which the hold was approved by, if it was. One that has expired since still stands behind it: it was used in time.
std::optional<std::string> why_void(const storage::stored_hold&, const action&, const identity::standing&,
                                    const standing_grant* grant = nullptr);

/// Of the workflows that a verdict names, those that the configuration has.
std::vector<workflow> demanded(const config::configuration&, const policy::verdict&);

}  // namespace sallyport::release
