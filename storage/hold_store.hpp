// Holds, the actions they are of, the decisions made of them, and the answers kept for their agents.
//
// A hold is read whole and written whole, under its version: `advance` moves the row only if nobody has moved it since
// it was read. Every change tells `hold_channel`.
#pragma once

#include "storage/audit_store.hpp"
#include "storage/outbox_store.hpp"
#include "storage/transaction.hpp"
#include "workflows/hold.hpp"
#include "workflows/result.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::storage {

/// One call of an agent as it was judged. Written once.
struct action_record {
    action_id id;
    agent_id agent;
    std::string task;  // JSON; empty: none
    std::string route;
    std::string policy;  // digest of the policy it was judged under, sha256 hex
    std::string method;
    std::string scheme;          // of the upstream: http or https; empty: not known
    std::string authority;       // of the upstream
    std::string target;          // at the upstream
    std::string request_host;    // as the agent wrote it
    std::string request_target;  // the agent's, canonical
    std::string content_digest;  // RFC 9530 field; empty: no body
    std::string digest;          // of the action: SHA-256, base64url
    std::int64_t content_length = 0;
    std::string media_type;
    std::string sealed_payload;   // bytes: headers and body, sealed by their owner; empty where it was not read
    std::string rules;            // JSON: every rule that spoke
    std::string idempotency_key;  // empty: none
    time_point created_at;
};

/// A hold with its action, as one statement saw them.
struct stored_hold {
    sallyport::hold hold;
    action_record action;
    time_point now;  // the database's clock, read with the row (after its lock, where it is locked)
};

enum class payload { leave, read };

struct new_hold {
    action_record action;
    sallyport::hold hold;  // its id, action and agent agree with `action`
    std::vector<audit_entry> record;
    std::vector<outbox_entry> tell;
};

/// Open holds: what may be there together with the new ones. Counted once a batch, and batches may run side by side,
/// so that they bound and do not ration.
struct open_limits {
    std::int64_t all = 0;        // 0: no limit
    std::int64_t per_agent = 0;  // 0: no limit
};

struct created {
    enum class kind {
        created,
        same,        // this agent's key and the same action: `hold` is the one that there is
        conflict,    // this agent's key and another action
        overloaded,  // open_limits
        inactive,    // the agent is suspended or revoked, not there, or nobody active owns it
    } what = kind::created;
    hold_id hold;      // only for created and same
    action_id action;  // of that hold
};

/// A place in a list, newest first.
struct hold_cursor {
    time_point created_at;
    hold_id id;

    std::string text() const;
    static std::optional<hold_cursor> parse(std::string_view) noexcept;
    static hold_cursor after(const stored_hold& h) { return {h.hold.created_at, h.hold.id}; }
};

struct hold_query {
    std::vector<hold_status> status{};  // empty: every one
    std::optional<agent_id> agent{};
    std::string route{};  // empty: every one
    std::string alike{};  // of those alone; empty: every one. Agent, route and q are not asked then
    std::string q{};      // anywhere in summaries, target, method, agent's name, or an id; letters in any case
    std::optional<hold_cursor> cursor{};
    std::size_t limit = 50;  // at most 100
    storage::payload payload = storage::payload::leave;
};

struct kept_response {
    hold_id hold;
    int status = 0;
    std::string headers;      // JSON
    std::string sealed_body;  // bytes
    time_point expires_at;
};

