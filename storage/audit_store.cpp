#include "storage/audit_store.hpp"

#include "storage/sql.hpp"

#include <algorithm>

namespace sallyport::storage::audit_store {
namespace {

const statement append_audit{"append_audit", R"(
    INSERT INTO audit_pending (at, kind, action, hold, agent, person, data)
    SELECT at, kind, action, hold, agent, person, data
      FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[]) WITH ORDINALITY
           AS given (at, kind, action, hold, agent, person, data, place)
     ORDER BY place)"};

// SKIP LOCKED: a second integrator leaves the work to the first.
const statement lock_audit_head{"lock_audit_head", "SELECT size, tree, checkpoint FROM audit_head FOR UPDATE SKIP LOCKED"};
const statement wait_for_audit_head{"wait_for_audit_head", "SELECT size, tree, checkpoint FROM audit_head FOR UPDATE"};
const statement read_audit_head{"read_audit_head", "SELECT size, tree, checkpoint FROM audit_head"};
const statement move_audit_head{"move_audit_head", "UPDATE audit_head SET size = $1, tree = $2, checkpoint = $3"};

const statement take_pending{"take_pending", R"(
    WITH oldest AS (SELECT id FROM audit_pending ORDER BY id LIMIT $1),
         taken AS (DELETE FROM audit_pending AS p USING oldest WHERE p.id = oldest.id
                   RETURNING p.id, p.at, p.kind, p.action, p.hold, p.agent, p.person, p.data)
    SELECT -1, at, kind, action, hold, agent, person, data, NULL::bytea FROM taken ORDER BY id)"};
const statement insert_leaves{"insert_leaves", R"(
    INSERT INTO audit_log (index, at, kind, action, hold, agent, person, data, leaf_hash)
    SELECT index, at, kind, action, hold, agent, person, data, leaf_hash
      FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bytea[])
           AS given (index, at, kind, action, hold, agent, person, data, leaf_hash))"};
const statement count_pending{"count_pending", "SELECT count(*) FROM audit_pending"};

// Two statements: the order is no parameter.
#define AUDIT_COLUMNS "index, at, kind, action, hold, agent, person, data, leaf_hash"
#define AUDIT_FILTER                                                                                                                       \
    " ($1::timestamptz IS NULL OR at >= $1) AND ($2::timestamptz IS NULL OR at < $2) AND ($3::text IS NULL OR kind = $3)"                  \
    " AND ($4::text IS NULL OR action = $4) AND ($5::text IS NULL OR hold = $5) AND ($6::text IS NULL OR agent = $6)"                      \
    " AND ($7::text IS NULL OR person = $7)"
const statement newest_audit{"newest_audit", "SELECT " AUDIT_COLUMNS " FROM audit_log WHERE" AUDIT_FILTER
                                             " AND ($8::bigint IS NULL OR index < $8) ORDER BY index DESC LIMIT $9"};
const statement oldest_audit{"oldest_audit", "SELECT " AUDIT_COLUMNS " FROM audit_log WHERE" AUDIT_FILTER
                                             " AND ($8::bigint IS NULL OR index > $8) ORDER BY index LIMIT $9"};
const statement read_audit{"read_audit", "SELECT " AUDIT_COLUMNS R"( FROM audit_log
    WHERE index >= $1::bigint AND index < $1::bigint + $2::bigint ORDER BY index)"};

const statement read_journal{"read_journal", "SELECT position FROM journals WHERE id = $1"};
const statement begin_journal{"begin_journal", "INSERT INTO journals (id, position) VALUES ($1, 0) ON CONFLICT (id) DO NOTHING"};
const statement move_journal_position{"move_journal_position", "UPDATE journals SET position = $3 WHERE id = $1 AND position = $2"};

