// When people were first shown what they decide, and whether they decided sooner than it can be read (workflows/reading.hpp).
#pragma once

#include "gateway/people/call.hpp"
#include "storage/hold_store.hpp"
#include "storage/transaction.hpp"

#include <optional>
#include <span>

namespace sallyport::people {

/// The call's person is shown these now; of those that they may decide, when is written down.
void remember_shown(storage::transaction&, const call&, std::span<const storage::stored_hold>);

/// Of a decision that the call's person makes now. None where they were never shown it by us: what Slack showed them, and when, is
/// Slack's to know.
std::optional<bool> decided_fast(storage::transaction&, const call&, const storage::stored_hold&);

}  // namespace sallyport::people