namespace hold_store {

/// For each, in order. Actions, holds, audit and outbox entries are written together, and only for those created.
std::vector<created> create(transaction&, std::span<const new_hold>, const open_limits&);

std::optional<stored_hold> get(transaction&, hold_id, payload = payload::leave);
/// Those that there are of these, in their order, without payload.
std::vector<stored_hold> get(transaction&, std::span<const hold_id>);
/// Reads the sealed payloads of holds that were read without: whoever looks through many decides first which are shown.
void read_payloads(transaction&, std::span<stored_hold>);
/// The same as `get`, and nobody else moves it before this transaction ends.
std::optional<stored_hold> get_for_update(transaction&, hold_id, payload = payload::leave);
/// The same, by whoever decides it: where its workflows exclude the last approver, no other hold of that agent is decided before
/// this transaction ends. Before anything else is locked.
std::optional<stored_hold> get_to_decide(transaction&, hold_id);
/// Fills in `demand::last_approval` of a hold that is not stored yet. Those that are read while held have it.
void read_last_approvals(transaction&, hold& fresh);
/// The hold that this agent's key belongs to.
std::optional<stored_hold> find_by_key(transaction&, agent_id, std::string_view idempotency_key);

struct advance_options {
    /// To `releasing`: this replica sends it. It has the claim, or nobody has.
    std::string_view claimed_by{};
    std::optional<time_point> retry_at{};  // to `approved`: not to be claimed before
};
/// Writes `next` in place of `read`: status, demands, times, outcome, decisions (new ones are added, missing ones are
/// marked as taken back). The row's version becomes `read.version + 1`. Lost: somebody else moved it first, or has the
/// claim; read again and step again. A claim ends with every move but one to `releasing`, which needs one.
race advance(transaction&, const hold& read, const hold& next, const advance_options& = {});

/// Which holds of a kind are taken. They are locked first, by id, and read then: one row that cannot be read does not
/// hide which ones were wanted, so that they can be taken one by one.
struct pick {
    std::size_t limit = 1;
    std::span<const hold_id> except{};  // never these
    std::optional<hold_id> only{};      // none but this
};
/// What time moves: `wake_at` has come. Locked, and skipped by others until this transaction ends.
std::vector<hold_id> lock_due(transaction&, const pick&);
/// Approved holds that nobody (alive) is releasing, now claimed by `replica`, oldest decision first. A claim bumps no
/// version. It ends with `unclaim`, with `advance`, or with its replica.
std::vector<hold_id> claim(transaction&, std::string_view replica, const pick&);
/// Holds left `releasing` by a replica that is dead, never by `replica` itself. Locked, and skipped by others. A late
/// heartbeat counts only once the database itself has been up for as long as a replica may be silent.
std::vector<hold_id> lock_abandoned(transaction&, std::string_view replica, const pick&);
/// Holds that are `releasing` by `replica` itself. Locked.
std::vector<hold_id> lock_releasing(transaction&, std::string_view replica, const pick&);
/// In the order of the ids. They are locked by this transaction.
std::vector<stored_hold> read_locked(transaction&, std::span<const hold_id>, payload);

std::optional<time_point> next_wake(transaction&);

/// The claimed ones go back, to be claimed from `retry_at` on.
void unclaim(transaction&, hold_id, std::string_view replica, std::optional<time_point> retry_at);
/// Every claim of this replica on what is still approved: after a claim whose commit is in doubt.
void unclaim_all(transaction&, std::string_view replica);
/// When the next approved hold may be claimed: its retry_at, else its decision's time.
std::optional<time_point> next_claimable(transaction&);

/// Newest first. The caller says with `hold_cursor::after` the last row where to go on.
std::vector<stored_hold> list(transaction&, const hold_query&);
/// Which of these `q` finds.
std::vector<hold_id> matching(transaction&, std::span<const hold_id>, std::string_view q);
/// Every open hold of the agent, oldest first, from behind `after` on.
std::vector<stored_hold> open_of_agent(transaction&, agent_id, std::size_t limit, std::optional<hold_id> after = {});
/// Every open hold, in the order of their ids, from behind `after` on.
std::vector<stored_hold> open(transaction&, std::size_t limit, std::optional<hold_id> after = {});
/// How many of each open status.
std::map<hold_status, std::int64_t> open_counts(transaction&);

void keep_response(transaction&, const kept_response&);        // in place of one kept before
std::optional<kept_response> response(transaction&, hold_id);  // none when never kept or expired
std::size_t remove_expired_responses(transaction&);

}  // namespace hold_store
}  // namespace sallyport::storage
