#include "storage/listener.hpp"

#include "storage/sql.hpp"
#include "tests/storage/events.hpp"
#include "tests/storage/fixture.hpp"

#include <chrono>
#include <csignal>
#include <string>

namespace sallyport::storage {
namespace {

const statement test_end_listeners{"test_end_listeners", R"(
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE application_name = 'sallyport listener test' AND pid <> pg_backend_pid())"};

}  // namespace

TEST_CASE("what is told is heard, word by word, and again after a lost connection")
{
    fixture f;
    events told;
    listener_options options;
    options.uri = shared_cluster().uri() + "&application_name=sallyport%20listener%20test";
    options.channels = {"test_channel", "test_other"};
    options.heard = [&](std::string_view channel, std::string_view word) { told.tell(std::string(channel) + ":" + std::string(word)); };
    options.reconnected = [&] { told.tell("reconnected"); };
    options.on_event = told.teller();
    listener ear(std::move(options));
    REQUIRE(told.wait_for("reconnected"));

    f.in([](transaction& tx) {
        tx.notify("test_channel", "one");
        tx.notify("test_channel", "two");
        tx.notify("test_channel", "one");
        tx.notify("test_other", "three");
    });
    CHECK(told.wait_for("test_channel:one"));
    CHECK(told.wait_for("test_channel:two"));
    CHECK(told.wait_for("test_other:three"));
    CHECK(told.times("test_channel:one") == 1);

    // What is rolled back is not told.
    const auto rolled_back = f.db().run_blocking([](transaction& tx) -> result<void> {
        tx.notify("test_channel", "never");
        return fail(problem::conflict);
    });
    CHECK_FALSE(rolled_back.has_value());

    // More than one notification holds.
    f.in([](transaction& tx) {
        for (int i = 0; i < 1000; ++i) tx.notify("test_channel", "word-" + std::to_string(i) + std::string(20, '_'));
    });
    CHECK(told.wait_for("test_channel:word-0" + std::string(20, '_')));
    CHECK(told.wait_for("test_channel:word-999" + std::string(20, '_')));
    CHECK(told.times("test_channel:never") == 0);

    f.in([](transaction& tx) { run(tx, test_end_listeners); });
    REQUIRE(told.wait_for("reconnected", 2));
    f.in([](transaction& tx) { tx.notify("test_channel", "after"); });
    CHECK(told.wait_for("test_channel:after"));
    ear.stop();
    CHECK(told.times("not listening to the database") == 1);
}

TEST_CASE("a listener whose server says nothing any more ends at once")
{
    fixture f;
    events told;
    listener_options options;
    options.uri = shared_cluster().uri() + "&application_name=sallyport%20silent%20listener";
    options.channels = {"test_channel"};
    options.reconnected = [&] { told.tell("reconnected"); };
    listener ear(std::move(options));
    REQUIRE(told.wait_for("reconnected"));
    const int server = std::stoi(f.ask("SELECT pid FROM pg_stat_activity WHERE application_name = 'sallyport silent listener'"));
    REQUIRE(::kill(server, SIGSTOP) == 0);
    const auto begin = std::chrono::steady_clock::now();
    ear.stop();
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(2));
    ::kill(server, SIGCONT);
}

TEST_CASE("a listener without a database tries on, and ends when it is told to")
{
    events told;
    listener_options options;
    options.uri = "postgresql:///none?host=%2Fnonexistent&user=nobody";
    options.on_event = told.teller();
    listener ear(std::move(options));
    CHECK(told.wait_for("not listening to the database"));
    ear.stop();
    ear.stop();
}

}  // namespace sallyport::storage
