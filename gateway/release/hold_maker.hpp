// Making holds: the action, its hold, its record and what must be told are committed together before anybody is told,
// and what gathers while one commit runs is the next one.
#pragma once

#include "gateway/canonical/action.hpp"
#include "gateway/identity/standing.hpp"
#include "gateway/jose/sealing.hpp"
#include "storage/group_commit.hpp"
#include "storage/hold_store.hpp"
#include "workflows/hold_step.hpp"
#include "workflows/result.hpp"

#include <string>
#include <vector>

namespace sallyport::release {

/// A call that policy holds, ready to be stored: nothing in it is a view.
struct held_call {
    storage::action_record record;  // sealed already; created_at is filled in
    hold_id id;
    std::vector<reason> reasons;
    std::vector<workflow> workflows;  // that the verdict demands
};

struct made_hold {
    storage::created what;
    hold_status status = hold_status::held;  // of one that was made now: held, undeliverable, or approved by a grant
    std::size_t passed_over = 0;             // people who were not told of it, for they were asked too often
};

class hold_maker {
public:
    hold_maker(storage::database&, const identity::standings&, keyring);

    /// Resumes on the calling core.
    storage::core_awaitable<result<made_hold>> make(storage::core_executor, held_call);

private:
    result<std::vector<result<made_hold>>> write(storage::transaction&, std::span<const held_call>) const;

    const identity::standings& standings_;
    const keyring keys_;
    storage::group_commit<held_call, made_hold> commits_;
};

}  // namespace sallyport::release
