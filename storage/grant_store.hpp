// Grants: what approvals left behind for similar calls, and what is left of it. A grant's numbers are moved by one
// conditional statement, so that they are exact however many replicas use it at once.
//
// Locks are taken in this order: agents, grants, holds that grants approved. Whoever has a hold's lock takes no grant's.
#pragma once

#include "storage/hold_store.hpp"
#include "storage/transaction.hpp"
#include "workflows/grant.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::storage {

struct grant_record {
    grant_id id;
    hold_id hold;  // whose approvals left it behind
    agent_id agent;
    std::string route, method, target;
    std::string terms;  // RFC 8785 JSON
    int count = 0;
    int used = 0;
    std::string sum;       // plain decimal text; empty: no bound
    std::string sum_used;  // the same
    time_point created_at;
    time_point expires_at;
    std::optional<time_point> revoked_at;
    std::optional<person_id> revoked_by;
    std::string revoked_why;
    time_point now;  // the database's clock, read with the row

    grant_status status() const noexcept;
};

/// A place in a list, newest first.
struct grant_cursor {
    time_point created_at;
    grant_id id;

    std::string text() const;
    static std::optional<grant_cursor> parse(std::string_view) noexcept;
};

struct grant_query {
    std::vector<grant_status> status{};  // empty: every one
    std::optional<agent_id> agent{};
    std::optional<grant_cursor> cursor{};
    std::size_t limit = 50;  // at most 100
};

namespace grant_store {

/// The numbers are zero, nobody has revoked it.
void add(transaction&, const grant_record&);
std::optional<grant_record> get(transaction&, grant_id);
/// Those that the approvals of these holds left behind.
std::vector<grant_record> left_by(transaction&, std::span<const hold_id>);
std::vector<grant_record> list(transaction&, const grant_query&);

/// Some agent's call, as far as the database compares it.
struct looked_for {
    agent_id agent;
    std::string_view route, method, target;
};
/// What may cover such calls: neither revoked nor expired nor used up, oldest first. Locks nothing.
std::vector<grant_record> usable(transaction&, std::span<const looked_for>);
/// Nobody else uses or revokes these before this transaction ends. Before that, their agents: who suspends one ends its
/// grants, and is waited for.
void lock(transaction&, std::span<const agent_id>, std::span<const grant_id>);

struct burned {
    int used = 0;          // with this one
    std::string sum_used;  // the same
};
/// Uses it for one more call of that amount (plain decimal text), if so much is left of it now.
std::optional<burned> burn(transaction&, grant_id, std::string_view amount);
/// Undoes a `burn` of this very transaction, for a call that it did not hold after all.
void unburn(transaction&, grant_id, std::string_view amount);

/// Lost: it was revoked before. `why` is not empty; `by` none: from a terminal, or by what happened to its agent.
race revoke(transaction&, grant_id, std::optional<person_id> by, std::string_view why);
/// Every grant of the agent that is neither revoked nor expired; those that were. The agent is locked.
std::vector<grant_id> revoke_all_of(transaction&, agent_id, std::string_view why);

/// What it approved, newest first.
std::vector<hold_id> approved_by(transaction&, grant_id, std::size_t limit);
/// Approved by that grant and not yet being sent.
std::vector<hold_id> not_yet_sent(transaction&, grant_id);

}  // namespace grant_store
}  // namespace sallyport::storage
