#include "storage/agent_store.hpp"

#include "storage/directory_store.hpp"
#include "storage/sql.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <map>
#include <string>

namespace sallyport::storage::agent_store {
namespace {

// The columns that agent_of() reads.
#define AGENT_COLUMNS "id, name, class, owner_person, owner_team, status, purpose, scopes, labels, created_at, last_seen_at"

const statement insert_agent{"insert_agent", R"(
    INSERT INTO agents (id, name, class, owner_person, owner_team, status, purpose, scopes, labels, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT (name) DO NOTHING)"};

// Locked, so that the owner cannot go between this and the insertion.
const statement find_owning_person{"find_owning_person", "SELECT 1 FROM people WHERE handle = $1 FOR KEY SHARE"};
const statement find_owning_team{"find_owning_team", "SELECT 1 FROM teams WHERE name = $1 FOR KEY SHARE"};

const statement insert_agent_key{"insert_agent_key", R"(
    INSERT INTO agent_keys (agent, kid, jwk, not_after) VALUES ($1, $2, $3, $4)
    ON CONFLICT (agent, kid) DO UPDATE SET jwk = excluded.jwk, not_after = excluded.not_after)"};

const statement list_agents{"list_agents", "SELECT " AGENT_COLUMNS " FROM agents ORDER BY name"};
const statement agent_by_name{"agent_by_name", "SELECT " AGENT_COLUMNS " FROM agents WHERE name = $1"};
const statement agent_by_id{"agent_by_id", "SELECT " AGENT_COLUMNS " FROM agents WHERE id = $1"};
const statement lock_agent{"lock_agent", "SELECT " AGENT_COLUMNS " FROM agents WHERE id = $1 FOR UPDATE"};
const statement lock_agents{"lock_agents", "SELECT id FROM agents WHERE id = ANY ($1::text[]) ORDER BY id FOR UPDATE"};
const statement list_agent_keys{"list_agent_keys", "SELECT agent, kid, jwk, not_after FROM agent_keys ORDER BY agent, added_at, kid"};
const statement keys_of_agent{"keys_of_agent", "SELECT agent, kid, jwk, not_after FROM agent_keys WHERE agent = $1 ORDER BY added_at, kid"};

const statement set_agent_status{"set_agent_status", "UPDATE agents SET status = $2 WHERE id = $1"};

const statement drop_agent_keys{"drop_agent_keys", "DELETE FROM agent_keys WHERE agent = $1 AND kid <> $2"};
// One that was to end earlier still does.
const statement end_agent_keys{"end_agent_keys", R"(
    UPDATE agent_keys SET not_after = least(not_after, $3::timestamptz) WHERE agent = $1 AND kid <> $2)"};
const statement forget_ended_keys{"forget_ended_keys", R"(
    DELETE FROM agent_keys WHERE agent = $1 AND not_after <= statement_timestamp())"};

// Ordered, so that two replicas that touch the same agents at once do not deadlock.
const statement touch_agents{"touch_agents", R"(
    WITH seen AS (
        SELECT a.id, s.at
          FROM (SELECT id, max(at) AS at FROM unnest($1::text[], $2::timestamptz[]) AS given (id, at) GROUP BY id) AS s
          JOIN agents AS a ON a.id = s.id
         WHERE a.last_seen_at IS NULL OR a.last_seen_at < s.at
         ORDER BY a.id
           FOR NO KEY UPDATE OF a)
    UPDATE agents SET last_seen_at = greatest(agents.last_seen_at, seen.at) FROM seen WHERE agents.id = seen.id)"};

const statement agents_owned_by{"agents_owned_by", R"(
    SELECT id FROM agents WHERE owner_person = $1::text OR owner_team = $2::text ORDER BY name)"};

std::string labels_text(const std::map<std::string, std::string>& labels)
{
    boost::json::object object;
    for (const auto& [key, value] : labels) object[key] = value;
    return boost::json::serialize(object);
}

agent agent_of(reader& r)
{
    agent a;
    a.id = r.id<agent_id>();
    a.name = r.text();
    a.cls = r.named(agent_class_named);
    const auto person = r.text_or_empty(), team = r.text_or_empty();
    a.owner = person.empty() ? owner_name{owner_name::kind::team, team} : owner_name{owner_name::kind::person, person};
    a.status = r.named(agent_status_named);
    a.purpose = r.text();
    a.scopes = r.texts();
    const auto labels = boost::json::parse(r.text());
    for (const auto& [key, value] : labels.as_object()) a.labels.emplace(key, std::string(value.as_string()));
    a.created_at = r.time();
    a.last_seen_at = r.maybe_time();
    return a;
}

struct owned_key {
    agent_id agent;
    agent_key key;
};
owned_key key_of(reader& r)
{
    const auto owner = r.id<agent_id>();
    auto kid = r.text();
    auto jwk = r.text();
    return {owner, {std::move(kid), std::move(jwk), r.maybe_time()}};
}

std::optional<agent> with_keys(transaction& tx, std::optional<agent> found)
{
    if (found)
        for (auto& [owner, key] : all_rows(run(tx, keys_of_agent, found->id), key_of)) found->keys.push_back(std::move(key));
    return found;
}

result<agent> locked(transaction& tx, agent_id id)
{
    auto found = first_row(run(tx, lock_agent, id), agent_of);
    if (!found) return fail(problem::not_found, "There is no such agent.");
    if (found->status == agent_status::revoked)
        return fail(problem::conflict, "The agent " + found->name + " is revoked, which is for ever.");
    return std::move(*found);
}

}  // namespace

result<void> add(transaction& tx, const agent& a)
{
    const bool of_team = a.owner.kind == owner_name::kind::team;
    if (run(tx, of_team ? find_owning_team : find_owning_person, a.owner.name).empty())
        return fail(problem::invalid_input,
                    "There is no " + std::string(of_team ? "team " : "person ") + a.owner.name + " to own the agent.");
    const auto person = of_team ? std::nullopt : std::optional(a.owner.name);
    const auto team = of_team ? std::optional(a.owner.name) : std::nullopt;
    if (change(tx, insert_agent, a.id, a.name, name_of(a.cls), person, team, name_of(a.status), a.purpose, array_of(a.scopes),
               labels_text(a.labels), a.created_at) == 0)
        return fail(problem::conflict, "There is an agent " + a.name + " already.");
    for (const auto& key : a.keys) run(tx, insert_agent_key, a.id, key.kid, key.jwk, key.not_after);
    directory_store::changed(tx);
    return {};
}

std::vector<agent> list(transaction& tx)
{
    auto all = all_rows(run(tx, list_agents), agent_of);
    std::map<agent_id, std::vector<agent_key>> keys;
    for (auto& [owner, key] : all_rows(run(tx, list_agent_keys), key_of)) keys[owner].push_back(std::move(key));
    for (auto& a : all)
        if (const auto of = keys.find(a.id); of != keys.end()) a.keys = std::move(of->second);
    return all;
}

std::optional<agent> by_name(transaction& tx, std::string_view name)
{
    return with_keys(tx, first_row(run(tx, agent_by_name, name), agent_of));
}
std::optional<agent> by_id(transaction& tx, agent_id id) { return with_keys(tx, first_row(run(tx, agent_by_id, id), agent_of)); }

result<agent> set_status(transaction& tx, agent_id id, agent_status status)
{
    auto found = locked(tx, id);
    if (!found) return found.error();
    run(tx, set_agent_status, id, name_of(status));
    directory_store::changed(tx);
    found->status = status;
    return std::move(*with_keys(tx, std::move(*found)));
}

result<agent> replace_keys(transaction& tx, agent_id id, const agent_key& key, std::optional<time_point> old_until)
{
    auto found = locked(tx, id);
    if (!found) return found.error();
    if (old_until) {
        run(tx, forget_ended_keys, id);
        run(tx, end_agent_keys, id, key.kid, *old_until);
    } else {
        run(tx, drop_agent_keys, id, key.kid);
    }
    run(tx, insert_agent_key, id, key.kid, key.jwk, key.not_after);
    directory_store::changed(tx);
    return std::move(*with_keys(tx, std::move(*found)));
}

void touch(transaction& tx, std::span<const seen> all)
{
    if (all.empty()) return;
    array_literal ids, times;
    for (const auto& s : all) {
        ids.add(s.agent);
        times.add(s.at);
    }
    run(tx, touch_agents, ids.text(), times.text());
}

void lock(transaction& tx, std::span<const agent_id> agents)
{
    if (!agents.empty()) run(tx, lock_agents, array_of(agents));
}

std::vector<agent_id> owned_by(transaction& tx, const owner_name& owner)
{
    const bool of_team = owner.kind == owner_name::kind::team;
    return all_rows(
        run(tx, agents_owned_by, of_team ? std::nullopt : std::optional(owner.name), of_team ? std::optional(owner.name) : std::nullopt),
        [](reader& r) { return r.id<agent_id>(); });
}

}  // namespace sallyport::storage::agent_store
