// hold_store::create: a batch of new holds, as one statement of arrays.
#include "storage/hold_json.hpp"
#include "storage/hold_rows.hpp"
#include "storage/hold_store.hpp"
#include "storage/sql.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>

namespace sallyport::storage::hold_store {
namespace {

constexpr std::size_t most_payload_at_once = 8 * 1024 * 1024;

// KEY SHARE: who suspends an agent, or disables its last owner, waits for the holds that are being made for it, and finds
// them to void.
const statement share_agents{"share_agents", "SELECT id FROM agents WHERE id = ANY ($1::text[]) ORDER BY id FOR KEY SHARE"};
// After those locks, in a statement of its own: its snapshot has what whoever had them before has written.
const statement count_open_of{"count_open_of", R"(
    SELECT g.id, (SELECT count(*) FROM holds AS h WHERE h.agent = g.id AND h.closed_at IS NULL)
      FROM agents AS g
     WHERE g.id = ANY ($1::text[]) AND g.status = 'active'
       AND (EXISTS (SELECT 1 FROM people AS p WHERE p.handle = g.owner_person AND p.status = 'active')
            OR EXISTS (SELECT 1 FROM team_members AS m JOIN people AS p ON p.id = m.person
                        WHERE m.team = g.owner_team AND p.status = 'active')))"};
const statement count_open{"count_open", R"(
    SELECT count(*) FROM (SELECT 1 FROM holds WHERE closed_at IS NULL LIMIT $1) AS open)"};

const statement find_keys{"find_keys", R"(
    SELECT given.place, a.id, h.id, a.method, a.authority, a.target, a.content_digest
      FROM unnest($1::bigint[], $2::text[], $3::text[]) AS given (place, agent, key)
      JOIN actions AS a ON a.agent = given.agent AND a.idempotency_key = given.key
      JOIN holds AS h ON h.action = a.id)"};

// Payloads come as one value, of which each takes its part: an array of them would double their size on the way.
// Ordered by key, so that two batches with the same keys do not wait for each other.
const statement insert_holds{"insert_holds", R"(
    WITH given AS MATERIALIZED (
        SELECT id, action, agent, owner, route, status, version, reasons, demands, created_at, expires_at, decided_at, closed_at, wake_at,
               release_by, attempts, detail, search, task, policy, method, authority, target, request_host, request_target, content_digest,
               digest, content_length, media_type, rules, idempotency_key, action_created_at, payload_at, payload_length, scheme,
               granted_by, alike
          FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::text[],
                      $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[], $14::timestamptz[], $15::timestamptz[],
                      $16::int[], $17::text[], $18::text[], $19::text[], $20::text[], $21::text[], $22::text[], $23::text[], $24::text[],
                      $25::text[], $26::text[], $27::text[], $28::bigint[], $29::text[], $30::text[], $31::text[], $32::timestamptz[],
                      $33::int[], $34::int[], $36::text[], $37::text[], $38::text[])
               AS given (id, action, agent, owner, route, status, version, reasons, demands, created_at, expires_at, decided_at, closed_at,
                         wake_at, release_by, attempts, detail, search, task, policy, method, authority, target, request_host,
                         request_target, content_digest, digest, content_length, media_type, rules, idempotency_key, action_created_at,
                         payload_at, payload_length, scheme, granted_by, alike)),
    acted AS (
        INSERT INTO actions (id, agent, task, route, policy, method, authority, target, request_host, request_target, content_digest,
                             digest, content_length, media_type, sealed_payload, rules, idempotency_key, created_at, scheme)
        SELECT action, agent, task::json, route, policy, method, authority, target, request_host, request_target, content_digest, digest,
               content_length, media_type,
               CASE WHEN payload_length > 0 THEN substring($35::bytea FROM payload_at FOR payload_length) END,
               rules::json, idempotency_key, action_created_at, scheme
          FROM given ORDER BY agent, idempotency_key
        ON CONFLICT (agent, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
        RETURNING id),
    held AS (
        INSERT INTO holds (id, action, agent, owner, route, status, version, reasons, demands, created_at, expires_at, decided_at, closed_at,
                           wake_at, release_by, attempts, detail, search, granted_by, alike)
        SELECT given.id, action, agent, owner, route, status, version, reasons::json, demands::json, created_at, expires_at, decided_at,
               closed_at, wake_at, release_by, attempts, detail, lower(search), granted_by, alike
          FROM given JOIN acted ON acted.id = given.action)
    SELECT id FROM acted)"};

// Part of a batch, as arrays.
struct batch_columns {
    array_literal id, action, agent, owner, route, status, version, reasons, demands, created_at, expires_at, decided_at, closed_at,
        wake_at, release_by, attempts, detail, search, task, policy, method, authority, target, request_host, request_target,
        content_digest, digest, content_length, media_type, rules, idempotency_key, action_created_at, payload_at, payload_length, scheme,
        granted_by, alike;
    std::string payload;

