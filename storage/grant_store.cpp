#include "storage/grant_store.hpp"

#include "storage/sql.hpp"

#include <algorithm>
#include <charconv>

namespace sallyport::storage {

grant_status grant_record::status() const noexcept
{
    if (revoked_at) return grant_status::revoked;
    if (used >= count) return grant_status::exhausted;
    return now >= expires_at ? grant_status::expired : grant_status::active;
}

std::string grant_cursor::text() const { return std::to_string(created_at.time_since_epoch().count()) + '.' + id.text(); }

std::optional<grant_cursor> grant_cursor::parse(std::string_view written) noexcept
{
    const auto point = written.find('.');
    if (point == std::string_view::npos) return std::nullopt;
    std::int64_t micros = 0;
    const auto [end, error] = std::from_chars(written.data(), written.data() + point, micros);
    if (error != std::errc{} || end != written.data() + point || micros < 0 || micros > 253'402'300'799'999'999) return std::nullopt;
    const auto id = grant_id::parse(written.substr(point + 1));
    if (!id) return std::nullopt;
    return grant_cursor{time_point(duration(micros)), *id};
}

namespace grant_store {
namespace {

// `trim_scale`: the shortest plain text of that value.
#define GRANT_COLUMNS                                                                                                                      \
    "g.id, g.hold, g.agent, g.route, g.method, g.target, g.terms, g.count_limit, g.used, trim_scale(g.sum_limit), trim_scale(g.sum_used)," \
    " g.created_at, g.expires_at, g.revoked_at, g.revoked_by, g.revoked_why, statement_timestamp()"

const statement add_grant{"add_grant", R"(
    INSERT INTO grants (id, hold, agent, route, method, target, terms, count_limit, sum_limit, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::numeric, $10, $11))"};
const statement get_grant{"get_grant", "SELECT " GRANT_COLUMNS " FROM grants AS g WHERE g.id = $1"};
const statement grants_left_by{"grants_left_by", "SELECT " GRANT_COLUMNS " FROM grants AS g WHERE g.hold = ANY ($1::text[])"};
const statement list_grants{"list_grants", "SELECT " GRANT_COLUMNS R"( FROM grants AS g
     WHERE ($1::text[] IS NULL OR CASE WHEN g.revoked_at IS NOT NULL THEN 'revoked' WHEN g.used >= g.count_limit THEN 'exhausted'
                                       WHEN g.expires_at <= statement_timestamp() THEN 'expired' ELSE 'active' END = ANY ($1))
       AND ($2::text IS NULL OR g.agent = $2) AND ($3::timestamptz IS NULL OR (g.created_at, g.id) < ($3, $4::text))
     ORDER BY g.created_at DESC, g.id DESC LIMIT $5)"};
// An agent has few; an absurd number of them must not make its calls slow.
const statement usable_grants{"usable_grants", "SELECT " GRANT_COLUMNS R"( FROM grants AS g
      JOIN unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS call (agent, route, method, target)
        ON call.agent = g.agent AND call.route = g.route AND call.method = g.method AND call.target = g.target
     WHERE g.revoked_at IS NULL AND g.used < g.count_limit AND g.expires_at > statement_timestamp()
     ORDER BY g.created_at, g.id LIMIT 200)"};
const statement share_agents_of_grants{"share_agents_of_grants",
                                       "SELECT id FROM agents WHERE id = ANY ($1::text[]) ORDER BY id FOR KEY SHARE"};
const statement lock_grants{"lock_grants", "SELECT id FROM grants WHERE id = ANY ($1::text[]) ORDER BY id FOR UPDATE"};
const statement burn_grant{"burn_grant", R"(
    UPDATE grants SET used = used + 1, sum_used = sum_used + $2::numeric
     WHERE id = $1 AND revoked_at IS NULL AND used < count_limit AND expires_at > statement_timestamp()
       AND $2::numeric >= 0 AND (sum_limit IS NULL OR sum_used + $2::numeric <= sum_limit)
    RETURNING used, trim_scale(sum_used))"};
const statement unburn_grant{"unburn_grant", "UPDATE grants SET used = used - 1, sum_used = sum_used - $2::numeric WHERE id = $1"};
const statement revoke_grant{"revoke_grant", R"(
    UPDATE grants SET revoked_at = statement_timestamp(), revoked_by = $2, revoked_why = $3 WHERE id = $1 AND revoked_at IS NULL)"};
const statement revoke_grants_of{"revoke_grants_of", R"(
    WITH ending AS (SELECT id FROM grants WHERE agent = $1 AND revoked_at IS NULL AND expires_at > statement_timestamp()
                     ORDER BY id FOR UPDATE)
    UPDATE grants AS g SET revoked_at = statement_timestamp(), revoked_why = $2 FROM ending WHERE g.id = ending.id RETURNING g.id)"};
const statement granted_not_yet_sent{"granted_not_yet_sent",
                                     "SELECT id FROM holds WHERE granted_by = $1 AND status = 'approved' ORDER BY id"};
const statement approved_by_grant{"approved_by_grant", "SELECT id FROM holds WHERE granted_by = $1 ORDER BY id DESC LIMIT $2"};

grant_record grant_of(reader& r)
{
    grant_record g;
    g.id = r.id<grant_id>();
    g.hold = r.id<hold_id>();
    g.agent = r.id<agent_id>();
    g.route = r.text();
    g.method = r.text();
    g.target = r.text();
    g.terms = r.text();
    g.count = static_cast<int>(r.number());
    g.used = static_cast<int>(r.number());
    g.sum = r.text_or_empty();
    g.sum_used = r.text();
    g.created_at = r.time();
    g.expires_at = r.time();
    g.revoked_at = r.maybe_time();
    g.revoked_by = r.maybe_id<person_id>();
    g.revoked_why = r.text();
    g.now = r.time();
    return g;
}

}  // namespace

void add(transaction& tx, const grant_record& g)
{
    run(tx, add_grant, g.id, g.hold, g.agent, g.route, g.method, g.target, g.terms, g.count, or_null(g.sum), g.created_at, g.expires_at);
}

std::optional<grant_record> get(transaction& tx, grant_id id) { return first_row(run(tx, get_grant, id), grant_of); }

std::vector<grant_record> left_by(transaction& tx, std::span<const hold_id> holds)
{
    if (holds.empty()) return {};
    return all_rows(run(tx, grants_left_by, array_of(holds)), grant_of);
}

std::vector<grant_record> list(transaction& tx, const grant_query& q)
{
    std::optional<std::string> statuses;
    if (!q.status.empty()) {
        array_literal names;
        for (const auto s : q.status) names.add(name_of(s));
        statuses = names.text();
    }
    const auto before = q.cursor ? std::optional(q.cursor->created_at) : std::nullopt;
    const auto before_id = q.cursor ? std::optional(q.cursor->id) : std::nullopt;
    return all_rows(run(tx, list_grants, statuses, q.agent, before, before_id, std::min<std::size_t>(q.limit, 100)), grant_of);
}

std::vector<grant_record> usable(transaction& tx, std::span<const looked_for> calls)
{
    array_literal agents, routes, methods, targets;
    for (std::size_t i = 0; i < calls.size(); ++i) {
        const looked_for& call = calls[i];
        const bool again = std::any_of(calls.begin(), calls.begin() + static_cast<std::ptrdiff_t>(i), [&](const looked_for& before) {
            return before.agent == call.agent && before.route == call.route && before.method == call.method && before.target == call.target;
        });
        if (again) continue;
        agents.add(call.agent);
        routes.add(call.route);
        methods.add(call.method);
        targets.add(call.target);
    }
    return all_rows(run(tx, usable_grants, agents.text(), routes.text(), methods.text(), targets.text()), grant_of);
}

void lock(transaction& tx, std::span<const agent_id> agents, std::span<const grant_id> grants)
{
    run(tx, share_agents_of_grants, array_of(agents));
    run(tx, lock_grants, array_of(grants));
}

std::optional<burned> burn(transaction& tx, grant_id id, std::string_view amount)
{
    return first_row(run(tx, burn_grant, id, amount), [](reader& r) {
        burned b;
        b.used = static_cast<int>(r.number());
        b.sum_used = r.text();
        return b;
    });
}

void unburn(transaction& tx, grant_id id, std::string_view amount) { run(tx, unburn_grant, id, amount); }

race revoke(transaction& tx, grant_id id, std::optional<person_id> by, std::string_view why)
{
    return change(tx, revoke_grant, id, by, why) == 1 ? race::won : race::lost;
}

std::vector<grant_id> revoke_all_of(transaction& tx, agent_id agent, std::string_view why)
{
    return all_rows(run(tx, revoke_grants_of, agent, why), [](reader& r) { return r.id<grant_id>(); });
}

std::vector<hold_id> approved_by(transaction& tx, grant_id id, std::size_t limit)
{
    return all_rows(run(tx, approved_by_grant, id, limit), [](reader& r) { return r.id<hold_id>(); });
}

std::vector<hold_id> not_yet_sent(transaction& tx, grant_id id)
{
    return all_rows(run(tx, granted_not_yet_sent, id), [](reader& r) { return r.id<hold_id>(); });
}

}  // namespace grant_store
}  // namespace sallyport::storage
