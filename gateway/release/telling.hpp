// Whom a hold's moves tell besides the inbox: the messages that go with a move, in its transaction. What they say is composed
// when they are delivered (gateway/notify), so that nobody is shown a state that is over.
#pragma once

#include "storage/outbox_store.hpp"
#include "storage/transaction.hpp"
#include "workflows/hold_step.hpp"

#include <span>
#include <vector>

namespace sallyport::release {

/// One for each person and personal channel (`push` always, `slack`, `email`), one for each webhook.
std::vector<storage::outbox_entry> messages_of(const hold& now, std::span<const effect>);

/// Enqueues the above, and where `now` has just closed, word of it to everybody who was asked.
void tell(storage::transaction&, const hold& before, const hold& now, std::span<const effect>);

}  // namespace sallyport::release
