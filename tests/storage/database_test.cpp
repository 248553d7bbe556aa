#include "storage/database.hpp"

#include "storage/sql.hpp"
#include "tests/storage/fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <condition_variable>
#include <functional>
#include <future>
#include <latch>
#include <mutex>
#include <semaphore>
#include <stop_token>
#include <thread>

namespace sallyport::storage {
namespace {

const statement test_sum{"test_sum", "SELECT $1::bigint + $2::bigint"};
const statement test_text{"test_text", "SELECT $1::text"};
const statement test_bytes{"test_bytes", "SELECT $1::bytea"};
const statement test_texts{"test_texts", "SELECT $1::text[]"};
const statement test_time{"test_time", "SELECT $1::timestamptz"};
const statement test_slow{"test_slow", "SELECT pg_sleep($1)"};
const statement test_lock{"test_lock", "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"};
const statement test_divide{"test_divide", "SELECT 1 / $1::bigint"};
const statement test_backend{"test_backend", "SELECT pg_backend_pid()"};
const statement test_end_backend{"test_end_backend", "SELECT pg_terminate_backend($1::int)"};
const statement test_person_name{"test_person_name", "INSERT INTO journals (id, position) VALUES ($1, 1)"};
const statement test_journals{"test_journals", "SELECT count(*) FROM journals"};
const statement test_lock_journal{"test_lock_journal", "UPDATE journals SET position = position + 1 WHERE id = $1"};

std::int64_t journals(fixture& f)
{
    return f.in([](transaction& tx) { return first_row(run(tx, test_journals), [](reader& r) { return r.number(); }).value(); });
}

}  // namespace

TEST_CASE("values go in and come out as they were")
{
    fixture f;
    CHECK(f.in([](transaction& tx) { return first_row(run(tx, test_sum, 40, 2), [](reader& r) { return r.number(); }).value(); }) == 42);
    const std::string words = "Ünïcode, \"quotes\", \\ and 'more'\n{a,b} NULL";
    CHECK(f.in([&](transaction& tx) { return first_row(run(tx, test_text, words), [](reader& r) { return r.text(); }).value(); }) == words);
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
    CHECK(f.in([&](transaction& tx) {
        return first_row(run(tx, test_bytes, as_bytes{bytes}), [](reader& r) { return r.bytes(); }).value();
    }) == bytes);
    const std::vector<std::string> texts{words, "", "NULL", "a\\\"b"};
    CHECK(f.in([&](transaction& tx) {
        return first_row(run(tx, test_texts, array_of(texts)), [](reader& r) { return r.texts(); }).value();
    }) == texts);
    array_literal literal;
    literal.add(some_id<hold_id>(1));
    literal.add_null();
    literal.add(std::int64_t{-7});
    CHECK(literal.text() == "{" + some_id<hold_id>(1).text() + ",NULL,-7}");
    for (const char* text :
         {"1970-01-01T00:00:00Z", "2026-02-28T23:59:59.123456Z", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00.5Z"}) {
        CAPTURE(text);
        const auto t = parse_rfc3339(text).value();
        CHECK(f.in([&](transaction& tx) { return first_row(run(tx, test_time, t), [](reader& r) { return r.time(); }).value(); }) == t);
    }
}

TEST_CASE("the clock is the database's, and stands still until it is read anew")
{
    fixture f;
    const auto [first, second] = f.in([](transaction& tx) {
        const auto a = tx.now();
        run(tx, test_sum, 1, 1);
        return std::pair(a, tx.now());
    });
    CHECK(first == second);
    CHECK(f.now() > first);
}

TEST_CASE("a failure rolls back, a value commits")
{
    fixture f;
    const auto failed = f.db().run_blocking([](transaction& tx) -> result<int> {
        run(tx, test_person_name, "one");
        return fail(problem::conflict, "no");
    });
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().what == problem::conflict);
    CHECK(journals(f) == 0);

    const auto thrown = f.db().run_blocking([](transaction& tx) -> int {
        run(tx, test_person_name, "one");
        throw std::runtime_error("odd");
    });
    REQUIRE_FALSE(thrown.has_value());
    CHECK(thrown.error().what == problem::internal_error);
    CHECK(thrown.error().cause == "odd");
    CHECK(journals(f) == 0);

    f.in([](transaction& tx) { run(tx, test_person_name, "one"); });
    CHECK(journals(f) == 1);
}

TEST_CASE("whoever swallows the driver's exception commits nothing, and is told")
{
    fixture f;
    const auto swallowed = f.db().run_blocking([](transaction& tx) {
        run(tx, test_person_name, "one");
        try {
            run(tx, test_divide, 0);
        } catch (const std::exception&) {
        }
        return 1;
    });
    REQUIRE_FALSE(swallowed.has_value());
    CHECK(swallowed.error().what == problem::internal_error);
    CHECK(journals(f) == 0);
}

TEST_CASE("what PostgreSQL refuses has a name")
{
    fixture f;
    struct row {
        const char* name;
        std::function<void(transaction&)> act;
        problem then;
    };
    const row rows[] = {
        {"a NUL in a text", [](transaction& tx) { run(tx, test_text, std::string_view("a\0b", 3)); }, problem::invalid_input},
        {"a NUL in an array", [](transaction& tx) { run(tx, test_texts, array_of(std::vector{std::string("a\0b", 3)})); },
         problem::invalid_input},
        {"no UTF-8", [](transaction& tx) { run(tx, test_text, "\xff"); }, problem::invalid_input},
        {"a mistake of ours", [](transaction& tx) { run(tx, test_divide, 0); }, problem::internal_error},
        {"a row that is there", [](transaction& tx) { run(tx, test_person_name, "x"), run(tx, test_person_name, "x"); },
         problem::internal_error},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto answer = f.db().run_blocking(r.act);
        REQUIRE_FALSE(answer.has_value());
        CHECK(answer.error().what == r.then);
        CHECK_FALSE(answer.error().cause.empty());
    }
    CHECK(f.db().available());
}

TEST_CASE("a statement that takes too long ends")
{
    auto options = options_for(shared_cluster(), new_schema());
    options.statement_timeout = std::chrono::milliseconds(50);
    const auto db = database::open(std::move(options)).value();
    const auto late = db->run_blocking([](transaction& tx) { run(tx, test_slow, 30); });
    REQUIRE_FALSE(late.has_value());
    CHECK(late.error().what == problem::storage_unavailable);
    CHECK(db->available());
}

TEST_CASE("a server that says nothing is left")
{
    auto options = options_for(shared_cluster(), new_schema());
    options.statement_timeout = std::chrono::milliseconds(60'000);
    options.deaf_after = std::chrono::milliseconds(300);
    options.threads = 1;
    const auto db = database::open(std::move(options)).value();
    const auto deaf = db->run_blocking([](transaction& tx) { run(tx, test_slow, 60); });
    REQUIRE_FALSE(deaf.has_value());
    CHECK(deaf.error().what == problem::storage_unavailable);
    INFO("it was the only connection: who comes next waits for the new one");
    CHECK(db->run_blocking([](transaction& tx) { run(tx, test_slow, 0); }).has_value());
}

TEST_CASE("a connection lost before the commit: the function runs again on another")
{
    fixture f(2);
    int runs = 0;
    const auto answer = f.db().run_blocking([&](transaction& tx) {
        run(tx, test_person_name, "one");
        if (++runs == 1) {
            const auto pid = first_row(run(tx, test_backend), [](reader& r) { return r.number(); }).value();
            f.in([pid](transaction& other) { run(other, test_end_backend, pid); });
            run(tx, test_sum, 1, 1);
        }
        return runs;
    });
    REQUIRE(answer.has_value());
    CHECK(*answer == 2);
    CHECK(journals(f) == 1);
}

TEST_CASE("transactions that deadlock: one goes first, the other again")
{
    fixture f(2);
    f.in([](transaction& tx) { run(tx, test_person_name, "a"), run(tx, test_person_name, "b"); });
    std::atomic<int> runs{0};
    std::latch both(2);
    const auto locks = [&](const char* first, const char* second) {
        return [&, first, second, once = false](transaction& tx) mutable {
            ++runs;
            run(tx, test_lock_journal, first);
            if (!std::exchange(once, true)) both.arrive_and_wait();
            run(tx, test_lock_journal, second);
        };
    };
    auto other = std::async(std::launch::async, [&] { return f.db().run_blocking(locks("a", "b")); });
    CHECK(f.db().run_blocking(locks("b", "a")).has_value());
    CHECK(other.get().has_value());
    CHECK(runs >= 3);
}

TEST_CASE("the queue is bounded, and what waits too long fails")
{
    auto options = options_for(shared_cluster(), new_schema());
    options.threads = 1;
    options.waiting = 2;
    options.longest_wait = std::chrono::milliseconds(500);
    const auto db = database::open(std::move(options)).value();

    std::binary_semaphore begun(0);
    std::promise<bool> first;
    db->run_then([&](transaction& tx) { begun.release(), run(tx, test_slow, 1); }, [&](result<void> r) { first.set_value(r.has_value()); });
    begun.acquire();  // the only thread is busy now

    std::promise<problem> waited;
    db->run_then([](transaction&) {}, [&](result<void> r) { waited.set_value(r ? problem::internal_error : r.error().what); });
    db->run_then([](transaction&) {}, [](result<void>) {});
    const auto refused = db->run_blocking([](transaction&) {});
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().what == problem::storage_unavailable);
    CHECK(refused.error().cause == "the queue is full");

    CHECK(first.get_future().get());
    CHECK(waited.get_future().get() == problem::storage_unavailable);
}

TEST_CASE("awaiting resumes on the core that asked")
{
    fixture f;
    boost::asio::io_context core(1);
    std::thread::id there, here;
    auto sum = boost::asio::co_spawn(
        core,
        [](database& db, boost::asio::io_context::executor_type executor, std::thread::id& ran_on) -> core_awaitable<std::int64_t> {
            auto ask = [](transaction& tx) { return first_row(run(tx, test_sum, 20, 22), [](reader& r) { return r.number(); }).value(); };
            const auto answer = co_await db.run(executor, ask);
            ran_on = std::this_thread::get_id();
            co_return answer.value();
        }(f.db(), core.get_executor(), there),
        boost::asio::use_future);
    here = std::this_thread::get_id();
    core.run();  // comes to its end only because the awaited function counts as work
    CHECK(sum.get() == 42);
    CHECK(there == here);
}

TEST_CASE("stopping: what runs ends, what waits and what comes later is refused")
{
    auto options = options_for(shared_cluster(), new_schema());
    options.threads = 1;
    const auto db = database::open(std::move(options)).value();
    std::binary_semaphore begun(0), go_on(0);
    std::promise<bool> running, waiting;
    db->run_then([&](transaction& tx) { begun.release(), go_on.acquire(), run(tx, test_person_name, "one"); },
                 [&](result<void> r) { running.set_value(r.has_value()); });
    begun.acquire();
    db->run_then([](transaction&) {}, [&](result<void> r) { waiting.set_value(r.has_value()); });
    std::thread stopper([&] { db->stop(); });
    go_on.release();
    CHECK(running.get_future().get());
    stopper.join();
    waiting.get_future().get();
    CHECK_FALSE(db->run_blocking([](transaction&) {}).has_value());
    CHECK_FALSE(db->available());
}

TEST_CASE("an end is set: what runs and what waits fails then, whatever the server does, and nothing more is taken")
{
    auto options = options_for(shared_cluster(), new_schema());
    options.statement_timeout = std::chrono::milliseconds(60'000);
    options.threads = 1;
    const auto db = database::open(std::move(options)).value();
    std::promise<result<void>> running, waiting;
    db->run_then([](transaction& tx) { run(tx, test_slow, 60); }, [&](result<void> r) { running.set_value(std::move(r)); });
    db->run_then([](transaction&) {}, [&](result<void> r) { waiting.set_value(std::move(r)); });
    const auto begin = std::chrono::steady_clock::now();
    db->end_by(begin + std::chrono::milliseconds(300));
    for (auto* const one : {&running, &waiting}) {
        const auto ended = one->get_future().get();
        REQUIRE_FALSE(ended.has_value());
        CHECK(ended.error().what == problem::storage_unavailable);
    }
    CHECK(std::chrono::steady_clock::now() - begin >= std::chrono::milliseconds(300));
    CHECK_FALSE(db->run_blocking([](transaction&) {}).has_value());
    db->stop();
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
}

TEST_CASE("until the end that is set all goes on")
{
    fixture f;
    f.db().end_by(std::chrono::steady_clock::now() + std::chrono::seconds(60));
    CHECK(f.ask("SELECT 1") == "1");
}

TEST_CASE("opening is given up")
{
    fixture f;
    // Another replica migrates, for long.
    std::promise<void> locked, go_on;
    auto lock_schema = [&, schema = f.schema()](transaction& tx) {
        run(tx, test_lock, "sallyport schema " + schema);
        locked.set_value();
        go_on.get_future().wait();
    };
    std::promise<void> unlocked;
    f.db().run_then(std::move(lock_schema), [&](const result<void>&) { unlocked.set_value(); });
    locked.get_future().wait();
    auto options = options_for(shared_cluster(), f.schema());
    std::stop_source given_up;
    options.given_up = given_up.get_token();
    std::thread opening([&] {
        const auto opened = database::open(std::move(options));
        REQUIRE_FALSE(opened.has_value());
        CHECK(opened.error().what == problem::storage_unavailable);
    });
    const auto begin = std::chrono::steady_clock::now();
    given_up.request_stop();
    opening.join();
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));
    go_on.set_value();
    unlocked.get_future().wait();
}

TEST_CASE("what cannot be opened says why")
{
    database_options nowhere;
    nowhere.uri = "postgresql:///none?host=%2Fnonexistent&user=nobody";
    const auto unreachable = database::open(std::move(nowhere));
    REQUIRE_FALSE(unreachable.has_value());
    CHECK(unreachable.error().what == problem::storage_unavailable);

    auto odd = options_for(shared_cluster(), "public; drop schema x");
    const auto refused = database::open(std::move(odd));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().what == problem::invalid_input);
}

}  // namespace sallyport::storage
