#include "storage/hold_store.hpp"

#include "storage/hold_json.hpp"
#include "storage/hold_rows.hpp"
#include "storage/replica_store.hpp"
#include "storage/sql.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

namespace sallyport::storage {

std::string hold_cursor::text() const { return std::to_string(created_at.time_since_epoch().count()) + '.' + id.text(); }

std::optional<hold_cursor> hold_cursor::parse(std::string_view written) noexcept
{
    std::int64_t micros = 0;
    const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), micros);
    // Times that PostgreSQL can read: the years 1 to 9999.
    if (error != std::errc{} || micros < -62'135'596'800'000'000 || micros > 253'402'300'799'999'999) return std::nullopt;
    written.remove_prefix(static_cast<std::size_t>(end - written.data()));
    if (!written.starts_with('.')) return std::nullopt;
    const auto id = hold_id::parse(written.substr(1));
    if (!id) return std::nullopt;
    return hold_cursor{time_point(duration(micros)), *id};
}

namespace hold_store {
namespace {

// What stored_of() reads, of `holds AS h JOIN actions AS a`. One statement has one snapshot, so that a hold and its
// decisions agree; a statement that locks may see a newer row than its snapshot, therefore locking comes before.
#define STORED_COLUMNS                                                                                                                     \
    "h.id, h.action, h.agent, h.owner, h.route, h.alike, h.status, h.version, h.reasons, h.demands, "                                      \
    "(SELECT coalesce(json_agg(json_build_object('id', d.id, 'person', d.person, 'kind', d.kind, 'reason', d.reason, "                     \
    "                                            'assurance', d.assurance, 'at', (extract(epoch FROM d.at) * 1000000)::bigint, "           \
    "                                            'counts_in', d.counts_in, 'in_place_of', d.in_place_of, "                                 \
    "                                            'break_glass', d.break_glass, 'grant', d.grant_terms, 'fast', d.fast) "                   \
    "                          ORDER BY d.at, d.id), '[]'::json) "                                                                         \
    "   FROM decisions AS d WHERE d.hold = h.id AND d.taken_back_at IS NULL), "                                                            \
    "h.created_at, h.expires_at, h.decided_at, h.closed_at, h.wake_at, h.release_by, h.attempts, h.detail, h.maybe_sent, "                 \
    "h.outcome_status, h.outcome_at, h.granted_by, "                                                                                       \
    "a.task, a.policy, a.method, a.scheme, a.authority, a.target, a.request_host, a.request_target, a.content_digest, a.digest, "          \
    "a.content_length, "                                                                                                                   \
    "a.media_type, a.rules, a.idempotency_key, a.created_at, statement_timestamp()"
#define STORED_FROM " FROM holds AS h JOIN actions AS a ON a.id = h.action "

const statement get_hold{"get_hold", "SELECT " STORED_COLUMNS ", CASE WHEN $2 THEN a.sealed_payload END" STORED_FROM "WHERE h.id = $1"};
const statement lock_hold{"lock_hold", "SELECT 1 FROM holds WHERE id = $1 FOR UPDATE"};
const statement hold_by_key{"hold_by_key",
                            "SELECT " STORED_COLUMNS ", NULL::bytea" STORED_FROM "WHERE a.agent = $1 AND a.idempotency_key = $2"};
// In the order of the ids given.
const statement get_holds{"get_holds",
                          "SELECT " STORED_COLUMNS ", CASE WHEN $2 THEN a.sealed_payload END" STORED_FROM
                          "JOIN unnest($1::text[]) WITH ORDINALITY AS wanted (id, place) ON wanted.id = h.id ORDER BY wanted.place"};

const statement advance_hold{"advance_hold", R"(
    UPDATE holds
       SET status = $3, demands = $4, decided_at = $5, closed_at = $6, wake_at = $7, release_by = $8, attempts = $9, detail = $10,
           outcome_status = $11, outcome_at = $12, retry_at = $13, maybe_sent = maybe_sent OR $15, version = version + 1,
           claimed_by = CASE WHEN $3 = 'releasing' THEN coalesce(claimed_by, $14) END
     WHERE id = $1 AND version = $2 AND ($14::text IS NULL OR claimed_by IS NULL OR claimed_by = $14))"};

const statement insert_decision{"insert_decision", R"(
    INSERT INTO decisions (id, hold, person, kind, reason, assurance, at, counts_in, in_place_of, break_glass, grant_terms, fast)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12))"};
const statement take_decision_back{"take_decision_back", R"(
    UPDATE decisions SET taken_back_at = statement_timestamp() WHERE id = $1 AND hold = $2 AND taken_back_at IS NULL)"};

const statement hold_agent_still{"hold_agent_still", R"(
    SELECT a.id FROM agents AS a JOIN holds AS h ON h.agent = a.id WHERE h.id = $1 FOR KEY SHARE OF a)"};
// One row an agent, made by whoever asks first: of two transactions that ask who approved last, the second waits until the first
// has said so. It comes before the hold's own lock, so that the clock by which a hold was decided goes the same way as the turns.
const statement take_turn{"take_turn", R"(
    INSERT INTO approval_turns (agent) SELECT h.agent FROM holds AS h WHERE h.id = $1 AND strpos(h.demands::text, '"last-approver"') > 0
    ON CONFLICT (agent) DO UPDATE SET agent = excluded.agent)"};
const statement read_last_approver{"read_last_approver", R"(
    SELECT d.person FROM holds AS h JOIN decisions AS d ON d.hold = h.id
     WHERE h.agent = $1 AND h.id IS DISTINCT FROM $3 AND h.decided_at IS NOT NULL AND h.status <> 'denied'
       AND d.kind = 'approve' AND d.taken_back_at IS NULL
       AND EXISTS (SELECT 1 FROM unnest(d.counts_in) AS entry WHERE split_part(entry, '/', 1) = $2)
     ORDER BY h.decided_at DESC, d.at DESC, d.id DESC LIMIT 1)"};

const statement lock_due_holds{"lock_due_holds", R"(
    SELECT id FROM holds
     WHERE wake_at <= statement_timestamp() AND id <> ALL ($2::text[]) AND ($3::text IS NULL OR id = $3)
     ORDER BY wake_at, id LIMIT $1 FOR UPDATE SKIP LOCKED)"};
const statement read_next_wake{"read_next_wake", "SELECT min(wake_at) FROM holds WHERE wake_at IS NOT NULL"};

static_assert(replica_store::dead_after_seconds == 10, "the statements below say so too");
#define CLAIMER_LIVES                                                                                                                      \
    " EXISTS (SELECT 1 FROM replicas AS r WHERE r.id = h.claimed_by AND r.ended_at IS NULL"                                                \
    "            AND (r.heartbeat_at > statement_timestamp() - interval '10 seconds'"                                                      \
    "                 OR pg_postmaster_start_time() > statement_timestamp() - interval '10 seconds'))"

const statement claim_holds{"claim_holds", R"(
    WITH free AS (
        SELECT h.id, h.decided_at FROM holds AS h
         WHERE h.status = 'approved' AND (h.retry_at IS NULL OR h.retry_at <= statement_timestamp())
           AND (h.claimed_by IS NULL OR NOT)" CLAIMER_LIVES R"()
           AND h.id <> ALL ($3::text[]) AND ($4::text IS NULL OR h.id = $4)
         ORDER BY h.decided_at, h.id
         LIMIT $2
           FOR UPDATE OF h SKIP LOCKED),
    claimed AS (UPDATE holds AS h SET claimed_by = $1, retry_at = NULL FROM free WHERE h.id = free.id RETURNING h.id, free.decided_at)
    SELECT id FROM claimed ORDER BY decided_at, id)"};
const statement unclaim_hold{"unclaim_hold", R"(
    UPDATE holds SET claimed_by = NULL, retry_at = $3 WHERE id = $1 AND claimed_by = $2 AND status = 'approved')"};
const statement unclaim_holds{"unclaim_holds", "UPDATE holds SET claimed_by = NULL WHERE claimed_by = $1 AND status = 'approved'"};
const statement read_next_claimable{"read_next_claimable", R"(
    SELECT min(coalesce(retry_at, decided_at)) FROM holds WHERE status = 'approved' AND claimed_by IS NULL)"};
const statement lock_abandoned_holds{"lock_abandoned_holds", R"(
    SELECT h.id FROM holds AS h
     WHERE h.status = 'releasing' AND h.claimed_by <> $1 AND NOT)" CLAIMER_LIVES R"(
       AND h.id <> ALL ($3::text[]) AND ($4::text IS NULL OR h.id = $4)
     ORDER BY h.decided_at, h.id LIMIT $2 FOR UPDATE OF h SKIP LOCKED)"};
const statement lock_own_releasing{"lock_own_releasing", R"(
    SELECT h.id FROM holds AS h
     WHERE h.status = 'releasing' AND h.claimed_by = $1 AND h.id <> ALL ($3::text[]) AND ($4::text IS NULL OR h.id = $4)
     ORDER BY h.decided_at, h.id LIMIT $2 FOR UPDATE OF h SKIP LOCKED)"};

const statement list_holds{"list_holds", "SELECT " STORED_COLUMNS ", CASE WHEN $8 THEN a.sealed_payload END" STORED_FROM R"(
      JOIN agents AS g ON g.id = h.agent
     WHERE ($1::text[] IS NULL OR h.status = ANY ($1)) AND ($2::text IS NULL OR h.agent = $2) AND ($3::text IS NULL OR h.route = $3)
       AND ($4::text IS NULL OR strpos(h.search, lower($4)) > 0 OR strpos(g.name, lower($4)) > 0)
       AND ($5::timestamptz IS NULL OR (h.created_at, h.id) < ($5, $6::text))
     ORDER BY h.created_at DESC, h.id DESC LIMIT $7)"};
// Apart from the others, so that it always goes by its own index.
const statement list_alike{"list_alike", "SELECT " STORED_COLUMNS ", CASE WHEN $5 THEN a.sealed_payload END" STORED_FROM R"(
     WHERE h.alike = $1 AND ($2::text[] IS NULL OR h.status = ANY ($2))
       AND ($3::timestamptz IS NULL OR (h.created_at, h.id) < ($3, $4::text))
     ORDER BY h.created_at DESC, h.id DESC LIMIT $6)"};
const statement match_holds{"match_holds", R"(
    SELECT h.id FROM holds AS h JOIN agents AS g ON g.id = h.agent
     WHERE h.id = ANY ($1::text[]) AND (strpos(h.search, lower($2)) > 0 OR strpos(g.name, lower($2)) > 0))"};
const statement read_payloads_of{"read_payloads_of", R"(
    SELECT id, sealed_payload FROM actions WHERE id = ANY ($1::text[]) AND sealed_payload IS NOT NULL)"};
const statement list_open_of_agent{"list_open_of_agent", "SELECT " STORED_COLUMNS ", NULL::bytea" STORED_FROM R"(
     WHERE h.agent = $1 AND h.closed_at IS NULL AND ($2::text IS NULL OR h.id > $2) ORDER BY h.id LIMIT $3)"};
const statement list_open{"list_open", "SELECT " STORED_COLUMNS ", NULL::bytea" STORED_FROM R"(
     WHERE h.closed_at IS NULL AND ($1::text IS NULL OR h.id > $1) ORDER BY h.id LIMIT $2)"};
const statement count_by_status{"count_by_status", "SELECT status, count(*) FROM holds WHERE closed_at IS NULL GROUP BY status"};

const statement put_response{"put_response", R"(
    INSERT INTO responses (hold, status, headers, sealed_body, expires_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (hold) DO UPDATE SET status = excluded.status, headers = excluded.headers, sealed_body = excluded.sealed_body,
                                     expires_at = excluded.expires_at)"};
const statement find_response{"find_response", R"(
    SELECT hold, status, headers, sealed_body, expires_at FROM responses WHERE hold = $1 AND expires_at > statement_timestamp())"};
const statement drop_expired_responses{"drop_expired_responses", "DELETE FROM responses WHERE expires_at <= statement_timestamp()"};

owner_name owner_of(std::string_view text)
{
    constexpr std::string_view team = "team:";
    if (text.starts_with(team)) return {owner_name::kind::team, std::string(text.substr(team.size()))};
    return {owner_name::kind::person, std::string(text)};
}

stored_hold stored_of(reader& r)
{
    stored_hold s;
    hold& h = s.hold;
    h.id = r.id<hold_id>();
    h.action = r.id<action_id>();
    h.agent = r.id<agent_id>();
    h.owner = owner_of(r.view());
    h.route = r.text();
    h.alike = r.text();
    h.status = r.named(hold_status_named);
    h.version = r.number();
    h.reasons = read_reasons(r.view());
    h.demands = read_demands(r.view());
    h.decisions = read_decisions(r.view());
    h.created_at = r.time();
    h.expires_at = r.time();
    h.decided_at = r.maybe_time();
    h.closed_at = r.maybe_time();
    h.wake_at = r.maybe_time();
    h.release_by = r.maybe_time();
    h.attempts = static_cast<int>(r.number());
    h.detail = r.text();
    h.maybe_sent = r.flag();
    const auto outcome_status = r.maybe_number();
    const auto outcome_at = r.maybe_time();
    if (outcome_status && outcome_at) h.outcome = hold_outcome{static_cast<int>(*outcome_status), *outcome_at};
    h.grant = r.maybe_id<grant_id>();

    action_record& a = s.action;
    a.id = h.action;
    a.agent = h.agent;
    a.route = h.route;
    a.task = r.text_or_empty();
    a.policy = r.text();
    a.method = r.text();
    a.scheme = r.text_or_empty();
    a.authority = r.text();
    a.target = r.text();
    a.request_host = r.text();
    a.request_target = r.text();
    a.content_digest = r.text_or_empty();
    a.digest = r.text();
    a.content_length = r.number();
    a.media_type = r.text();
    a.rules = r.text();
    a.idempotency_key = r.text_or_empty();
    a.created_at = r.time();
    s.now = r.time();
    a.sealed_payload = r.bytes_or_empty();
    return s;
}

void read_precedents(transaction& tx, hold& h, const std::optional<hold_id>& but)
{
    for (demand& d : h.demands)
        if (d.excludes_last_approver())
            d.last_approval = demand::precedent{
                first_row(run(tx, read_last_approver, h.agent, d.asks.name, but), [](reader& r) { return r.id<person_id>(); })};
}

std::vector<stored_hold> read_all(transaction& tx, const pqxx::result& rows)
{
    auto all = all_rows(rows, stored_of);
    for (stored_hold& h : all)
        if (h.hold.status == hold_status::held) read_precedents(tx, h.hold, h.hold.id);
    if (!all.empty()) tx.state().now = all.back().now;
    return all;
}

std::optional<stored_hold> read_one(transaction& tx, const pqxx::result& rows)
{
    auto found = first_row(rows, stored_of);
    if (found && found->hold.status == hold_status::held) read_precedents(tx, found->hold, found->hold.id);
    if (found) tx.state().now = found->now;
    return found;
}

std::vector<hold_id> ids_of(const pqxx::result& rows)
{
    return all_rows(rows, [](reader& r) { return r.id<hold_id>(); });
}

}  // namespace

void write_decision(transaction& tx, hold_id of, const decision& d)
{
    run(tx, insert_decision, d.id, of, d.by, name_of(d.kind), d.reason, name_of(d.assurance), d.at, array_of(d.counts_in),
        array_of(d.in_place_of), d.break_glass, or_null(d.grant), d.fast);
}

std::optional<stored_hold> get(transaction& tx, hold_id id, payload with)
{
    return read_one(tx, run(tx, get_hold, id, with == payload::read));
}

std::vector<stored_hold> get(transaction& tx, std::span<const hold_id> ids)
{
    if (ids.empty()) return {};
    return read_all(tx, run(tx, get_holds, array_of(ids), false));
}

void read_payloads(transaction& tx, std::span<stored_hold> holds)
{
    if (holds.empty()) return;
    array_literal wanted;
    std::map<action_id, action_record*> places;
    for (stored_hold& h : holds) {
        wanted.add(h.action.id);
        places.emplace(h.action.id, &h.action);
    }
    for (const pqxx::row& row : run(tx, read_payloads_of, wanted.text())) {
        reader r(row);
        const auto id = r.id<action_id>();
        places.at(id)->sealed_payload = r.bytes();
    }
}

std::optional<stored_hold> get_for_update(transaction& tx, hold_id id, payload with)
{
    if (run(tx, lock_hold, id).empty()) return std::nullopt;
    return get(tx, id, with);
}

std::optional<stored_hold> get_to_decide(transaction& tx, hold_id id)
{
    // Agents come before grants and holds: a suspension that runs beside this sees the grant that an approval leaves, or voids the hold first.
    run(tx, hold_agent_still, id);
    run(tx, take_turn, id);
    return get_for_update(tx, id);
}

void read_last_approvals(transaction& tx, hold& fresh) { read_precedents(tx, fresh, std::nullopt); }

std::optional<stored_hold> find_by_key(transaction& tx, agent_id agent, std::string_view idempotency_key)
{
    return read_one(tx, run(tx, hold_by_key, agent, idempotency_key));
}

race advance(transaction& tx, const hold& read, const hold& next, const advance_options& options)
{
    const auto outcome_status = next.outcome ? std::optional(next.outcome->status) : std::nullopt;
    const auto outcome_at = next.outcome ? std::optional(next.outcome->at) : std::nullopt;
    if (change(tx, advance_hold, read.id, read.version, name_of(next.status), demands_text(next.demands), next.decided_at, next.closed_at,
               next.wake_at, next.release_by, next.attempts, next.detail, outcome_status, outcome_at, options.retry_at,
               or_null(options.claimed_by), next.maybe_sent) == 0)
        return race::lost;

    const auto has = [](const hold& h, decision_id id) {
        return std::any_of(h.decisions.begin(), h.decisions.end(), [&](const decision& d) { return d.id == id; });
    };
    // First those that go: the same person may have decided anew.
    for (const auto& d : read.decisions)
        if (!has(next, d.id)) run(tx, take_decision_back, d.id, read.id);
    for (const auto& d : next.decisions)
        if (!has(read, d.id)) write_decision(tx, read.id, d);
    tx.notify(hold_channel, read.id.text());
    return race::won;
}

std::vector<hold_id> lock_due(transaction& tx, const pick& p)
{
    return ids_of(run(tx, lock_due_holds, p.limit, array_of(p.except), p.only));
}

std::vector<hold_id> claim(transaction& tx, std::string_view replica, const pick& p)
{
    return ids_of(run(tx, claim_holds, replica, p.limit, array_of(p.except), p.only));
}

std::vector<hold_id> lock_abandoned(transaction& tx, std::string_view replica, const pick& p)
{
    return ids_of(run(tx, lock_abandoned_holds, replica, p.limit, array_of(p.except), p.only));
}

std::vector<hold_id> lock_releasing(transaction& tx, std::string_view replica, const pick& p)
{
    return ids_of(run(tx, lock_own_releasing, replica, p.limit, array_of(p.except), p.only));
}

// A statement after that of the locks, so that it sees what those who had them have written.
std::vector<stored_hold> read_locked(transaction& tx, std::span<const hold_id> ids, payload with)
{
    if (ids.empty()) return {};
    return read_all(tx, run(tx, get_holds, array_of(ids), with == payload::read));
}

std::optional<time_point> next_wake(transaction& tx)
{
    return first_row(run(tx, read_next_wake), [](reader& r) { return r.maybe_time(); }).value();
}

void unclaim(transaction& tx, hold_id id, std::string_view replica, std::optional<time_point> retry_at)
{
    run(tx, unclaim_hold, id, replica, retry_at);
}

void unclaim_all(transaction& tx, std::string_view replica) { run(tx, unclaim_holds, replica); }

std::optional<time_point> next_claimable(transaction& tx)
{
    return first_row(run(tx, read_next_claimable), [](reader& r) { return r.maybe_time(); }).value();
}

std::vector<stored_hold> list(transaction& tx, const hold_query& q)
{
    std::optional<std::string> statuses;
    if (!q.status.empty()) {
        array_literal names;
        for (const auto s : q.status) names.add(name_of(s));
        statuses = names.text();
    }
    const auto before = q.cursor ? std::optional(q.cursor->created_at) : std::nullopt;
    const auto before_id = q.cursor ? std::optional(q.cursor->id) : std::nullopt;
    if (!q.alike.empty())
        return read_all(
            tx, run(tx, list_alike, q.alike, statuses, before, before_id, q.payload == payload::read, std::min<std::size_t>(q.limit, 100)));
    return read_all(tx, run(tx, list_holds, statuses, q.agent, or_null(q.route), or_null(q.q), before, before_id,
                            std::min<std::size_t>(q.limit, 100), q.payload == payload::read));
}

std::vector<hold_id> matching(transaction& tx, std::span<const hold_id> ids, std::string_view q)
{
    if (ids.empty()) return {};
    return all_rows(run(tx, match_holds, array_of(ids), q), [](reader& r) { return r.id<hold_id>(); });
}

std::vector<stored_hold> open_of_agent(transaction& tx, agent_id agent, std::size_t limit, std::optional<hold_id> after)
{
    return read_all(tx, run(tx, list_open_of_agent, agent, after, limit));
}

std::vector<stored_hold> open(transaction& tx, std::size_t limit, std::optional<hold_id> after)
{
    return read_all(tx, run(tx, list_open, after, limit));
}

std::map<hold_status, std::int64_t> open_counts(transaction& tx)
{
    std::map<hold_status, std::int64_t> counts;
    for (const pqxx::row& row : run(tx, count_by_status)) {
        reader r(row);
        const auto status = r.named(hold_status_named);
        counts[status] = r.number();
    }
    return counts;
}

void keep_response(transaction& tx, const kept_response& k)
{
    run(tx, put_response, k.hold, k.status, k.headers, as_bytes{k.sealed_body}, k.expires_at);
}

std::optional<kept_response> response(transaction& tx, hold_id id)
{
    return first_row(run(tx, find_response, id), [](reader& r) {
        kept_response k;
        k.hold = r.id<hold_id>();
        k.status = static_cast<int>(r.number());
        k.headers = r.text();
        k.sealed_body = r.bytes();
        k.expires_at = r.time();
        return k;
    });
}

std::size_t remove_expired_responses(transaction& tx) { return change(tx, drop_expired_responses); }

}  // namespace hold_store
}  // namespace sallyport::storage
