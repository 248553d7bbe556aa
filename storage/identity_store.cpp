#include "storage/identity_store.hpp"

#include "storage/directory_store.hpp"
#include "storage/sql.hpp"

namespace sallyport::storage::identity_store {
namespace {

const statement find_identity{"find_identity", "SELECT person FROM oidc_identities WHERE issuer = $1 AND subject = $2"};
const statement identity_of{"identity_of", "SELECT 1 FROM oidc_identities WHERE person = $1 AND issuer = $2"};
const statement link_identity{"link_identity", R"(
    INSERT INTO oidc_identities (issuer, subject, person, linked_at, last_used_at)
    VALUES ($1, $2, $3, statement_timestamp(), statement_timestamp()) ON CONFLICT DO NOTHING)"};
const statement use_identity{"use_identity", R"(
    UPDATE oidc_identities SET last_used_at = statement_timestamp() WHERE issuer = $1 AND subject = $2)"};

}  // namespace

std::optional<person_id> find(transaction& tx, std::string_view issuer, std::string_view subject)
{
    return first_row(run(tx, find_identity, issuer, subject), [](reader& r) { return r.id<person_id>(); });
}

bool linked(transaction& tx, person_id person, std::string_view issuer) { return !run(tx, identity_of, person, issuer).empty(); }

race link(transaction& tx, std::string_view issuer, std::string_view subject, person_id person)
{
    if (change(tx, link_identity, issuer, subject, person) == 0) return race::lost;
    directory_store::changed(tx);
    return race::won;
}

void used(transaction& tx, std::string_view issuer, std::string_view subject) { run(tx, use_identity, issuer, subject); }

}  // namespace sallyport::storage::identity_store
