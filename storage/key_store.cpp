#include "storage/key_store.hpp"

#include "storage/sql.hpp"

namespace sallyport::storage::key_store {
namespace {

#define KEY_COLUMNS "kid, purpose, alg, sealed, jwk, created_at, retired_at"

const statement load_keys{"load_keys", "SELECT " KEY_COLUMNS " FROM signing_keys ORDER BY created_at, kid"};
// The second of two at once waits for the first and inserts nothing (signing_keys_active).
const statement insert_first_key{"insert_first_key", R"(
    INSERT INTO signing_keys (kid, purpose, alg, sealed, jwk, created_at) VALUES ($1, $2, $3, $4, $5, statement_timestamp())
    ON CONFLICT (purpose) WHERE retired_at IS NULL DO NOTHING)"};
const statement active_key{"active_key", "SELECT " KEY_COLUMNS " FROM signing_keys WHERE purpose = $1 AND retired_at IS NULL"};
const statement retire_keys{"retire_keys", R"(
    UPDATE signing_keys SET retired_at = statement_timestamp() WHERE purpose = $1 AND retired_at IS NULL)"};
const statement insert_key{"insert_key", R"(
    INSERT INTO signing_keys (kid, purpose, alg, sealed, jwk, created_at) VALUES ($1, $2, $3, $4, $5, statement_timestamp())
    ON CONFLICT (kid) DO NOTHING)"};
const statement drop_retired_keys{"drop_retired_keys", "DELETE FROM signing_keys WHERE retired_at < $1"};

// A jti whose time has passed may come again: its assertion is refused for that.
const statement insert_assertion{"insert_assertion", R"(
    INSERT INTO used_assertions (agent, jti_hash, expires_at) VALUES ($1, sha256($2::bytea), $3)
    ON CONFLICT (agent, jti_hash) DO NOTHING)"};
const statement drop_expired_assertions{"drop_expired_assertions", "DELETE FROM used_assertions WHERE expires_at <= statement_timestamp()"};

signing_key key_of(reader& r)
{
    signing_key k;
    k.kid = r.text();
    k.purpose = r.text();
    k.alg = r.text();
    k.sealed = r.bytes();
    k.jwk = r.text();
    k.created_at = r.time();
    k.retired_at = r.maybe_time();
    return k;
}

}  // namespace

std::vector<signing_key> load(transaction& tx) { return all_rows(run(tx, load_keys), key_of); }

signing_key add_first(transaction& tx, const signing_key& k)
{
    run(tx, insert_first_key, k.kid, k.purpose, k.alg, as_bytes{k.sealed}, k.jwk);
    return first_row(run(tx, active_key, k.purpose), key_of).value();
}

result<void> rotate(transaction& tx, const signing_key& k)
{
    run(tx, retire_keys, k.purpose);
    if (change(tx, insert_key, k.kid, k.purpose, k.alg, as_bytes{k.sealed}, k.jwk) == 0)
        return fail(problem::conflict, "That key is known.");
    return {};
}

std::size_t remove_retired(transaction& tx, time_point before) { return change(tx, drop_retired_keys, before); }

race use_assertion(transaction& tx, agent_id agent, std::string_view jti, time_point expires_at)
{
    return change(tx, insert_assertion, agent, as_bytes{jti}, expires_at) == 1 ? race::won : race::lost;
}

std::size_t remove_expired_assertions(transaction& tx) { return change(tx, drop_expired_assertions); }

}  // namespace sallyport::storage::key_store