    void add(const new_hold& n)
    {
        const hold& h = n.hold;
        const action_record& a = n.action;
        id.add(h.id);
        action.add(a.id);
        agent.add(a.agent);
        owner.add(std::string_view(h.owner.text()));
        route.add(h.route);
        alike.add(h.alike);
        status.add(name_of(h.status));
        version.add(h.version);
        reasons.add(std::string_view(reasons_text(h.reasons)));
        demands.add(std::string_view(demands_text(h.demands)));
        created_at.add(h.created_at);
        expires_at.add(h.expires_at);
        decided_at.add(h.decided_at);
        closed_at.add(h.closed_at);
        wake_at.add(h.wake_at);
        release_by.add(h.release_by);
        attempts.add(std::int64_t{h.attempts});
        detail.add(h.detail);
        search.add(std::string_view(search_text(h, a.method, a.target)));
        task.add_or_null(a.task);
        policy.add(a.policy);
        method.add(a.method);
        scheme.add_or_null(a.scheme);
        authority.add(a.authority);
        target.add(a.target);
        request_host.add(a.request_host);
        request_target.add(a.request_target);
        content_digest.add_or_null(a.content_digest);
        digest.add(a.digest);
        content_length.add(a.content_length);
        media_type.add(a.media_type);
        rules.add(std::string_view(a.rules.empty() ? "[]" : a.rules));
        idempotency_key.add_or_null(a.idempotency_key);
        action_created_at.add(a.created_at);
        granted_by.add(h.grant);
        payload_at.add(static_cast<std::int64_t>(payload.size()) + 1);  // SQL counts from 1
        payload_length.add(static_cast<std::int64_t>(a.sealed_payload.size()));
        payload += a.sealed_payload;
    }

    pqxx::result insert(transaction& tx) const
    {
        return run(tx, insert_holds, id.text(), action.text(), agent.text(), owner.text(), route.text(), status.text(), version.text(),
                   reasons.text(), demands.text(), created_at.text(), expires_at.text(), decided_at.text(), closed_at.text(),
                   wake_at.text(), release_by.text(), attempts.text(), detail.text(), search.text(), task.text(), policy.text(),
                   method.text(), authority.text(), target.text(), request_host.text(), request_target.text(), content_digest.text(),
                   digest.text(), content_length.text(), media_type.text(), rules.text(), idempotency_key.text(), action_created_at.text(),
                   payload_at.text(), payload_length.text(), as_bytes{payload}, scheme.text(), granted_by.text(), alike.text());
    }
};

created same_or_conflict(const action_record& asked, reader& r)
{
    created c;
    c.action = r.id<action_id>();
    c.hold = r.id<hold_id>();
    const bool same =
        r.text() == asked.method && r.text() == asked.authority && r.text() == asked.target && r.text_or_empty() == asked.content_digest;
    if (same) {
        c.what = created::kind::same;
    } else {
        c = created();
        c.what = created::kind::conflict;
    }
    return c;
}

// Answers the places whose key is known already.
void answer_known_keys(transaction& tx, std::span<const new_hold> all, const std::vector<std::size_t>& places,
                       std::vector<created>& answers, std::vector<bool>& answered)
{
    array_literal numbers, agents, keys;
    bool any = false;
    for (const auto i : places) {
        if (all[i].action.idempotency_key.empty()) continue;
        any = true;
        numbers.add(static_cast<std::int64_t>(i));
        agents.add(all[i].action.agent);
        keys.add(all[i].action.idempotency_key);
    }
    if (!any) return;
    for (const pqxx::row& row : run(tx, find_keys, numbers.text(), agents.text(), keys.text())) {
        reader r(row);
        const auto i = static_cast<std::size_t>(r.number());
        answers.at(i) = same_or_conflict(all[i].action, r);
        answered.at(i) = true;
    }
}

// How many more holds there may be.
class room {
public:
    room(transaction& tx, std::span<const new_hold> all, const std::vector<std::size_t>& places, const open_limits& limits)
        : limits_(limits)
    {
        if (limits.all > 0) left_ = limits.all - first_row(run(tx, count_open, limits.all), [](reader& r) { return r.number(); }).value();
        std::vector<agent_id> agents;
        for (const auto i : places) agents.push_back(all[i].action.agent);
        std::sort(agents.begin(), agents.end());
        agents.erase(std::unique(agents.begin(), agents.end()), agents.end());
        run(tx, share_agents, array_of(agents));
        for (const pqxx::row& row : run(tx, count_open_of, array_of(agents))) {
            reader r(row);
            const auto agent = r.id<agent_id>();
            open_[agent] = r.number();
        }
    }

