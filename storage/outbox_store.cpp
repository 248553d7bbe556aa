#include "storage/outbox_store.hpp"

#include "storage/sql.hpp"

namespace sallyport::storage {

std::string_view name_of(message_kind what) noexcept
{
    switch (what) {
    case message_kind::asked: return "asked";
    case message_kind::reminded: return "reminded";
    case message_kind::ended: return "ended";
    case message_kind::glass_broken: return "glass-broken";
    }
    return {};
}

namespace outbox_store {
namespace {

#define OUTBOX_COLUMNS "id, key, channel, hold, person, browser, payload, state, attempts, message_ref, last_error, next_at, created_at"

const statement enqueue_messages{"enqueue_messages", R"(
    INSERT INTO outbox (key, channel, hold, person, browser, payload, next_at, created_at)
    SELECT given.key || coalesce('/' || told.id, ''), given.channel, given.hold, given.person, told.id, given.payload,
           statement_timestamp(), statement_timestamp()
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY
           AS given (key, channel, hold, person, payload, place)
      LEFT JOIN push_subscriptions AS told ON given.channel = 'push' AND told.person = given.person
     WHERE given.channel <> 'push' OR told.id IS NOT NULL
     ORDER BY given.place, told.id
    ON CONFLICT (key) DO NOTHING)"};

// The key is made of the first one's, so that nobody is told of an end twice.
const statement enqueue_ended_messages{"enqueue_ended_messages", R"(
    INSERT INTO outbox (key, channel, hold, person, browser, payload, next_at, created_at)
    SELECT DISTINCT ON (channel, person, browser) key || '/ended', channel, hold, person, browser, 'ended',
           statement_timestamp(), statement_timestamp()
      FROM outbox
     WHERE hold = $1 AND payload = 'asked'
     ORDER BY channel, person, browser, id
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
        RETURNING o.id, o.key, o.channel, o.hold, o.person, o.browser, o.payload, o.state, o.attempts, o.message_ref, o.last_error,
                  o.next_at, o.created_at)
    SELECT )" OUTBOX_COLUMNS " FROM moved ORDER BY id"};

const statement message_sent{"message_sent", R"(
    UPDATE outbox SET state = 'sent', message_ref = $2, last_error = '' WHERE id = $1 AND state = 'pending')"};
const statement messages_sent{"messages_sent", R"(
    UPDATE outbox AS o SET state = 'sent', message_ref = done.message_ref, last_error = ''
      FROM unnest($1::bigint[], $2::text[]) AS done (id, message_ref)
     WHERE o.id = done.id AND o.state = 'pending')"};
const statement messages_given_back{"messages_given_back", R"(
    UPDATE outbox SET next_at = statement_timestamp(), attempts = greatest(attempts - 1, 0)
     WHERE id = ANY ($1::bigint[]) AND state = 'pending')"};
const statement message_again{"message_again", R"(
    UPDATE outbox SET next_at = $2, last_error = $3 WHERE id = $1 AND state = 'pending')"};
const statement message_put_off{"message_put_off", R"(
    UPDATE outbox SET next_at = $2, attempts = greatest(attempts - 1, 0) WHERE id = $1 AND state = 'pending')"};
const statement message_dead{"message_dead", "UPDATE outbox SET state = 'dead', last_error = $2 WHERE id = $1 AND state = 'pending'"};
const statement message_revive{"message_revive", R"(
    UPDATE outbox SET state = 'pending', next_at = statement_timestamp(), created_at = statement_timestamp(), attempts = 0
     WHERE id = $1 AND state = 'dead')"};

const statement message_skip{"message_skip", "UPDATE outbox SET state = 'skipped', last_error = $2 WHERE id = $1 AND state = 'pending'"};
const statement skip_other_channels{"skip_other_channels", R"(
    UPDATE outbox SET state = 'skipped', last_error = 'the channel is not configured'
     WHERE state = 'pending' AND channel <> ALL ($1::text[]) AND created_at <= $2)"};

const statement message_asked_before{"message_asked_before", "SELECT " OUTBOX_COLUMNS R"( FROM outbox
     WHERE hold = $1 AND channel = $2 AND person IS NOT DISTINCT FROM $3 AND browser IS NOT DISTINCT FROM $4 AND payload = 'asked'
     ORDER BY id DESC LIMIT 1)"};
const statement messages_of_hold{"messages_of_hold", "SELECT " OUTBOX_COLUMNS " FROM outbox WHERE hold = $1 ORDER BY id"};
const statement dead_messages{"dead_messages", "SELECT " OUTBOX_COLUMNS " FROM outbox WHERE state = 'dead' ORDER BY id DESC LIMIT $1"};
const statement count_messages{"count_messages", R"(
    SELECT channel, coalesce(waiting, 0), coalesce(dead, 0), oldest, failing_since, coalesce(last_error, ''), last_sent_at
      FROM (SELECT channel, count(*) FILTER (WHERE state = 'pending') AS waiting, count(*) FILTER (WHERE state = 'dead') AS dead,
                   min(created_at) FILTER (WHERE state = 'pending') AS oldest
              FROM outbox WHERE state IN ('pending', 'dead') GROUP BY channel) AS messages
      FULL JOIN channel_states USING (channel))"};
// Not with each message: replicas would wait for one another here.
const statement note_channel_sent{"note_channel_sent", R"(
    INSERT INTO channel_states AS s (channel, last_sent_at) VALUES ($1, statement_timestamp())
    ON CONFLICT (channel) DO UPDATE SET failing_since = NULL, last_error = '', last_sent_at = excluded.last_sent_at
     WHERE s.failing_since IS NOT NULL OR s.last_sent_at IS NULL OR s.last_sent_at < excluded.last_sent_at - interval '10 seconds')"};
const statement note_channel_failed{"note_channel_failed", R"(
    INSERT INTO channel_states AS s (channel, failing_since, last_error) VALUES ($1, statement_timestamp(), $2)
    ON CONFLICT (channel) DO UPDATE SET failing_since = coalesce(s.failing_since, excluded.failing_since), last_error = excluded.last_error
     WHERE s.failing_since IS NULL OR s.last_error <> excluded.last_error)"};
// Not those of holds that are open: their end is still to be told.
const statement drop_messages{"drop_messages", R"(
    DELETE FROM outbox WHERE id IN (
        SELECT o.id FROM outbox AS o LEFT JOIN holds AS h ON h.id = o.hold
         WHERE o.state <> 'pending' AND o.created_at < $1 AND (h.id IS NULL OR h.closed_at IS NOT NULL)
         ORDER BY o.created_at LIMIT $2))"};

std::optional<outbox_state> state_named(std::string_view name)
{
    if (name == "pending") return outbox_state::pending;
    if (name == "sent") return outbox_state::sent;
    if (name == "dead") return outbox_state::dead;
    if (name == "skipped") return outbox_state::skipped;
    return std::nullopt;
}

std::optional<message_kind> kind_named(std::string_view name)
{
    if (name == name_of(message_kind::asked)) return message_kind::asked;
    if (name == name_of(message_kind::reminded)) return message_kind::reminded;
    if (name == name_of(message_kind::ended)) return message_kind::ended;
    if (name == name_of(message_kind::glass_broken)) return message_kind::glass_broken;
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
    e.browser = r.text_or_empty();
    e.what = r.named(kind_named);
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
    array_literal keys, channels, holds, people, kinds;
    for (const auto& e : entries) {
        keys.add(e.key);
        channels.add(e.channel);
        holds.add(e.hold);
        people.add(e.person);
        kinds.add(name_of(e.what));
    }
    return change(tx, enqueue_messages, keys.text(), channels.text(), holds.text(), people.text(), kinds.text());
}

std::size_t enqueue_ended(transaction& tx, hold_id hold) { return change(tx, enqueue_ended_messages, hold); }

std::vector<outbox_entry> due(transaction& tx, std::string_view channel, std::size_t limit, duration lease)
{
    return all_rows(run(tx, due_messages, channel, limit, lease.count()), entry_of);
}

race sent(transaction& tx, std::int64_t id, std::string_view message_ref) { return of(change(tx, message_sent, id, message_ref)); }
std::size_t sent(transaction& tx, std::span<const sent_message> all)
{
    array_literal ids, refs;
    for (const sent_message& one : all) {
        ids.add(one.id);
        refs.add(one.message_ref);
    }
    return change(tx, messages_sent, ids.text(), refs.text());
}
std::size_t give_back(transaction& tx, std::span<const std::int64_t> ids) { return change(tx, messages_given_back, array_of(ids)); }
race again(transaction& tx, std::int64_t id, time_point next_at, std::string_view error)
{
    return of(change(tx, message_again, id, next_at, error));
}
race put_off(transaction& tx, std::int64_t id, time_point next_at) { return of(change(tx, message_put_off, id, next_at)); }
race dead(transaction& tx, std::int64_t id, std::string_view error) { return of(change(tx, message_dead, id, error)); }
race skip(transaction& tx, std::int64_t id, std::string_view why) { return of(change(tx, message_skip, id, why)); }
std::size_t skip_all_but(transaction& tx, std::span<const std::string> channels, time_point before)
{
    return change(tx, skip_other_channels, array_of(channels), before);
}
race revive(transaction& tx, std::int64_t id) { return of(change(tx, message_revive, id)); }

std::vector<outbox_entry> of_hold(transaction& tx, hold_id hold) { return all_rows(run(tx, messages_of_hold, hold), entry_of); }
std::vector<outbox_entry> dead_letters(transaction& tx, std::size_t limit) { return all_rows(run(tx, dead_messages, limit), entry_of); }

std::optional<outbox_entry> asked_before(transaction& tx, const outbox_entry& e)
{
    return first_row(run(tx, message_asked_before, e.hold, e.channel, e.person, or_null(e.browser)), entry_of);
}

std::map<std::string, channel_counts> counts(transaction& tx)
{
    std::map<std::string, channel_counts> all;
    for (const pqxx::row& row : run(tx, count_messages)) {
        reader r(row);
        auto& one = all[r.text()];
        one.pending = r.number();
        one.dead = r.number();
        one.oldest = r.maybe_time();
        one.failing_since = r.maybe_time();
        one.last_error = r.text();
        one.last_sent_at = r.maybe_time();
    }
    return all;
}

void note_sent(transaction& tx, std::string_view channel) { run(tx, note_channel_sent, channel); }
void note_failed(transaction& tx, std::string_view channel, std::string_view error) { run(tx, note_channel_failed, channel, error); }

std::size_t remove_over(transaction& tx, time_point before, std::size_t limit) { return change(tx, drop_messages, before, limit); }

}  // namespace outbox_store
}  // namespace sallyport::storage
