// Agents and the keys that may sign for them. Every method runs in the transaction given, throws what the driver
// throws (database::run ends it) and, where it changes something, moves the directory's generation.
#pragma once

#include "storage/transaction.hpp"
#include "workflows/agent.hpp"
#include "workflows/result.hpp"

#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace sallyport::storage::agent_store {

/// `conflict`: the name is known, also of a revoked agent. `invalid_input`: there is no such owner.
result<void> add(transaction&, const agent&);

/// By name.
std::vector<agent> list(transaction&);
std::optional<agent> by_name(transaction&, std::string_view name);
std::optional<agent> by_id(transaction&, agent_id);

/// The agent as it is now. `not_found`; `conflict` when it is revoked, which is for ever.
result<agent> set_status(transaction&, agent_id, agent_status);

/// From now on `key` signs. The keys before it are gone, or good until `old_until`. `not_found`; `conflict` when the
/// agent is revoked.
result<agent> replace_keys(transaction&, agent_id, const agent_key& key, std::optional<time_point> old_until);

struct seen {
    agent_id agent;
    time_point at;
};
/// For many at once. Never goes back; moves no generation.
void touch(transaction&, std::span<const seen>);

/// Until this transaction ends no hold of theirs is made, and what was being made is there to be found (hold_store::create).
void lock(transaction&, std::span<const agent_id>);

/// Agents of exactly that owner, by name: of a person not those that a team of theirs owns.
std::vector<agent_id> owned_by(transaction&, const owner_name&);

}  // namespace sallyport::storage::agent_store
