// Moving a hold: read, step, write, and record, in one transaction. Everything that happens to holds, apart from
// their making, passes through here.
#pragma once

#include "storage/audit_store.hpp"
#include "storage/hold_store.hpp"
#include "storage/transaction.hpp"
#include "workflows/hold_step.hpp"
#include "workflows/result.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sallyport::release {

/// The entries of the record that tell of `before` becoming `after`: `hold`, `release` or `outcome`. Decisions are told
/// by whoever takes them, who has the evidence.
std::vector<storage::audit_entry> entries_of_move(const hold& before, const hold& after, time_point now);

struct move_result {
    storage::stored_hold hold;  // as it is now
    bool moved = false;         // false: the event was nothing to it
    std::vector<effect> effects;
};

/// `read` must be locked in this transaction (get_for_update, read_locked). The refusal of the step is the failure;
/// a lost race is `conflict`, after which the transaction rolls back and may be run again.
/// `asks`: how tired people are, for an event by which steps begin.
result<move_result> apply(storage::transaction&, storage::stored_hold read, const event&, const directory&,
                          const storage::hold_store::advance_options& = {}, const recent_asks& asks = {});

/// Locks it first; `no_hold` when there is none.
result<move_result> apply(storage::transaction&, hold_id, const event&, const directory&);

/// Every open hold of the agent becomes void (`unknown` where it may have been sent), in the transaction that suspends or
/// revokes it, and its grants end; those holds that were closed, for whoever counts once it is committed. Holds being released are left alone: what
/// was sent was sent.
std::vector<hold> void_all_of(storage::transaction&, agent_id, const std::string& why, const directory&);

/// The same for all agents that nobody active is accountable for any more, in the transaction that took the last one away.
std::vector<hold> void_orphans(storage::transaction&);

}  // namespace sallyport::release
