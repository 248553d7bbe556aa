#include "storage/session_store.hpp"

#include "storage/sql.hpp"

namespace sallyport::storage {

std::string_view name_of(session_by by) noexcept
{
    switch (by) {
    case session_by::passkey: return "passkey";
    case session_by::oidc: return "oidc";
    }
    return {};
}

std::optional<session_by> session_by_named(std::string_view name) noexcept
{
    for (const session_by by : {session_by::passkey, session_by::oidc})
        if (name_of(by) == name) return by;
    return std::nullopt;
}

namespace session_store {
namespace {

const statement insert_session{"insert_session", R"(
    INSERT INTO sessions (token_hash, person, created_at, expires_at, made_by, user_agent)
    VALUES ($1, $2, statement_timestamp(), $3, $4, $5))"};
const statement find_session{"find_session", R"(
    SELECT s.token_hash, s.person, s.created_at, s.expires_at, s.made_by, s.user_agent
      FROM sessions AS s JOIN people AS p ON p.id = s.person
     WHERE s.token_hash = $1 AND s.expires_at > statement_timestamp() AND p.status = 'active')"};
const statement list_sessions{"list_sessions", R"(
    SELECT token_hash, person, created_at, expires_at, made_by, user_agent FROM sessions
     WHERE person = $1 AND expires_at > statement_timestamp() ORDER BY created_at DESC, token_hash LIMIT 1000)"};
// What was switched on in it goes along: who ends the session of a telephone that was lost wants it to hear nothing more.
const statement remove_session{"remove_session", R"(
    WITH told AS (DELETE FROM push_subscriptions WHERE session_hash = $1)
    DELETE FROM sessions WHERE token_hash = $1)"};
const statement remove_sessions_of{"remove_sessions_of", R"(
    WITH told AS (DELETE FROM push_subscriptions WHERE person = $1)
    DELETE FROM sessions WHERE person = $1)"};
const statement drop_expired_sessions{"drop_expired_sessions", "DELETE FROM sessions WHERE expires_at <= statement_timestamp()"};

session session_of(reader& r)
{
    session s;
    s.token_hash = r.bytes();
    s.person = r.id<person_id>();
    s.created_at = r.time();
    s.expires_at = r.time();
    s.made_by = r.named(session_by_named);
    s.user_agent = r.text();
    return s;
}

}  // namespace

void create(transaction& tx, const session& s)
{
    run(tx, insert_session, as_bytes{s.token_hash}, s.person, s.expires_at, name_of(s.made_by), s.user_agent);
}

std::optional<session> find(transaction& tx, std::string_view token_hash)
{
    return first_row(run(tx, find_session, as_bytes{token_hash}), session_of);
}

std::vector<session> list(transaction& tx, person_id person) { return all_rows(run(tx, list_sessions, person), session_of); }
bool remove(transaction& tx, std::string_view token_hash) { return change(tx, remove_session, as_bytes{token_hash}) == 1; }
std::size_t remove_all(transaction& tx, person_id person) { return change(tx, remove_sessions_of, person); }
std::size_t remove_expired(transaction& tx) { return change(tx, drop_expired_sessions); }

}  // namespace session_store
}  // namespace sallyport::storage
