#include "storage/private_cluster.hpp"

#include "storage/audit_store.hpp"
#include "storage/database.hpp"
#include "storage/process.hpp"
#include "tests/storage/events.hpp"
#include "tests/storage/fixture.hpp"

#include <pqxx/pqxx>

#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stop_token>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace sallyport::storage {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

unsigned mode_of(const fs::path& path)
{
    struct stat found {};
    REQUIRE(::lstat(path.c_str(), &found) == 0);
    return found.st_mode & 07777;
}

unsigned owner_of(const fs::path& path)
{
    struct stat found {};
    REQUIRE(::lstat(path.c_str(), &found) == 0);
    return found.st_uid;
}

bool runs(int pid) { return ::kill(pid, 0) == 0; }

std::string contents(const fs::path& path)
{
    std::ifstream file(path);
    std::ostringstream all;
    all << file.rdbuf();
    return all.str();
}

std::unique_ptr<private_cluster> start(const data_directory& data, private_cluster_options options = {})
{
    auto started = private_cluster::start(data, std::move(options));
    REQUIRE_MESSAGE(started.has_value(), (started ? std::string() : started.error().detail + " / " + started.error().cause));
    return std::move(*started);
}

data_directory open(const fs::path& path)
{
    auto opened = data_directory::open(path);
    REQUIRE_MESSAGE(opened.has_value(), (opened ? std::string() : opened.error().detail));
    return std::move(*opened);
}

std::unique_ptr<database> open(const private_cluster& cluster, events& told)
{
    auto options = options_for(cluster, "sallyport");
    options.threads = 1;
    options.on_event = told.teller();
    auto opened = database::open(std::move(options));
    REQUIRE_MESSAGE(opened.has_value(), (opened ? std::string() : opened.error().detail + " / " + opened.error().cause));
    return std::move(*opened);
}

}  // namespace

TEST_CASE("a private cluster: made, started, stopped, started again")
{
    temporary_directory directory;
    const auto path = directory.path() / "data";
    const auto data = open(path);
    int first = 0;
    {
        const auto cluster = start(data);
        first = cluster->postmaster();
        CHECK(runs(first));
        const bool root = ::geteuid() == 0;
        CHECK(mode_of(path) == (root ? 0711U : 0700U));
        CHECK(mode_of(path / "lock") == 0600);
        CHECK(mode_of(path / "postgres") == 0700);
        CHECK(mode_of(path / "postgres/data") == 0700);
        CHECK(mode_of(path / "postgres/run") == 0700);
        CHECK(mode_of(path / "postgres.log") == 0600);
        if (root) {
            CHECK(owner_of(path / "postgres/data") != 0);
            CHECK(owner_of("/proc/" + std::to_string(first)) == owner_of(path / "postgres/data"));
        }

        pqxx::connection connection(cluster->uri());
        {
            pqxx::work work(connection);
            CHECK(work.exec("SHOW fsync")[0][0].as<std::string>() == "on");
            CHECK(work.exec("SHOW listen_addresses")[0][0].as<std::string>().empty());
            CHECK(work.exec("SHOW server_encoding")[0][0].as<std::string>() == "UTF8");
            CHECK_FALSE(work.exec("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")[0][0].as<bool>());
            work.exec("CREATE TABLE kept (it text)");
            work.exec("INSERT INTO kept VALUES ('still here')");
            work.commit();
        }
        {
            pqxx::work wrong(connection);
            CHECK_THROWS(wrong.exec("SELECT 1 / 0 AS a_secret_of_the_statement"));
        }
        cluster->stop();
        CHECK_FALSE(runs(first));
        CHECK_FALSE(fs::exists(path / "postgres/data/postmaster.pid"));
    }
    const auto log = contents(path / "postgres.log");
    CHECK(log.find("division by zero") != std::string::npos);
    CHECK(log.find("a_secret_of_the_statement") == std::string::npos);

    // A process id left behind that is somebody else's by now.
    program other;
    other.arguments = {"/usr/bin/sleep", "600"};
    if (::geteuid() == 0) other.user = user_named("postgres");
    const auto pid = start_program(other);
    REQUIRE(pid.has_value());
    process sleeper(*pid, true);
    std::ofstream(path / "postgres/data/postmaster.pid") << *pid << "\n" << (path / "postgres/data").string() << "\n1\n5432\n\n\n\n";
    std::ofstream(path / "postgres/run/.s.PGSQL.5432.lock") << *pid << "\n";

    const auto again = start(data);
    CHECK(again->postmaster() != first);
    CHECK_FALSE(sleeper.wait(0ms));  // it was left alone
    sleeper.signal(SIGKILL);
    CHECK(sleeper.wait(10s));
    pqxx::connection connection(again->uri());
    pqxx::work work(connection);
    CHECK(work.exec("SELECT it FROM kept")[0][0].as<std::string>() == "still here");
}

