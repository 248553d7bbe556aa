#include "storage/credential_store.hpp"

#include "storage/directory_store.hpp"
#include "storage/sql.hpp"

namespace sallyport::storage::credential_store {
namespace {

// xmax is 0 in a row that this statement inserted, and not in one that it updated.
const statement put_credential{"put_credential", R"(
    INSERT INTO credentials (name, type, header, sealed, updated_at) VALUES ($1, $2, $3, $4, statement_timestamp())
    ON CONFLICT (name) DO UPDATE SET type = excluded.type, header = excluded.header, sealed = excluded.sealed, updated_at = excluded.updated_at
    RETURNING xmax = 0)"};
const statement list_credentials{"list_credentials", "SELECT name, type, header, updated_at FROM credentials ORDER BY name"};
const statement load_credentials{"load_credentials", "SELECT name, type, header, updated_at, sealed FROM credentials ORDER BY name"};
const statement remove_credential{"remove_credential", "DELETE FROM credentials WHERE name = $1"};

credential_info info_of(reader& r)
{
    credential_info info;
    info.name = r.text();
    info.type = r.text();
    info.header = r.text();
    info.updated_at = r.time();
    return info;
}

}  // namespace

bool put(transaction& tx, const sealed_credential& c)
{
    const auto rows = run(tx, put_credential, c.info.name, c.info.type, c.info.header, as_bytes{c.sealed});
    directory_store::changed(tx);
    return first_row(rows, [](reader& r) { return r.flag(); }).value();
}

std::vector<credential_info> list(transaction& tx) { return all_rows(run(tx, list_credentials), info_of); }

std::vector<sealed_credential> load(transaction& tx)
{
    return all_rows(run(tx, load_credentials), [](reader& r) {
        auto info = info_of(r);
        return sealed_credential{std::move(info), r.bytes()};
    });
}

result<void> remove(transaction& tx, std::string_view name)
{
    if (change(tx, remove_credential, name) == 0) return fail(problem::not_found, "There is no such credential.");
    directory_store::changed(tx);
    return {};
}

}  // namespace sallyport::storage::credential_store
