#include "storage/replica_store.hpp"

#include "storage/sql.hpp"

namespace sallyport::storage::replica_store {
namespace {

const statement end_node{"end_node", "UPDATE replicas SET ended_at = statement_timestamp() WHERE node = $1 AND ended_at IS NULL"};
const statement insert_replica{"insert_replica", R"(
    INSERT INTO replicas (id, node, started_at, heartbeat_at) VALUES ($1, $2, statement_timestamp(), statement_timestamp()))"};
const statement beat_replica{"beat_replica", R"(
    UPDATE replicas SET heartbeat_at = statement_timestamp() WHERE id = $1 AND ended_at IS NULL)"};
const statement end_replica{"end_replica", "UPDATE replicas SET ended_at = statement_timestamp() WHERE id = $1 AND ended_at IS NULL"};
// Dead ones that nothing refers to any more.
const statement forget_replicas{"forget_replicas", R"(
    DELETE FROM replicas AS r
     WHERE r.heartbeat_at < statement_timestamp() - interval '1 day'
       AND NOT EXISTS (SELECT 1 FROM holds AS h WHERE h.claimed_by = r.id AND h.status IN ('approved', 'releasing')))"};
const statement count_replicas{"count_replicas", R"(
    SELECT count(*) FROM replicas
     WHERE ended_at IS NULL AND heartbeat_at > statement_timestamp() - make_interval(secs => $1::int))"};

}  // namespace

void start(transaction& tx, std::string_view replica, std::string_view node)
{
    run(tx, end_node, node);
    run(tx, insert_replica, replica, node);
    run(tx, forget_replicas);
}

race beat(transaction& tx, std::string_view replica) { return change(tx, beat_replica, replica) == 1 ? race::won : race::lost; }
void end(transaction& tx, std::string_view replica) { run(tx, end_replica, replica); }

std::size_t alive(transaction& tx)
{
    return first_row(run(tx, count_replicas, dead_after_seconds), [](reader& r) { return static_cast<std::size_t>(r.number()); }).value();
}

}  // namespace sallyport::storage::replica_store