TEST_CASE("a data directory belongs to one")
{
    temporary_directory directory;
    const auto path = directory.path() / "deep/er/data";
    std::string node;
    {
        const auto data = open(path);
        node = data.node();
        CHECK(node.size() == 32);
        CHECK(mode_of(path) == 0700);
        const auto second = data_directory::open(path);
        REQUIRE_FALSE(second.has_value());
        CHECK(second.error().what == problem::conflict);
        CHECK(second.error().detail.find(std::to_string(::getpid())) != std::string::npos);
    }
    CHECK(open(path).node() == node);
    ::chmod(path.c_str(), 0755);
    CHECK(open(path.string() + "/").node() == node);
    CHECK(mode_of(path) == 0700);

    // What it makes above itself others can pass, whatever the umask: PostgreSQL may be another user.
    const auto before = ::umask(077);
    const auto below = open(directory.path() / "new/er/data");
    ::umask(before);
    CHECK(mode_of(directory.path() / "new") == 0755);
    CHECK(mode_of(directory.path() / "new/er") == 0755);
    CHECK(mode_of(directory.path() / "new/er/data") == 0700);

    std::ofstream(directory.path() / "file") << "x";
    const auto file = data_directory::open(directory.path() / "file");
    REQUIRE_FALSE(file.has_value());
    CHECK(file.error().what == problem::invalid_input);
}

TEST_CASE("a PostgreSQL that is killed is started again, nothing committed is lost; one that is away is said to be")
{
    temporary_directory directory;
    const auto data = open(directory.path() / "data");
    events cluster_told, told;
    private_cluster_options options;
    options.on_event = cluster_told.teller();
    const auto cluster = start(data, std::move(options));
    const auto db = open(*cluster, told);
    const auto position = [&] {
        const auto read = db->run_blocking([](transaction& tx) { return audit_store::journal_position(tx, "j"); });
        REQUIRE(read.has_value());
        return *read;
    };
    const auto move = [&](std::int64_t from, std::int64_t to) {
        const auto moved = db->run_blocking([=](transaction& tx) { return audit_store::move_journal(tx, "j", from, to); });
        return moved && *moved == race::won;
    };
    CHECK(move(0, 7));
    const int first = cluster->postmaster();

    ::kill(first, SIGKILL);
    REQUIRE(cluster_told.wait_for("postgresql ended"));
    REQUIRE(told.wait_for("database connection lost"));
    REQUIRE(cluster_told.wait_for("postgresql started", 2));
    REQUIRE(told.wait_for("database connected"));
    CHECK(cluster->postmaster() != first);
    CHECK(db->available());
    CHECK(position() == 7);
    CHECK(move(7, 8));

    cluster->stop();
    REQUIRE(told.wait_for("database connection lost", 2));
    CHECK_FALSE(db->available());
    const auto refused = db->run_blocking([](transaction&) {});
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().what == problem::storage_unavailable);
    CHECK(refused.error().detail == "The database cannot be reached.");
}

// Not a test by itself: what "taken over" below starts and kills.
TEST_CASE("a gateway that will be killed" * doctest::skip(std::getenv("SALLYPORT_TEST_DATA") == nullptr))
{
    const auto data = open(std::getenv("SALLYPORT_TEST_DATA"));
    const auto cluster = start(data);
    std::cout << "postmaster " << cluster->postmaster() << std::endl;
    std::string never;
    std::getline(std::cin, never);
}

