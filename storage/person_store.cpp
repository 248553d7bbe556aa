#include "storage/person_store.hpp"

#include "storage/directory_store.hpp"
#include "storage/sql.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

namespace sallyport::storage::person_store {
namespace {

// What person_of() reads, of a table `p`.
#define PERSON_COLUMNS                                                                                                                     \
    "p.id, p.handle, p.name, p.email, p.roles, "                                                                                           \
    "ARRAY(SELECT m.team::text FROM team_members AS m WHERE m.person = p.id ORDER BY m.team), p.status, "                                  \
    "EXISTS (SELECT 1 FROM passkeys AS k WHERE k.person = p.id), "                                                                         \
    "EXISTS (SELECT 1 FROM oidc_identities AS o WHERE o.person = p.id), p.created_at, p.labels, "                                          \
    "(SELECT a.from_at FROM absences AS a WHERE a.person = p.id AND a.until_at > statement_timestamp()), "                                 \
    "(SELECT a.until_at FROM absences AS a WHERE a.person = p.id AND a.until_at > statement_timestamp()), "                                \
    "(SELECT d.handle FROM absences AS a JOIN people AS d ON d.id = a.deputy WHERE a.person = p.id)"

const statement list_people{"list_people", "SELECT " PERSON_COLUMNS " FROM people AS p ORDER BY p.handle"};
const statement person_by_handle{"person_by_handle", "SELECT " PERSON_COLUMNS " FROM people AS p WHERE p.handle = $1"};
const statement person_by_id{"person_by_id", "SELECT " PERSON_COLUMNS " FROM people AS p WHERE p.id = $1"};
// Case counts for no letter beyond ASCII: what some alphabet calls the same letter may be another mailbox.
const statement people_by_email{"people_by_email", "SELECT " PERSON_COLUMNS R"( FROM people AS p
     WHERE lower(p.email COLLATE "C") = lower($1::text COLLATE "C") AND p.status = 'active' ORDER BY p.handle)"};
// No key: two people who name each other as deputy at once must not wait for each other.
const statement lock_person{"lock_person", "SELECT id, status FROM people WHERE handle = $1 FOR NO KEY UPDATE"};

const statement insert_person{"insert_person", R"(
    INSERT INTO people (id, handle, name, email, roles, status, created_at)
    VALUES ($1, $2, $3, $4, $5, 'active', statement_timestamp())
    ON CONFLICT (handle) DO NOTHING)"};
const statement update_person{"update_person", R"(
    UPDATE people SET name = coalesce($2, name), email = coalesce($3, email), roles = coalesce($4::text[], roles) WHERE id = $1)"};
const statement set_person_status{"set_person_status", "UPDATE people SET status = $2 WHERE id = $1"};

const statement set_person_labels{"set_person_labels", "UPDATE people SET labels = $2::json WHERE id = $1"};
const statement put_absence{"put_absence", R"(
    INSERT INTO absences (person, from_at, until_at, deputy) VALUES ($1, $2, $3, $4)
    ON CONFLICT (person) DO UPDATE SET from_at = excluded.from_at, until_at = excluded.until_at, deputy = excluded.deputy)"};
const statement drop_absence{"drop_absence", "DELETE FROM absences WHERE person = $1 RETURNING until_at > statement_timestamp()"};

const statement void_enrolments{"void_enrolments", R"(
    UPDATE enrolments SET ended_at = statement_timestamp() WHERE person = $1 AND ended_at IS NULL)"};
const statement insert_enrolment{"insert_enrolment", "INSERT INTO enrolments (code_hash, person, expires_at) VALUES ($1, $2, $3)"};
const statement find_open_enrolment{"find_open_enrolment", "SELECT " PERSON_COLUMNS R"(, e.expires_at
      FROM enrolments AS e JOIN people AS p ON p.id = e.person
     WHERE e.code_hash = $1 AND e.ended_at IS NULL AND e.expires_at > statement_timestamp() AND p.status = 'active')"};
const statement end_enrolment{"end_enrolment", R"(
    UPDATE enrolments AS e SET ended_at = statement_timestamp()
      FROM people AS p
     WHERE e.code_hash = $1 AND e.ended_at IS NULL AND e.expires_at > statement_timestamp() AND p.id = e.person AND p.status = 'active')"};

const statement drop_passkeys{"drop_passkeys", "DELETE FROM passkeys WHERE person = $1"};
const statement drop_sessions{"drop_sessions", R"(
    WITH told AS (DELETE FROM push_subscriptions WHERE person = $1)
    DELETE FROM sessions WHERE person = $1)"};
const statement drop_identities{"drop_identities", "DELETE FROM oidc_identities WHERE person = $1"};

const statement insert_team{"insert_team", "INSERT INTO teams (name) VALUES ($1) ON CONFLICT (name) DO NOTHING"};
const statement lock_team{"lock_team", "SELECT 1 FROM teams WHERE name = $1 FOR UPDATE"};
const statement agents_of_team{"agents_of_team", "SELECT string_agg(name, ', ' ORDER BY name) FROM agents WHERE owner_team = $1"};
const statement delete_team{"delete_team", "DELETE FROM teams WHERE name = $1"};
const statement hold_team{"hold_team", "SELECT 1 FROM teams WHERE name = $1 FOR KEY SHARE"};
const statement join_person{"join_person", R"(
    INSERT INTO team_members (team, person) VALUES ($1, $2) ON CONFLICT (team, person) DO NOTHING)"};
const statement leave_person{"leave_person", "DELETE FROM team_members WHERE team = $1 AND person = $2"};
const statement list_teams{"list_teams", R"(
    SELECT t.name, ARRAY(SELECT p.handle::text FROM team_members AS m JOIN people AS p ON p.id = m.person
                          WHERE m.team = t.name ORDER BY p.handle)
      FROM teams AS t ORDER BY t.name)"};
const statement team_by_name{"team_by_name", R"(
    SELECT t.name, ARRAY(SELECT p.handle::text FROM team_members AS m JOIN people AS p ON p.id = m.person
                          WHERE m.team = t.name ORDER BY p.handle)
      FROM teams AS t WHERE t.name = $1)"};

person person_of(reader& r)
{
    person p;
    p.id = r.id<person_id>();
    p.handle = r.text();
    p.name = r.text();
    p.email = r.text();
    for (const auto& name : r.texts()) {
        const auto known = role_named(name);
        if (!known) throw std::runtime_error("a word in the database is not of our vocabulary");
        p.roles.push_back(*known);
    }
    p.teams = r.texts();
    p.status = r.named(person_status_named);
    p.has_passkey = r.flag();
    p.has_account = r.flag();
    p.created_at = r.time();
    const auto labels = boost::json::parse(r.view());
    for (const auto& [key, value] : labels.as_object()) p.labels.emplace(key, std::string(value.as_string()));
    const auto from = r.maybe_time();
    const auto until = r.maybe_time();
    std::string deputy = r.text_or_empty();
    if (from && until) p.away = absence{*from, *until, std::move(deputy)};
    return p;
}

team team_of(reader& r)
{
    team t;
    t.name = r.text();
    t.members = r.texts();
    return t;
}

std::optional<std::string> roles_text(const std::vector<role>& roles)
{
    if (roles.empty()) return std::nullopt;
    array_literal names;
    for (const role r : roles) names.add(name_of(r));
    return names.text();
}

struct locked_person {
    person_id id;
    person_status status;
};
std::optional<locked_person> lock_handle(transaction& tx, std::string_view handle)
{
    return first_row(run(tx, lock_person, handle), [](reader& r) {
        const auto id = r.id<person_id>();
        return locked_person{id, r.named(person_status_named)};
    });
}

constexpr std::size_t most_labels = 50;

failure no_person(std::string_view handle) { return fail(problem::not_found, "There is no person " + std::string(handle) + "."); }
failure no_team(std::string_view name) { return fail(problem::not_found, "There is no team " + std::string(name) + "."); }

}  // namespace

result<invited> invite(transaction& tx, const invitation& i)
{
    const std::string approver = "{" + std::string(name_of(role::approver)) + "}";
    const bool known = change(tx, insert_person, i.id, i.handle, i.name, i.email, roles_text(i.roles).value_or(approver)) == 0;
    const auto who = lock_handle(tx, i.handle).value();
    if (known) {
        if (who.status == person_status::disabled) return fail(problem::conflict, i.handle + " is disabled: enable them first.");
        run(tx, update_person, who.id, or_null(i.name), or_null(i.email), roles_text(i.roles));
        run(tx, void_enrolments, who.id);
    }
    if (i.reset) {
        run(tx, drop_passkeys, who.id);
        run(tx, drop_sessions, who.id);
        run(tx, drop_identities, who.id);
    }
    run(tx, insert_enrolment, as_bytes{i.code_hash}, who.id, i.expires_at);
    directory_store::changed(tx);
    return invited{by_id(tx, who.id).value(), known};
}

std::vector<person> list(transaction& tx) { return all_rows(run(tx, list_people), person_of); }
std::optional<person> by_handle(transaction& tx, std::string_view handle)
{
    return first_row(run(tx, person_by_handle, handle), person_of);
}
std::vector<person> active_by_email(transaction& tx, std::string_view email)
{
    return all_rows(run(tx, people_by_email, email), person_of);
}
std::optional<person> by_id(transaction& tx, person_id id) { return first_row(run(tx, person_by_id, id), person_of); }

result<person> set_status(transaction& tx, std::string_view handle, person_status status)
{
    const auto who = lock_handle(tx, handle);
    if (!who) return no_person(handle);
    run(tx, set_person_status, who->id, name_of(status));
    if (status == person_status::disabled) {
        run(tx, drop_sessions, who->id);
        run(tx, void_enrolments, who->id);
    }
    directory_store::changed(tx);
    return by_id(tx, who->id).value();
}

result<person> set_labels(transaction& tx, std::string_view handle, const std::map<std::string, std::string>& set,
                          const std::vector<std::string>& remove)
{
    if (!lock_handle(tx, handle)) return no_person(handle);
    person who = by_handle(tx, handle).value();
    for (const std::string& key : remove) who.labels.erase(key);
    for (const auto& [key, value] : set) who.labels[key] = value;
    if (who.labels.size() > most_labels) return fail(problem::invalid_input, "A person has at most 50 labels.");
    boost::json::object object;
    for (const auto& [key, value] : who.labels) object[key] = value;
    run(tx, set_person_labels, who.id, boost::json::serialize(object));
    directory_store::changed(tx);
    return who;
}

result<person> set_absence(transaction& tx, std::string_view handle, const absence& away)
{
    const auto who = lock_handle(tx, handle);
    if (!who) return no_person(handle);
    if (away.until <= away.from) return fail(problem::invalid_input, "An absence ends after it begins.");
    if (away.until <= tx.now()) return fail(problem::invalid_input, "That absence is over already.");
    std::optional<person_id> deputy;
    if (!away.deputy.empty()) {
        const auto other = by_handle(tx, away.deputy);
        if (!other) return no_person(away.deputy);
        if (other->id == who->id) return fail(problem::invalid_input, "Nobody is their own deputy.");
        if (other->status != person_status::active || !other->has(role::approver))
            return fail(problem::conflict, away.deputy + " is no active approver, so nobody's deputy.");
        deputy = other->id;
    }
    run(tx, put_absence, who->id, away.from, away.until, deputy);
    directory_store::changed(tx);
    return by_id(tx, who->id).value();
}

result<person> end_absence(transaction& tx, std::string_view handle)
{
    const auto who = lock_handle(tx, handle);
    if (!who) return no_person(handle);
    const auto ended = first_row(run(tx, drop_absence, who->id), [](reader& r) { return r.flag(); });
    if (!ended.value_or(false)) return fail(problem::not_found, std::string(handle) + " is not away.");
    directory_store::changed(tx);
    return by_id(tx, who->id).value();
}

result<void> add_team(transaction& tx, std::string_view name)
{
    if (change(tx, insert_team, name) == 0) return fail(problem::conflict, "There is a team " + std::string(name) + " already.");
    directory_store::changed(tx);
    return {};
}

result<void> remove_team(transaction& tx, std::string_view name)
{
    if (run(tx, lock_team, name).empty()) return no_team(name);
    if (const auto agents = first_row(run(tx, agents_of_team, name), [](reader& r) { return r.text_or_empty(); });
        agents && !agents->empty())
        return fail(problem::conflict, "The team " + std::string(name) + " owns agents: " + *agents + ".");
    run(tx, delete_team, name);
    directory_store::changed(tx);
    return {};
}

result<bool> join_team(transaction& tx, std::string_view team, std::string_view handle)
{
    if (run(tx, hold_team, team).empty()) return no_team(team);
    const auto who = by_handle(tx, handle);
    if (!who) return no_person(handle);
    if (change(tx, join_person, team, who->id) == 0) return false;
    directory_store::changed(tx);
    return true;
}

result<bool> leave_team(transaction& tx, std::string_view team, std::string_view handle)
{
    if (run(tx, hold_team, team).empty()) return no_team(team);
    const auto who = by_handle(tx, handle);
    if (!who) return no_person(handle);
    if (change(tx, leave_person, team, who->id) == 0) return false;
    directory_store::changed(tx);
    return true;
}

std::vector<team> teams(transaction& tx) { return all_rows(run(tx, list_teams), team_of); }
std::optional<team> team_named(transaction& tx, std::string_view name) { return first_row(run(tx, team_by_name, name), team_of); }

std::optional<enrolment> find_enrolment(transaction& tx, std::string_view code_hash)
{
    return first_row(run(tx, find_open_enrolment, as_bytes{code_hash}), [](reader& r) {
        auto who = person_of(r);
        return enrolment{std::move(who), r.time()};
    });
}

race spend_enrolment(transaction& tx, std::string_view code_hash)
{
    return change(tx, end_enrolment, as_bytes{code_hash}) == 1 ? race::won : race::lost;
}

}  // namespace sallyport::storage::person_store
