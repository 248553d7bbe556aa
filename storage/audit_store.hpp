// What happened, for ever. A transaction adds pending entries beside the thing it does; what comes in bulk goes straight behind
// the log's end. Either way the holder of the head row gives places: gapless, one order for all replicas (ARCHITECTURE.md,
// "Life of an entry").
//
// The text of `data` is kept to the byte, because leaves of the tree commit to it.
#pragma once

#include "storage/transaction.hpp"
#include "workflows/ids.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::storage {

struct audit_entry {
    std::int64_t index = -1;  // in the log; -1 while pending
    time_point at;
    std::string kind;  // `verdict`, `hold`, `decision`, `release`, `outcome`, `admin`
    std::optional<action_id> action;
    std::optional<hold_id> hold;
    std::optional<agent_id> agent;
    std::optional<person_id> person;
    std::string data = "{}";  // JSON, as RFC 8785 writes it
};

struct audit_head {
    std::int64_t size = 0;   // entries in the log
    std::string tree;        // bytes that the log's tree keeps between two integrations; empty at first
    std::string checkpoint;  // the newest signed one; empty before the first
    std::string origin;      // what the checkpoints are of: made with the log, never changed
};

struct audit_query {
    std::optional<time_point> since;  // at or after
    std::optional<time_point> until;  // before
    std::string kind;                 // empty: every one
    std::optional<action_id> action;
    std::optional<hold_id> hold;
    std::optional<agent_id> agent;
    std::optional<person_id> person;
    std::optional<std::int64_t> cursor;  // begins behind this index, in the order asked for
    bool oldest_first = false;
    std::size_t limit = 100;  // at most 1000
};

namespace audit_store {

/// Pending entries, in that order; `index` is not looked at. Part of the caller's transaction: both
/// happen or neither.
void append(transaction&, std::span<const audit_entry>);
inline void append(transaction& tx, const audit_entry& entry) { append(tx, std::span(&entry, 1)); }

/// Changes `tree` and `checkpoint` of the head, whose size is already the new one. It may leave them behind.
using head_maker = std::function<void(audit_head& head, std::span<const audit_entry> added)>;

/// What to do while another integrator is at work: leave it to that one, or wait for its end, to have all that is committed by now
/// in the log.
enum class at_head { leave, wait };

/// Moves at most `limit` pending entries into the log; gives them with their indexes. Empty when nothing is pending, or left to
/// another. `make` may be empty.
std::vector<audit_entry> integrate(transaction&, std::size_t limit, const head_maker& make = {}, at_head when_taken = at_head::leave);

/// For what comes in bulk: puts entries behind the log's end without a stop among the pending ones, and sets their `index`.
/// Waits for another integrator.
void append_to_log(transaction&, std::span<audit_entry>, const head_maker& make = {});

/// For a tree that has been left behind: the head, locked, and what has changed in `tree` and `checkpoint`.
audit_head head_for_update(transaction&);
void put_tree(transaction&, const audit_head&);

audit_head head(transaction&);
std::int64_t pending(transaction&);

std::vector<audit_entry> list(transaction&, const audit_query&);
/// Entries `from` to `from + count - 1`, as far as there are.
std::vector<audit_entry> read(transaction&, std::int64_t from, std::size_t count);

/// How far a journal (a file of one replica, by its own id) has been brought in; 0 for one not seen before.
std::int64_t journal_position(transaction&, std::string_view journal);
/// In the transaction that appends the entries between `from` and `to`. Lost: somebody else has moved it; roll back.
race move_journal(transaction&, std::string_view journal, std::int64_t from, std::int64_t to);

}  // namespace audit_store
}  // namespace sallyport::storage