TEST_CASE("a PostgreSQL that outlived its gateway is taken over")
{
    temporary_directory directory;
    const auto path = directory.path() / "data";
    std::array<int, 2> in{}, out{};
    REQUIRE(::pipe(in.data()) == 0);
    REQUIRE(::pipe(out.data()) == 0);
    const auto self = fs::read_symlink("/proc/self/exe").string();
    const auto data_setting = "SALLYPORT_TEST_DATA=" + path.string();
    const std::array<const char*, 3> environment{data_setting.c_str(), "PATH=/usr/bin:/bin", nullptr};
    const pid_t gateway = ::fork();
    if (gateway == 0) {
        ::dup2(in[0], 0);
        ::dup2(out[1], 1);
        for (const int fd : {in[0], in[1], out[0], out[1]}) ::close(fd);
        ::execle(self.c_str(), self.c_str(), "--test-case=a gateway that will be killed", nullptr, environment.data());
        ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    std::string said;
    std::array<char, 256> part{};
    while (said.find("postmaster ") == std::string::npos || said.find('\n', said.find("postmaster ")) == std::string::npos) {
        const auto got = ::read(out[0], part.data(), part.size());
        REQUIRE_MESSAGE(got > 0, said);
        said.append(part.data(), static_cast<std::size_t>(got));
    }
    const int postmaster = std::stoi(said.substr(said.find("postmaster ") + 11));
    REQUIRE(runs(postmaster));
    CHECK_FALSE(data_directory::open(path).has_value());

    ::kill(gateway, SIGKILL);
    REQUIRE(process(gateway, true).wait(10s));
    CHECK(runs(postmaster));

    const auto data = open(path);
    events told;
    private_cluster_options options;
    options.on_event = told.teller();
    const auto cluster = start(data, std::move(options));
    CHECK(cluster->postmaster() == postmaster);
    CHECK(told.times("postgresql taken over") == 1);
    CHECK_NOTHROW(pqxx::connection(cluster->uri()));

    // It is no child of ours, and watched all the same.
    ::kill(postmaster, SIGKILL);
    REQUIRE(told.wait_for("postgresql started"));
    const int second = cluster->postmaster();
    CHECK(second != postmaster);
    cluster->stop();
    CHECK_FALSE(runs(second));
    ::close(in[1]);
    ::close(out[0]);
}

TEST_CASE("a path too long for a socket")
{
    temporary_directory directory;
    const auto path = directory.path() / std::string(60, 'a') / std::string(60, 'b');
    const auto data = open(path);
    if (::geteuid() == 0) ::chmod(path.parent_path().c_str(), 0755);
    fs::path sockets;
    {
        const auto cluster = start(data);
        CHECK_NOTHROW(pqxx::connection(cluster->uri()));
        const auto written = contents(path / "postgres/socket-directory");
        sockets = written.substr(0, written.find('\n'));
        CHECK(sockets.string().starts_with("/tmp/sallyport-"));
        CHECK(mode_of(sockets) == 0700);
    }
    CHECK_FALSE(fs::exists(sockets));
    // What somebody else put there meanwhile is not used.
    std::ofstream(path / "postgres/socket-directory") << "/tmp\n";
    const auto cluster = start(data);
    CHECK(contents(path / "postgres/socket-directory").starts_with("/tmp/sallyport-"));
}

TEST_CASE("an odd path, a bounded log, a first start that was cut short")
{
    temporary_directory directory;
    const auto path = directory.path() / "da,ta \"q\" \\ é";
    const auto data = open(path);
    std::ofstream(path / "postgres.log") << std::string(5000, 'x');
    fs::create_directories(path / "postgres/new-unfinished/base");
    private_cluster_options options;
    options.log_bytes = 4000;
    const auto cluster = start(data, std::move(options));
    CHECK_NOTHROW(pqxx::connection(cluster->uri()));
    CHECK(fs::file_size(path / "postgres.log.1") == 5000);
    CHECK(mode_of(path / "postgres.log.1") == 0600);
    CHECK(fs::file_size(path / "postgres.log") < 5000);
    CHECK_FALSE(fs::exists(path / "postgres/new-unfinished"));
}

TEST_CASE("a cluster that cannot be says why")
{
    temporary_directory directory;
    const auto data = open(directory.path() / "data");
    private_cluster_options options;
    options.binaries = directory.path();
    const auto none = private_cluster::start(data, std::move(options));
    REQUIRE_FALSE(none.has_value());
    CHECK(none.error().detail.find("PostgreSQL is not installed") != std::string::npos);

    fs::create_directories(directory.path() / "data/postgres/data");
    std::ofstream(directory.path() / "data/postgres/data/PG_VERSION") << "9\n";
    const auto old = private_cluster::start(data);
    REQUIRE_FALSE(old.has_value());
    CAPTURE(old.error().detail);
    CHECK(old.error().detail.find("PostgreSQL 9") != std::string::npos);
}

TEST_CASE("a directory that PostgreSQL's user cannot reach is named" * doctest::skip(::geteuid() != 0))
{
    temporary_directory directory;
    const auto closed = directory.path() / "closed";
    const auto data = open(closed / "data");
    ::chmod(closed.c_str(), 0700);
    const auto refused = private_cluster::start(data);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().detail.find("cannot pass through " + closed.string()) != std::string::npos);
}

