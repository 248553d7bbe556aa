#include "storage/migrations.hpp"

#include "storage/connection.hpp"
#include "storage/migrations/all.hpp"

#include <array>
#include <sys/socket.h>
#include <utility>

namespace sallyport::storage {
namespace {

constexpr auto all = std::to_array<migration>({
    {1, "people, teams, agents and what they are known by", migration_001},
    {2, "actions, holds, decisions and their evidence", migration_002},
    {3, "the log, what is told to people, and the gateway's own keys", migration_003},
    {4, "what a hold must remember of its sending", migration_004},
    {5, "cheaper entries in the log, and what its tree is called", migration_005},
    {6, "messages that need no telling any more", migration_006},
    {7, "who somebody is at an identity provider, and how a session was made", migration_007},
    {8, "who is whom in Slack", migration_008},
    {9, "browsers that are told by push, and how each channel fares", migration_009},
    {10, "labels and absences of people, and what approvals must remember", migration_010},
    {11, "what an approval leaves behind for similar calls", migration_011},
    {12, "how often people are asked, when they are shown what they decide, and which holds are alike", migration_012},
});

constexpr bool numbered()
{
    for (std::size_t i = 0; i < all.size(); ++i)
        if (all[i].number != static_cast<int>(i) + 1) return false;
    return true;
}
static_assert(numbered(), "migrations are numbered from 1, without a gap");

int apply(pqxx::connection& connection, const std::string& schema, std::span<const migration> steps)
{
    pqxx::work work(connection);
    // A statement may take its time here; waiting for another replica may not take for ever.
    work.exec("SET LOCAL lock_timeout = '60s'");
    work.exec("SET LOCAL client_min_messages = warning");
    // Before anything is looked at: CREATE … IF NOT EXISTS of two transactions at once fails in one of them.
    work.exec_params("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", "sallyport schema " + schema);
    if (work.exec_params("SELECT 1 FROM pg_namespace WHERE nspname = $1", schema).empty()) work.exec("CREATE SCHEMA " + schema);
    work.exec("SET LOCAL search_path = " + schema);
    work.exec("CREATE TABLE IF NOT EXISTS schema_version ("
              " number integer PRIMARY KEY, why text NOT NULL, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())");
    const auto rows = work.exec("SELECT coalesce(max(number), 0) FROM schema_version");
    const int version = rows[0][0].as<int>();
    const int newest = steps.empty() ? 0 : steps.back().number;
    if (version > newest) {
        work.abort();
        return newest - version;
    }
    int applied = 0;
    for (const migration& step : steps) {
        if (step.number <= version) continue;
        work.exec(std::string(step.sql));
        work.exec_params("INSERT INTO schema_version (number, why) VALUES ($1, $2)", step.number, std::string(step.why));
        ++applied;
    }
    work.commit();
    return applied;
}

}  // namespace

std::span<const migration> migrations() noexcept { return all; }

result<int> migrate(const secret& connection_string, std::string_view schema, std::span<const migration> steps, std::stop_token given_up)
{
    if (!valid_schema(schema)) return fail(problem::invalid_input, "The schema's name must be of a-z, 0-9 and _.");
    try {
        const auto connection = connect(connection_string);
        const std::stop_callback cut(std::move(given_up), [socket = connection->sock()] { ::shutdown(socket, SHUT_RDWR); });
        const int applied = apply(*connection, std::string(schema), steps);
        if (applied < 0)
            return fail(problem::conflict,
                        "The database's schema is newer than this program: start the newer program, or restore the older database.",
                        "schema is " + std::to_string(-applied) + " migrations ahead");
        return applied;
    } catch (const pqxx::broken_connection& e) {
        return fail(problem::storage_unavailable, "The database cannot be reached.", words_of(e));
    } catch (const pqxx::sql_error& e) {
        // 55P03: lock_timeout. Another replica migrates, and takes longer than we wait.
        const bool busy = e.sqlstate() == "55P03";
        return fail(busy ? problem::storage_unavailable : problem::internal_error, "The database's schema could not be brought up to date.",
                    e.sqlstate() + ": " + words_of(e));
    } catch (const std::exception& e) {
        return fail(problem::internal_error, "The database's schema could not be brought up to date.", words_of(e));
    }
}

}  // namespace sallyport::storage
