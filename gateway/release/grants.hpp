// What approvals left behind: made where a hold is approved, used where a call would be held, looked at again where it is
// released, and ended. Inside a transaction, all of it; in the order of locks that grant_store.hpp says.
#pragma once

#include "gateway/canonical/action.hpp"
#include "gateway/identity/standing.hpp"
#include "gateway/jose/sealing.hpp"
#include "storage/grant_store.hpp"
#include "storage/hold_store.hpp"
#include "storage/transaction.hpp"
#include "workflows/grant.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::release {

struct held_call;  // hold_maker.hpp

/// A grant and the hold whose approvals it rests on.
struct standing_grant {
    storage::grant_record record;
    hold source;
};

/// None: it is not there.
std::optional<standing_grant> find_grant(storage::transaction&, grant_id);

/// A stored call as grants look at it.
grantable_call grantable_of(const action&, const storage::action_record&);

/// Why the grant does not stand behind that held call (any more), whatever is left of it; none: it does. Pure. `demanded`: by
/// today's policy.
std::optional<std::string> why_not_granted(const standing_grant&, const hold&, const grantable_call&, std::span<const workflow> demanded,
                                           const directory&, time_point now);

/// A grant that was used for a new call.
struct used_grant {
    grant_id id;
    hold_id source;
    std::string amount;  // plain decimal text
    int used = 0;        // with this call
    bool exhausted = false;
};

/// For each call that would be held, the grant that lets it pass instead, used for it already. One question where no grant could
/// be meant. What cannot be read is granted nothing.
std::vector<std::optional<used_grant>> use_grants(storage::transaction&, const keyring&, const identity::standing&,
                                                  std::span<const held_call>, time_point now);
/// For a call of this transaction that was not made after all.
void unuse(storage::transaction&, const used_grant&);

/// What enough of the approvals have signed comes into being, recorded; `approved` has just become so. None: nothing was signed.
std::optional<grant_id> leave_grant(storage::transaction&, const storage::stored_hold& approved, person_id by);

/// Ends it, records that, and voids what it approved and what is not being sent yet: those holds, for whoever counts. None: it
/// was revoked before. `by` none: the local administrator, who is not a person.
std::optional<std::vector<hold>> revoke_grant(storage::transaction&, const storage::grant_record&, std::optional<person_id> by,
                                              const std::string& why, const directory&);
/// Ends all of the agent's, recorded. The agent is locked. Its holds are left to the caller.
void end_grants_of(storage::transaction&, agent_id, const std::string& why);

}  // namespace sallyport::release