TEST_CASE("a PostgreSQL that hangs is stopped in the time that there is")
{
    temporary_directory directory;
    const auto data = open(directory.path() / "data");
    const auto cluster = start(data);
    const int postmaster = cluster->postmaster();
    REQUIRE(::kill(postmaster, SIGSTOP) == 0);
    const auto begin = std::chrono::steady_clock::now();
    cluster->stop(begin + 1500ms);
    CHECK(std::chrono::steady_clock::now() - begin < 2500ms);
    CHECK_FALSE(runs(postmaster));
    CHECK(cluster->postmaster() == 0);
    // Its children see that it is gone; then it starts again.
    CHECK(start(data)->postmaster() != 0);
}

TEST_CASE("the start of a PostgreSQL is given up")
{
    temporary_directory directory;
    const auto data = open(directory.path() / "data");
    std::stop_source given_up;
    private_cluster_options options;
    options.given_up = given_up.get_token();
    std::thread later([&] { given_up.request_stop(); });
    const auto begin = std::chrono::steady_clock::now();
    const auto started = private_cluster::start(data, std::move(options));
    later.join();
    CHECK(std::chrono::steady_clock::now() - begin < 5s);
    REQUIRE_FALSE(started.has_value());
    CHECK(processes_in(directory.path() / "data/postgres/data").empty());
    // Nothing half-made is in the way of the next.
    CHECK(start(data)->postmaster() != 0);
}

TEST_CASE("programs run with nothing of ours")
{
    temporary_directory directory;
    const auto path = directory.path() / "out";
    std::ofstream(path) << "";
    const auto output_of = [&](std::vector<std::string> arguments) {
        program p;
        p.arguments = std::move(arguments);
        const file_descriptor output(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
        p.output = output.get();
        const auto pid = start_program(p);
        REQUIRE(pid.has_value());
        process running(*pid, true);
        REQUIRE(running.wait(10s));
        return contents(path);
    };
    ::setenv("SALLYPORT_TEST_SECRET", "seen", 1);
    const auto environment = output_of({"/usr/bin/env"});
    ::unsetenv("SALLYPORT_TEST_SECRET");
    CHECK(environment.find("PATH=") != std::string::npos);
    CHECK(environment.find("SALLYPORT_TEST_SECRET") == std::string::npos);
    // Inheritable, and beyond those that the shell opens itself.
    const int null = ::open("/dev/null", O_RDONLY);
    const int ours = ::fcntl(null, F_DUPFD, 500);
    ::close(null);
    const auto files = output_of({"/bin/sh", "-c", "for f in /proc/self/fd/*; do echo \"$f.\"; done"});
    ::close(ours);
    CHECK(files.find("/proc/self/fd/2.") != std::string::npos);
    CHECK(files.find("/proc/self/fd/" + std::to_string(ours) + ".") == std::string::npos);
    CHECK(output_of({"/bin/pwd"}) == "/\n");

    program none;
    none.arguments = {"/nonexistent"};
    const auto refused = start_program(none);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().cause.find("No such file") != std::string::npos);
}

}  // namespace sallyport::storage
