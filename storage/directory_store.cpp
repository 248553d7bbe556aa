#include "storage/directory_store.hpp"

#include "storage/agent_store.hpp"
#include "storage/sql.hpp"

namespace sallyport::storage::directory_store {
namespace {

// FOR SHARE: whoever changes something has to move this row, and waits for us; so the statements that follow see one
// state, although each has a snapshot of its own.
const statement lock_generation{"lock_generation", R"(
    SELECT value FROM generations WHERE name = 'directory' FOR SHARE)"};

const statement read_generation{"read_generation", R"(
    SELECT value FROM generations WHERE name = 'directory')"};

const statement move_generation{"move_generation", R"(
    UPDATE generations SET value = value + 1 WHERE name = 'directory' RETURNING value)"};

std::int64_t generation_of(const pqxx::result& rows)
{
    return first_row(rows, [](reader& r) { return r.number(); }).value();
}

}  // namespace

directory load(transaction& tx)
{
    directory all;
    all.generation = generation_of(run(tx, lock_generation));
    all.people = person_store::list(tx);
    all.teams = person_store::teams(tx);
    all.agents = agent_store::list(tx);
    all.credentials = credential_store::list(tx);
    all.read_at = tx.now();
    return all;
}

std::int64_t current_generation(transaction& tx) { return generation_of(run(tx, read_generation)); }

void changed(transaction& tx) { tx.notify(directory_channel, std::to_string(generation_of(run(tx, move_generation)))); }

}  // namespace sallyport::storage::directory_store
