#include "storage/audit_store.hpp"

#include "storage/sql.hpp"

#include <algorithm>
#include <limits>

namespace sallyport::storage::audit_store {
namespace {

const statement append_audit{"append_audit", R"(
    INSERT INTO audit_pending (at, kind, action, hold, agent, person, data)
    SELECT at, kind, action, hold, agent, person, data
      FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[]) WITH ORDINALITY
           AS given (at, kind, action, hold, agent, person, data, place)
     ORDER BY place)"};

// SKIP LOCKED: a second integrator leaves the work to the first.
const statement lock_audit_head{"lock_audit_head", "SELECT size, tree, checkpoint, origin FROM audit_head FOR UPDATE SKIP LOCKED"};
const statement wait_for_audit_head{"wait_for_audit_head", "SELECT size, tree, checkpoint, origin FROM audit_head FOR UPDATE"};
const statement read_audit_head{"read_audit_head", "SELECT size, tree, checkpoint, origin FROM audit_head"};
const statement move_audit_head{"move_audit_head", "UPDATE audit_head SET size = $1, tree = $2, checkpoint = $3"};

const statement take_pending{"take_pending", R"(
    WITH oldest AS (SELECT id FROM audit_pending ORDER BY id LIMIT $1),
         taken AS (DELETE FROM audit_pending AS p USING oldest WHERE p.id = oldest.id
                   RETURNING p.id, p.at, p.kind, p.action, p.hold, p.agent, p.person, p.data)
    SELECT -1, at, kind, action, hold, agent, person, data FROM taken ORDER BY id)"};
// The data as one run of bytes that is cut here: as an array's elements each would be quoted, and read again by the character.
// Times as numbers, for the same reason.
const statement insert_entries{"insert_entries", R"(
    INSERT INTO audit_log (index, at, kind, action, hold, agent, person, data)
    SELECT $1::bigint + place - 1, timestamptz 'epoch' + at * interval '1 microsecond', kind, action, hold, agent, person,
           convert_from(substr($9::bytea, start, length), 'UTF8')
      FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::integer[], $10::integer[])
           WITH ORDINALITY AS given (at, kind, action, hold, agent, person, start, length, place))"};
const statement count_pending{"count_pending", "SELECT count(*) FROM audit_pending"};

// A statement for what is asked for and one for each direction, so that a plan made without the values goes by an index;
// the other conditions are looked at in what it finds. The first that is given in this order has the fewest entries.
#define AUDIT_COLUMNS "index, at, kind, action, hold, agent, person, data"
#define AUDIT_FILTER                                                                                                                       \
    " ($1::timestamptz IS NULL OR at >= $1) AND ($2::timestamptz IS NULL OR at < $2) AND ($3::text IS NULL OR kind = $3)"                  \
    " AND ($4::text IS NULL OR action = $4) AND ($5::text IS NULL OR hold = $5) AND ($6::text IS NULL OR agent = $6)"                      \
    " AND ($7::text IS NULL OR person = $7)"
struct both_ways {
    statement newest, oldest;
};
// clang-format off
#define LIST_AUDIT(name, where)                                                                                                            \
    const both_ways name{                                                                                                                  \
        {"newest_" #name, "SELECT " AUDIT_COLUMNS " FROM audit_log WHERE index < $8 AND " where " AND" AUDIT_FILTER                        \
                          " ORDER BY index DESC LIMIT $9"},                                                                                \
        {"oldest_" #name, "SELECT " AUDIT_COLUMNS " FROM audit_log WHERE index > $8 AND " where " AND" AUDIT_FILTER                        \
                          " ORDER BY index LIMIT $9"}}
// clang-format on
LIST_AUDIT(of_action, "action = $4");
LIST_AUDIT(of_hold, "hold = $5");
LIST_AUDIT(of_person, "person = $7");
LIST_AUDIT(of_rare_kind, "kind = $3 AND kind <> 'verdict'");
LIST_AUDIT(of_agent, "agent = $6");
LIST_AUDIT(of_all, "true");
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
    return e;
}

audit_head head_of(reader& r)
{
    audit_head h;
    h.size = r.number();
    h.tree = r.bytes();
    h.checkpoint = r.text();
    h.origin = r.text();
    return h;
}

// The head is locked.
void put_at_end(transaction& tx, audit_head& head, std::span<audit_entry> entries, const head_maker& make)
{
    const std::int64_t first = head.size;
    array_literal at, kind, action, hold, agent, person, start, length;
    std::string data;
    data.reserve(entries.size() * 512);
    for (auto& e : entries) {
        e.index = head.size++;
        at.add(e.at.time_since_epoch().count());
        kind.add(e.kind);
        action.add(e.action);
        hold.add(e.hold);
        agent.add(e.agent);
        person.add(e.person);
        start.add(static_cast<std::int64_t>(data.size()) + 1);
        length.add(static_cast<std::int64_t>(e.data.size()));
        data += e.data;
    }
    if (make) make(head, entries);
    run(tx, insert_entries, first, at.text(), kind.text(), action.text(), hold.text(), agent.text(), person.text(), start.text(),
        as_bytes{data}, length.text());
    run(tx, move_audit_head, head.size, as_bytes{head.tree}, head.checkpoint);
}

const both_ways& list_for(const audit_query& q)
{
    if (q.action) return of_action;
    if (q.hold) return of_hold;
    if (q.person) return of_person;
    if (!q.kind.empty() && q.kind != "verdict") return of_rare_kind;
    return q.agent ? of_agent : of_all;
}

}  // namespace

void append(transaction& tx, std::span<const audit_entry> entries)
{
    if (entries.empty()) return;
    array_literal at, kind, action, hold, agent, person, data;
    for (const auto& e : entries) {
        at.add(e.at);
        kind.add(e.kind);
        action.add(e.action);
        hold.add(e.hold);
        agent.add(e.agent);
        person.add(e.person);
        data.add(e.data);
    }
    run(tx, append_audit, at.text(), kind.text(), action.text(), hold.text(), agent.text(), person.text(), data.text());
}

std::vector<audit_entry> integrate(transaction& tx, std::size_t limit, const head_maker& make, at_head when_taken)
{
    auto head = first_row(run(tx, when_taken == at_head::wait ? wait_for_audit_head : lock_audit_head), head_of);
    if (!head) return {};
    auto entries = all_rows(run(tx, take_pending, limit), entry_of);
    if (!entries.empty()) put_at_end(tx, *head, entries, make);
    return entries;
}

void append_to_log(transaction& tx, std::span<audit_entry> entries, const head_maker& make)
{
    if (entries.empty()) return;
    auto head = head_for_update(tx);
    put_at_end(tx, head, entries, make);
}

audit_head head_for_update(transaction& tx) { return first_row(run(tx, wait_for_audit_head), head_of).value(); }

void put_tree(transaction& tx, const audit_head& head) { run(tx, move_audit_head, head.size, as_bytes{head.tree}, head.checkpoint); }

audit_head head(transaction& tx) { return first_row(run(tx, read_audit_head), head_of).value(); }

std::int64_t pending(transaction& tx)
{
    return first_row(run(tx, count_pending), [](reader& r) { return r.number(); }).value();
}

std::vector<audit_entry> list(transaction& tx, const audit_query& q)
{
    const both_ways& by = list_for(q);
    const auto from = q.cursor.value_or(q.oldest_first ? -1 : std::numeric_limits<std::int64_t>::max());
    return all_rows(run(tx, q.oldest_first ? by.oldest : by.newest, q.since, q.until, or_null(q.kind), q.action, q.hold, q.agent, q.person,
                        from, std::min<std::size_t>(q.limit, 1000)),
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
