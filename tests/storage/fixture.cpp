#include "tests/storage/fixture.hpp"

#include <pqxx/pqxx>

#include <cstdlib>
#include <stdexcept>
#include <sys/stat.h>
#include <utility>

// libpqxx 6.4 loses an empty result with each connection that breaks under a statement (encoding_id() throws before
// make_result() has it); the tests break many.
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the name that the sanitizer calls
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:PQmakeEmptyPGresult\n"; }
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

namespace sallyport::storage {
namespace {

struct run {
    temporary_directory directory;
    data_directory data;
    std::unique_ptr<private_cluster> cluster;

    run() : data(data_directory::open(directory.path() / "data").value()), cluster(private_cluster::start(data).value()) {}
};

}  // namespace

temporary_directory::temporary_directory()
{
    std::string name = "/tmp/sallyport-test-XXXXXX";
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary directory");
    ::chmod(name.c_str(), 0755);
    path_ = name;
}

temporary_directory::~temporary_directory()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

private_cluster& shared_cluster()
{
    static run all;
    return *all.cluster;
}

void as_superuser(const std::string& text)
{
    std::string uri = shared_cluster().uri();
    uri.replace(uri.find("&user="), std::string::npos, "&user=postgres");
    pqxx::connection connection(uri);
    pqxx::nontransaction(connection).exec(text);
}

database_options options_for(const private_cluster& cluster, std::string schema)
{
    database_options options;
    options.uri = cluster.uri();
    options.schema = std::move(schema);
    options.threads = 2;
    return options;
}

std::string new_schema()
{
    static std::atomic<int> count{0};
    return "test_" + std::to_string(++count);
}

fixture::fixture(std::size_t threads) : schema_(new_schema())
{
    auto options = options_for(shared_cluster(), schema_);
    options.threads = threads;
    auto opened = database::open(std::move(options));
    if (!opened) throw std::runtime_error(opened.error().detail + " / " + opened.error().cause);
    db_ = std::move(*opened);
}

time_point fixture::now()
{
    return in([](transaction& tx) { return tx.now(); });
}

void fixture::sql(const std::string& text)
{
    pqxx::connection connection(shared_cluster().uri());
    pqxx::work work(connection);
    work.exec("SET search_path = " + schema_);
    work.exec(text);
    work.commit();
}

void fixture::change(const std::string& text)
{
    pqxx::connection connection(shared_cluster().uri());
    pqxx::work work(connection);
    work.exec("SET search_path = " + schema_);
    work.exec(text);
    work.commit();
}

std::string fixture::ask(const std::string& text)
{
    pqxx::connection connection(shared_cluster().uri());
    pqxx::work work(connection);
    work.exec("SET search_path = " + schema_);
    const auto rows = work.exec(text);
    return rows.empty() || rows[0][0].is_null() ? std::string() : rows[0][0].c_str();
}

}  // namespace sallyport::storage
