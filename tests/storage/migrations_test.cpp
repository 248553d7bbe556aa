#include "storage/migrations.hpp"

#include "storage/connection.hpp"
#include "tests/storage/fixture.hpp"

#include <pqxx/pqxx>

#include <array>
#include <future>
#include <vector>

namespace sallyport::storage {
namespace {

secret where() { return connection_string(shared_cluster().uri(), secret(), std::chrono::seconds(5)); }

std::string ask(const std::string& text)
{
    pqxx::connection connection(shared_cluster().uri());
    pqxx::work work(connection);
    return work.exec(text)[0][0].c_str();
}

constexpr std::array<migration, 2> two{{{1, "one", "CREATE TABLE a (x int)"}, {2, "two", "CREATE TABLE b (x int)"}}};
constexpr std::array<migration, 3> bad{{two[0], two[1], {3, "three", "CREATE TABLE c (x int); SELECT 1 / 0"}}};

}  // namespace

TEST_CASE("a schema is made once")
{
    const auto schema = new_schema();
    const auto first = migrate(where(), schema);
    REQUIRE_MESSAGE(first.has_value(), (first ? std::string() : first.error().cause));
    CHECK(*first == static_cast<int>(migrations().size()));
    CHECK(migrate(where(), schema).value() == 0);
    CHECK(ask("SELECT count(*) FROM " + schema + ".schema_version WHERE why <> ''") == std::to_string(migrations().size()));
}

TEST_CASE("replicas that start at once: one migrates")
{
    const auto schema = new_schema();
    std::vector<std::future<result<int>>> all;
    for (int i = 0; i < 4; ++i) all.push_back(std::async(std::launch::async, [&] { return migrate(where(), schema); }));
    int applied = 0;
    for (auto& one : all) {
        const auto done = one.get();
        REQUIRE_MESSAGE(done.has_value(), (done ? std::string() : done.error().cause));
        applied += *done;
    }
    CHECK(applied == static_cast<int>(migrations().size()));
}

TEST_CASE("all the missing steps, or none of them")
{
    const auto schema = new_schema();
    CHECK(migrate(where(), schema, std::span(two).first(1)).value() == 1);
    const auto failed = migrate(where(), schema, bad);
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().what == problem::internal_error);
    CHECK(ask("SELECT max(number) FROM " + schema + ".schema_version") == "1");
    CHECK(ask("SELECT count(*) FROM pg_tables WHERE schemaname = '" + schema + "' AND tablename IN ('b', 'c')") == "0");
    CHECK(migrate(where(), schema, two).value() == 1);
}

TEST_CASE("a newer schema is refused")
{
    const auto schema = new_schema();
    CHECK(migrate(where(), schema, two).value() == 2);
    const auto older = migrate(where(), schema, std::span(two).first(1));
    REQUIRE_FALSE(older.has_value());
    CHECK(older.error().what == problem::conflict);
    CHECK_FALSE(migrate(where(), "No Name").has_value());
}

TEST_CASE("what goes into a connection string")
{
    struct row {
        const char* name;
        const char* uri;
        const char* password;
        const char* part;
    };
    const row rows[] = {
        {"a URI", "postgresql://u@h/d", "", "postgresql://u@h/d?connect_timeout=5&"},
        {"a URI with a query", "postgresql://u@h/d?sslmode=require", "", "sslmode=require&connect_timeout=5&"},
        {"what it sets itself stays", "postgresql://h/d?connect_timeout=3", "", "?connect_timeout=3&application_name=sallyport&"},
        {"a password in a URI", "postgresql://h/d", "p&w %x", "&password=p%26w%20%25x"},
        {"keywords", "host=h dbname=d", "", "host=h dbname=d connect_timeout='5' "},
        {"a password among keywords", "host=h", "it's \\", " password='it\\'s \\\\'"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto text = connection_string(r.uri, secret(r.password), std::chrono::seconds(5));
        CHECK(text.reveal().find(r.part) != std::string_view::npos);
    }
}

}  // namespace sallyport::storage