    created::kind take(agent_id agent)
    {
        const auto of = open_.find(agent);
        if (of == open_.end()) return created::kind::inactive;
        if (limits_.all > 0 && left_ <= 0) return created::kind::overloaded;
        if (limits_.per_agent > 0 && of->second >= limits_.per_agent) return created::kind::overloaded;
        --left_;
        ++of->second;
        return created::kind::created;
    }

private:
    open_limits limits_;
    std::int64_t left_ = 0;
    std::map<agent_id, std::int64_t> open_;
};

}  // namespace

std::vector<created> create(transaction& tx, std::span<const new_hold> all, const open_limits& limits)
{
    std::vector<created> answers(all.size());
    std::vector<bool> answered(all.size(), false);
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < all.size(); ++i) open.push_back(i);
    answer_known_keys(tx, all, open, answers, answered);
    std::erase_if(open, [&](std::size_t i) { return answered[i]; });
    if (open.empty()) return answers;

    room left(tx, all, open, limits);
    std::vector<std::size_t> inserting;
    std::map<std::pair<agent_id, std::string_view>, std::size_t> first_of_key;
    for (const auto i : open) {
        const action_record& a = all[i].action;
        // A key twice in this batch: the second is answered by what becomes of the first.
        if (!a.idempotency_key.empty() && !first_of_key.try_emplace({a.agent, a.idempotency_key}, i).second) continue;
        answers[i].what = left.take(a.agent);
        answered[i] = true;
        if (answers[i].what == created::kind::created) inserting.push_back(i);
    }

    std::vector<std::string> made;
    for (std::size_t from = 0; from < inserting.size();) {
        batch_columns columns;
        do columns.add(all[inserting[from++]]);
        while (from < inserting.size() && columns.payload.size() < most_payload_at_once);
        for (const pqxx::row& row : columns.insert(tx)) made.push_back(reader(row).text());
    }
    std::sort(made.begin(), made.end());

    std::vector<audit_entry> record;
    std::vector<outbox_entry> tell;
    for (const auto i : inserting) {
        const new_hold& n = all[i];
        if (!std::binary_search(made.begin(), made.end(), n.action.id.text())) {
            answered[i] = false;  // somebody else's transaction had that key first
            continue;
        }
        answers[i].hold = n.hold.id;
        answers[i].action = n.action.id;
        for (const auto& d : n.hold.decisions) write_decision(tx, n.hold.id, d);
        record.insert(record.end(), n.record.begin(), n.record.end());
        tell.insert(tell.end(), n.tell.begin(), n.tell.end());
        tx.notify(hold_channel, n.hold.id.text());
    }
    audit_store::append(tx, record);
    outbox_store::enqueue(tx, tell);

    std::vector<std::size_t> left_over;
    for (const auto i : open)
        if (!answered[i]) left_over.push_back(i);
    if (!left_over.empty()) {
        answer_known_keys(tx, all, left_over, answers, answered);
        for (const auto i : left_over) {
            if (answered[i]) continue;
            // The first with that key in this batch was not made (overloaded, inactive): nor is this one.
            const auto first = first_of_key.find({all[i].action.agent, all[i].action.idempotency_key});
            if (first == first_of_key.end() || first->second == i) throw std::runtime_error("an action was neither written nor found");
            answers[i] = answers[first->second];
        }
    }
    return answers;
}

}  // namespace sallyport::storage::hold_store
