#include "storage/outbox_store.hpp"

#include "storage/sql.hpp"

namespace sallyport::storage::outbox_store {
namespace {

#define OUTBOX_COLUMNS "id, key, channel, hold, person, payload, state, attempts, message_ref, last_error, next_at, created_at"

const statement enqueue_messages{"enqueue_messages", R"(
    INSERT INTO outbox (key, channel, hold, person, payload, next_at, created_at)
    SELECT key, channel, hold, person, payload, statement_timestamp(), statement_timestamp()
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY
           AS given (key, channel, hold, person, payload, place)
     ORDER BY place
    ON CONFLICT (key) DO NOTHING)"};

const statement due_messages{"due_messages", R"(
    WITH taken AS (
        SELECT id FROM outbox
         WHERE state = 'pending' AND channel = $1 AND next_at <= statement_timestamp()
         ORDER BY next_at, id
         LIMIT $2
           FOR UPDATE SKIP LOCKED),
    moved AS (
        UPDATE outbox AS o SET attempts = o.attempts + 1, next_at = statement_timestamp() + $3::bigint * interval '1 microsecond'
          FROM taken WHERE o.id = taken.id
        RETURNING o.id, o.key, o.channel, o.hold, o.person, o.payload, o.state, o.attempts, o.message_ref, o.last_error, o.next_at, o.created_at)
    SELECT )" OUTBOX_COLUMNS " FROM moved ORDER BY id"};

const statement message_sent{"message_sent", R"(
    UPDATE outbox SET state = 'sent', message_ref = $2, last_error = '' WHERE id = $1 AND state = 'pending')"};
const statement message_again{"message_again", R"(
    UPDATE outbox SET next_at = $2, last_error = $3 WHERE id = $1 AND state = 'pending')"};
const statement message_dead{"message_dead", "UPDATE outbox SET state = 'dead', last_error = $2 WHERE id = $1 AND state = 'pending'"};
const statement message_revive{"message_revive", R"(
    UPDATE outbox SET state = 'pending', next_at = statement_timestamp(), attempts = 0 WHERE id = $1 AND state = 'dead')"};

const statement messages_of_hold{"messages_of_hold", "SELECT " OUTBOX_COLUMNS " FROM outbox WHERE hold = $1 ORDER BY id"};
const statement dead_messages{"dead_messages", "SELECT " OUTBOX_COLUMNS " FROM outbox WHERE state = 'dead' ORDER BY id DESC LIMIT $1"};
const statement pending_messages{"pending_messages", R"(
    SELECT channel, count(*) FROM outbox WHERE state = 'pending' GROUP BY channel)"};
const statement next_message{"next_message", "SELECT min(next_at) FROM outbox WHERE state = 'pending'"};
const statement drop_sent_messages{"drop_sent_messages", "DELETE FROM outbox WHERE state = 'sent' AND created_at < $1"};

std::optional<outbox_state> state_named(std::string_view name)
{
    if (name == "pending") return outbox_state::pending;
    if (name == "sent") return outbox_state::sent;
    if (name == "dead") return outbox_state::dead;
    return std::nullopt;
}

outbox_entry entry_of(reader& r)
{
    outbox_entry e;
    e.id = r.number();
    e.key = r.text();
    e.channel = r.text();
    e.hold = r.maybe_id<hold_id>();
    e.person = r.maybe_id<person_id>();
    e.payload = r.text();
    e.state = r.named(state_named);
    e.attempts = static_cast<int>(r.number());
    e.message_ref = r.text();
    e.last_error = r.text();
    e.next_at = r.time();
    e.created_at = r.time();
    return e;
}

race of(std::size_t changed) { return changed == 1 ? race::won : race::lost; }

}  // namespace

std::size_t enqueue(transaction& tx, std::span<const outbox_entry> entries)
{
    if (entries.empty()) return 0;
    array_literal keys, channels, holds, people, payloads;
    for (const auto& e : entries) {
        keys.add(e.key);
        channels.add(e.channel);
        holds.add(e.hold);
        people.add(e.person);
        payloads.add(e.payload);
    }
    return change(tx, enqueue_messages, keys.text(), channels.text(), holds.text(), people.text(), payloads.text());
}

std::vector<outbox_entry> due(transaction& tx, std::string_view channel, std::size_t limit, duration lease)
{
    return all_rows(run(tx, due_messages, channel, limit, lease.count()), entry_of);
}

race sent(transaction& tx, std::int64_t id, std::string_view message_ref) { return of(change(tx, message_sent, id, message_ref)); }
race again(transaction& tx, std::int64_t id, time_point next_at, std::string_view error)
{
    return of(change(tx, message_again, id, next_at, error));
}
race dead(transaction& tx, std::int64_t id, std::string_view error) { return of(change(tx, message_dead, id, error)); }
race revive(transaction& tx, std::int64_t id) { return of(change(tx, message_revive, id)); }

std::vector<outbox_entry> of_hold(transaction& tx, hold_id hold) { return all_rows(run(tx, messages_of_hold, hold), entry_of); }
std::vector<outbox_entry> dead_letters(transaction& tx, std::size_t limit) { return all_rows(run(tx, dead_messages, limit), entry_of); }

std::map<std::string, std::int64_t> pending(transaction& tx)
{
    std::map<std::string, std::int64_t> counts;
    for (const pqxx::row& row : run(tx, pending_messages)) {
        reader r(row);
        auto channel = r.text();
        counts[std::move(channel)] = r.number();
    }
    return counts;
}

std::optional<time_point> next_due(transaction& tx)
{
    return first_row(run(tx, next_message), [](reader& r) { return r.maybe_time(); }).value();
}

std::size_t remove_sent(transaction& tx, time_point before) { return change(tx, drop_sent_messages, before); }

}  // namespace sallyport::storage::outbox_store
