#include "storage/passkey_store.hpp"

#include "storage/directory_store.hpp"
#include "storage/sql.hpp"

#include <utility>

namespace sallyport::storage::passkey_store {
namespace {

#define PASSKEY_COLUMNS "credential_id, person, public_key, sign_count, user_handle, transports, name, created_at, last_used_at"

const statement insert_passkey{"insert_passkey", R"(
    INSERT INTO passkeys (credential_id, person, public_key, sign_count, user_handle, transports, name, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, statement_timestamp())
    ON CONFLICT (credential_id) DO NOTHING)"};
const statement find_passkey{"find_passkey", "SELECT " PASSKEY_COLUMNS " FROM passkeys WHERE credential_id = $1"};
const statement list_passkeys{"list_passkeys",
                              "SELECT " PASSKEY_COLUMNS " FROM passkeys WHERE person = $1 ORDER BY created_at, credential_id"};
const statement remove_passkey{"remove_passkey", "DELETE FROM passkeys WHERE person = $1 AND credential_id = $2"};
const statement count_passkey{"count_passkey", R"(
    UPDATE passkeys SET sign_count = $2, last_used_at = statement_timestamp()
     WHERE credential_id = $1 AND ($2::bigint > sign_count OR ($2 = 0 AND sign_count = 0)))"};

// The second of two at once waits for the first, and inserts nothing.
const statement insert_challenge{"insert_challenge", R"(
    INSERT INTO challenges (value, purpose, person, payload, expires_at) VALUES ($1, $2, $3, '', $4) ON CONFLICT (value) DO NOTHING)"};
const statement find_challenge{"find_challenge", "SELECT 1 FROM challenges WHERE value = $1"};
const statement drop_expired_challenges{"drop_expired_challenges", "DELETE FROM challenges WHERE expires_at <= statement_timestamp()"};

passkey passkey_of(reader& r)
{
    passkey k;
    k.credential_id = r.bytes();
    k.person = r.id<person_id>();
    k.public_key = r.bytes();
    k.sign_count = static_cast<std::uint32_t>(r.number());
    k.user_handle = r.bytes();
    k.transports = r.texts();
    k.name = r.text();
    k.created_at = r.time();
    k.last_used_at = r.maybe_time();
    return k;
}

}  // namespace

result<void> add(transaction& tx, const passkey& k)
{
    if (change(tx, insert_passkey, as_bytes{k.credential_id}, k.person, as_bytes{k.public_key}, k.sign_count, as_bytes{k.user_handle},
               array_of(k.transports), k.name) == 0)
        return fail(problem::conflict, "That passkey is registered already.");
    directory_store::changed(tx);
    return {};
}

std::optional<passkey> find(transaction& tx, std::string_view credential_id)
{
    return first_row(run(tx, find_passkey, as_bytes{credential_id}), passkey_of);
}

std::vector<passkey> list(transaction& tx, person_id person) { return all_rows(run(tx, list_passkeys, person), passkey_of); }

result<void> remove(transaction& tx, person_id person, std::string_view credential_id)
{
    if (change(tx, remove_passkey, person, as_bytes{credential_id}) == 0) return fail(problem::not_found, "There is no such passkey.");
    directory_store::changed(tx);
    return {};
}

race count_up(transaction& tx, std::string_view credential_id, std::uint32_t sign_count)
{
    return change(tx, count_passkey, as_bytes{credential_id}, sign_count) == 1 ? race::won : race::lost;
}

race use(transaction& tx, const challenge& c)
{
    return change(tx, insert_challenge, as_bytes{c.value}, c.purpose, c.person, c.expires_at) == 1 ? race::won : race::lost;
}

bool used(transaction& tx, std::string_view value) { return !run(tx, find_challenge, as_bytes{value}).empty(); }

std::size_t remove_expired_challenges(transaction& tx) { return change(tx, drop_expired_challenges); }

}  // namespace sallyport::storage::passkey_store