audit_entry entry_of(reader& r)
{
    audit_entry e;
    e.index = r.number();
    e.at = r.time();
    e.kind = r.text();
    e.action = r.maybe_id<action_id>();
    e.hold = r.maybe_id<hold_id>();
    e.agent = r.maybe_id<agent_id>();
    e.person = r.maybe_id<person_id>();
    e.data = r.text();
    e.leaf_hash = r.bytes_or_empty();
    return e;
}

audit_head head_of(reader& r)
{
    audit_head h;
    h.size = r.number();
    h.tree = r.bytes();
    h.checkpoint = r.text();
    return h;
}

// An array a column.
struct columns {
    array_literal index, at, kind, action, hold, agent, person, data, leaf;
    explicit columns(std::span<const audit_entry> entries)
    {
        for (const auto& e : entries) {
            index.add(e.index);
            at.add(e.at);
            kind.add(e.kind);
            action.add(e.action);
            hold.add(e.hold);
            agent.add(e.agent);
            person.add(e.person);
            data.add(e.data);
            if (e.leaf_hash.empty())
                leaf.add_null();
            else
                leaf.add_bytes(e.leaf_hash);
        }
    }
};

// The head is locked.
void put_at_end(transaction& tx, audit_head& head, std::span<audit_entry> entries, const leaf_hasher& hash, const head_maker& make)
{
    for (auto& e : entries) {
        e.index = head.size++;
        if (hash) e.leaf_hash = hash(e);
    }
    if (make) make(head, entries);
    const columns c(entries);
    run(tx, insert_leaves, c.index.text(), c.at.text(), c.kind.text(), c.action.text(), c.hold.text(), c.agent.text(), c.person.text(),
        c.data.text(), c.leaf.text());
    run(tx, move_audit_head, head.size, as_bytes{head.tree}, head.checkpoint);
}

}  // namespace

void append(transaction& tx, std::span<const audit_entry> entries)
{
    if (entries.empty()) return;
    const columns c(entries);
    run(tx, append_audit, c.at.text(), c.kind.text(), c.action.text(), c.hold.text(), c.agent.text(), c.person.text(), c.data.text());
}

std::vector<audit_entry> integrate(transaction& tx, std::size_t limit, const leaf_hasher& hash, const head_maker& make)
{
    auto head = first_row(run(tx, lock_audit_head), head_of);
    if (!head) return {};
    auto entries = all_rows(run(tx, take_pending, limit), entry_of);
    if (!entries.empty()) put_at_end(tx, *head, entries, hash, make);
    return entries;
}

void append_to_log(transaction& tx, std::span<audit_entry> entries, const leaf_hasher& hash, const head_maker& make)
{
    if (entries.empty()) return;
    auto head = first_row(run(tx, wait_for_audit_head), head_of).value();
    put_at_end(tx, head, entries, hash, make);
}

audit_head head(transaction& tx) { return first_row(run(tx, read_audit_head), head_of).value(); }

std::int64_t pending(transaction& tx)
{
    return first_row(run(tx, count_pending), [](reader& r) { return r.number(); }).value();
}

std::vector<audit_entry> list(transaction& tx, const audit_query& q)
{
    return all_rows(run(tx, q.oldest_first ? oldest_audit : newest_audit, q.since, q.until, or_null(q.kind), q.action, q.hold, q.agent,
                        q.person, q.cursor, std::min<std::size_t>(q.limit, 1000)),
                    entry_of);
}

std::vector<audit_entry> read(transaction& tx, std::int64_t from, std::size_t count)
{
    return all_rows(run(tx, read_audit, from, count), entry_of);
}

std::int64_t journal_position(transaction& tx, std::string_view journal)
{
    return first_row(run(tx, read_journal, journal), [](reader& r) { return r.number(); }).value_or(0);
}

race move_journal(transaction& tx, std::string_view journal, std::int64_t from, std::int64_t to)
{
    if (from == 0) run(tx, begin_journal, journal);
    return change(tx, move_journal_position, journal, from, to) == 1 ? race::won : race::lost;
}

}  // namespace sallyport::storage::audit_store
