#include "storage/audit_store.hpp"

#include "storage/outbox_store.hpp"
#include "storage/sql.hpp"
#include "tests/storage/fixture.hpp"

#include <atomic>
#include <functional>
#include <future>
#include <latch>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::storage {
namespace {

using namespace std::chrono_literals;

audit_entry entry(unsigned n, time_point at, const std::string& kind = "hold")
{
    audit_entry e;
    e.at = at;
    e.kind = kind;
    e.hold = some_id<hold_id>(n);
    e.agent = some_id<agent_id>(n % 2);
    if (n % 2 == 0) e.person = some_id<person_id>(n);
    e.data = "{ \"n\" : " + std::to_string(n) + ",  \"text\":\"\\u0000 ü\" }";
    return e;
}

std::string indexes(const std::vector<audit_entry>& entries)
{
    std::string all;
    for (const auto& e : entries) all += std::to_string(e.index);
    return all;
}

// As the server plans a prepared statement that it does not plan anew for each of its values.
std::string plan_of(const fixture& f, const std::string& name, const std::string& values)
{
    const statement* asked = statement::first();
    while (asked != nullptr && name != asked->name()) asked = asked->next();
    REQUIRE(asked != nullptr);
    pqxx::connection connection(shared_cluster().uri());
    pqxx::work work(connection);
    work.exec("SET search_path = " + f.schema());
    work.exec("SET plan_cache_mode = force_generic_plan");
    work.exec("PREPARE asked AS " + std::string(asked->text()));
    std::string plan;
    for (const pqxx::row line : work.exec("EXPLAIN (COSTS OFF) EXECUTE asked(" + values + ")")) plan += line[0].c_str() + std::string("\n");
    return plan;
}

outbox_entry message(const std::string& key)
{
    outbox_entry m;
    m.key = key;
    m.channel = "slack";
    return m;
}

}  // namespace

TEST_CASE("what is appended gets its place in the log, in order, to the byte")
{
    fixture f;
    const auto t = f.now();
    f.in([&](transaction& tx) {
        audit_store::append(tx, entry(1, t));
        audit_store::append(tx, std::vector<audit_entry>{entry(2, t), entry(3, t), entry(4, t)});
    });
    CHECK(f.in([](transaction& tx) { return audit_store::pending(tx); }) == 4);
    CHECK(f.in([](transaction& tx) { return audit_store::list(tx, {}); }).empty());
    CHECK(f.in([](transaction& tx) { return audit_store::head(tx).size; }) == 0);

    const auto make = [](audit_head& head, std::span<const audit_entry> added) {
        head.tree = std::string("\0tree", 5) + std::to_string(added.size());
        head.checkpoint = "size " + std::to_string(head.size);
    };
    CHECK(indexes(f.in([&](transaction& tx) { return audit_store::integrate(tx, 3, make); })) == "012");
    CHECK(indexes(f.in([&](transaction& tx) { return audit_store::integrate(tx, 3, make); })) == "3");
    CHECK(f.in([&](transaction& tx) { return audit_store::integrate(tx, 3, make); }).empty());
    const auto head = f.in([](transaction& tx) { return audit_store::head(tx); });
    CHECK(head.size == 4);
    CHECK(head.tree == std::string("\0tree1", 6));
    CHECK(head.checkpoint == "size 4");
    CHECK(head.origin.starts_with("sallyport/"));

    const auto all = f.in([](transaction& tx) { return audit_store::read(tx, 0, 100); });
    REQUIRE(all.size() == 4);
    for (unsigned n = 1; n <= 4; ++n) {
        const auto expected = entry(n, t);
        const auto& e = all[n - 1];
        CHECK(e.index == n - 1);
        CHECK(e.at == t);
        CHECK(e.kind == "hold");
        CHECK(e.hold == expected.hold);
        CHECK(e.agent == expected.agent);
        CHECK(e.person == expected.person);
        CHECK_FALSE(e.action);
        CHECK(e.data == expected.data);
    }
    CHECK(indexes(f.in([](transaction& tx) { return audit_store::read(tx, 2, 1); })) == "2");
}

TEST_CASE("who must have all that is committed waits for another integrator")
{
    fixture f(2);
    f.in([&](transaction& tx) { audit_store::append(tx, std::vector<audit_entry>{entry(1, f.now()), entry(2, f.now())}); });
    std::latch have(2);
    std::promise<void> go_on;
    auto other = std::async(std::launch::async, [&, waits = go_on.get_future().share()] {
        f.in([&](transaction& tx) {
            CHECK(audit_store::integrate(tx, 1).size() == 1);
            have.arrive_and_wait();
            waits.wait();
        });
    });
    have.arrive_and_wait();
    CHECK(f.in([](transaction& tx) { return audit_store::integrate(tx, 10); }).empty());
    auto all = std::async(std::launch::async, [&] {
        return f.in([](transaction& tx) { return audit_store::integrate(tx, 10, {}, audit_store::at_head::wait); });
    });
    go_on.set_value();
    other.get();
    CHECK(indexes(all.get()) == "1");
    CHECK(f.in([](transaction& tx) { return audit_store::pending(tx); }) == 0);
}

TEST_CASE("several integrators and several writers: one log without a gap")
{
    fixture f(4);
    const auto t = f.now();
    constexpr unsigned writers = 3, each = 20;
    std::vector<std::future<void>> all;
    for (unsigned w = 0; w < writers; ++w)
        all.push_back(std::async(std::launch::async, [&, w] {
            for (unsigned i = 0; i < each; ++i) f.in([&](transaction& tx) { audit_store::append(tx, entry(w * 100 + i, t)); });
        }));
    std::atomic<bool> written{false};
    for (int i = 0; i < 2; ++i)
        all.push_back(std::async(std::launch::async, [&] {
            for (;;) {
                const bool last = written;
                const auto added = f.in([](transaction& tx) { return audit_store::integrate(tx, 7); });
                if (last && added.empty() && f.in([](transaction& tx) { return audit_store::pending(tx); }) == 0) return;
            }
        }));
    for (unsigned w = 0; w < writers; ++w) all[w].get();
    written = true;
    for (unsigned i = writers; i < all.size(); ++i) all[i].get();

    const auto log = f.in([](transaction& tx) { return audit_store::read(tx, 0, 1000); });
    REQUIRE(log.size() == writers * each);
    std::vector<int> last(writers, -1);
    for (std::size_t i = 0; i < log.size(); ++i) {
        REQUIRE(log[i].index == static_cast<std::int64_t>(i));
        // Each writer's own are in the order of its writing.
        const int n = std::stoi(log[i].data.substr(8));
        REQUIRE(n % 100 > last.at(static_cast<std::size_t>(n / 100)));
        last[static_cast<std::size_t>(n / 100)] = n % 100;
    }
}

TEST_CASE("the log only grows")
{
    fixture f;
    f.in([&](transaction& tx) {
        audit_store::append(tx, entry(1, tx.now()));
        audit_store::integrate(tx, 10);
    });
    CHECK_THROWS(f.sql("UPDATE audit_log SET data = '{}'"));
    CHECK_THROWS(f.sql("DELETE FROM audit_log"));
    CHECK_THROWS(f.sql("TRUNCATE audit_log"));
    CHECK(f.ask("SELECT count(*) FROM audit_log") == "1");
}

TEST_CASE("the log is looked through")
{
    fixture f;
    const auto t = f.now();
    f.in([&](transaction& tx) {
        for (unsigned n = 0; n < 6; ++n) {
            auto e = entry(n, t + std::chrono::seconds(n), n < 3 ? "hold" : "decision");
            if (n == 5) e.action = some_id<action_id>(5);
            audit_store::append(tx, e);
        }
        audit_store::integrate(tx, 10);
    });
    struct row {
        const char* name;
        std::function<void(audit_query&)> ask;
        const char* then;
    };
    const row rows[] = {
        {"newest first", [](audit_query&) {}, "543210"},
        {"oldest first", [](audit_query& q) { q.oldest_first = true; }, "012345"},
        {"a page", [](audit_query& q) { q.limit = 2; }, "54"},
        {"the next", [](audit_query& q) { q.limit = 2, q.cursor = 4; }, "32"},
        {"the next, upwards", [](audit_query& q) { q.limit = 2, q.cursor = 1, q.oldest_first = true; }, "23"},
        {"since", [&](audit_query& q) { q.since = t + 4s; }, "54"},
        {"until", [&](audit_query& q) { q.until = t + 2s; }, "10"},
        {"a kind", [](audit_query& q) { q.kind = "decision"; }, "543"},
        {"a hold", [](audit_query& q) { q.hold = some_id<hold_id>(3); }, "3"},
        {"an agent", [](audit_query& q) { q.agent = some_id<agent_id>(1); }, "531"},
        {"a person", [](audit_query& q) { q.person = some_id<person_id>(4); }, "4"},
        {"an action", [](audit_query& q) { q.action = some_id<action_id>(5); }, "5"},
        {"nothing", [](audit_query& q) { q.kind = "admin"; }, ""},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        audit_query q;
        r.ask(q);
        CHECK(indexes(f.in([&](transaction& tx) { return audit_store::list(tx, q); })) == r.then);
    }
    CHECK_FALSE(f.db().run_blocking([&](transaction& tx) { audit_store::append(tx, entry(1, t, "gossip")); }).has_value());
}

TEST_CASE("what comes in bulk is behind the log's end, to the byte and the microsecond")
{
    fixture f;
    const auto t = time_point(std::chrono::seconds(1'795'716'963)) + 123'457us;
    std::vector<audit_entry> many{entry(1, t), entry(2, t + 1us), entry(3, t)};
    many[2].data = R"({"text":"\"\\u0000\" ü","n":1})";
    f.in([&](transaction& tx) { audit_store::append_to_log(tx, many); });
    f.in([&](transaction& tx) { audit_store::append_to_log(tx, std::span(many).first(2)); });
    CHECK(indexes(many) == "342");
    const auto all = f.in([](transaction& tx) { return audit_store::read(tx, 0, 10); });
    REQUIRE(all.size() == 5);
    CHECK(all[1].at == t + 1us);
    CHECK(all[1].person == some_id<person_id>(2));
    CHECK(all[2].data == many[2].data);
    CHECK_FALSE(all[2].person);
    CHECK(all[4].data == entry(2, t).data);
    for (const std::string& bad : {std::string("\"\0\"", 3), std::string("\"\xff\"")}) {
        std::vector<audit_entry> one{entry(1, t)};
        one[0].data = bad;
        const auto refused = f.db().run_blocking([&](transaction& tx) { audit_store::append_to_log(tx, one); });
        CHECK(refused.error().what == problem::invalid_input);
    }
    CHECK(f.in([](transaction& tx) { return audit_store::head(tx).size; }) == 5);
}

TEST_CASE("who looks for few entries among many reads few, also by a plan that does not know the values")
{
    fixture f;
    f.sql("INSERT INTO audit_log (index, at, kind, action, agent, data) SELECT n, timestamptz 'epoch' + n * interval '1 second', 'verdict',"
          " 'act_' || lpad(n::text, 26, '0'), 'agt_' || lpad((n % 50)::text, 26, '0'), '{}' FROM generate_series(0, 29999) AS n");
    f.sql("INSERT INTO audit_log (index, at, kind, action, hold, person, data) SELECT n, timestamptz 'epoch' + n * interval '1 second', "
          "'hold',"
          " 'act_' || lpad(n::text, 26, '0'), 'hld_' || lpad(n::text, 26, '0'), 'per_' || lpad((n % 3)::text, 26, '0'), '{}'"
          " FROM generate_series(30000, 30009) AS n");
    f.sql("ANALYZE audit_log");
    const char* const none = "NULL, NULL, NULL, NULL, NULL, NULL, NULL";
    struct row {
        const char* name;
        const char* statement;
        std::string given;  // $1 to $7
        const char* index;
    };
    const std::string zeros(26, '0');
    const row rows[] = {
        {"an action", "of_action", "NULL, NULL, NULL, 'act_" + zeros + "', NULL, NULL, NULL", "audit_log_action"},
        {"a hold", "of_hold", "NULL, NULL, NULL, NULL, 'hld_" + zeros + "', NULL, NULL", "audit_log_hold_index_idx"},
        {"a person", "of_person", "NULL, NULL, NULL, NULL, NULL, NULL, 'per_" + zeros + "'", "audit_log_person_index_idx"},
        {"a kind", "of_rare_kind", "NULL, NULL, 'admin', NULL, NULL, NULL, NULL", "audit_log_kind"},
        {"an agent", "of_agent", "NULL, NULL, NULL, NULL, NULL, 'agt_" + zeros + "', NULL", "audit_log_agent_index_idx"},
        {"the end", "of_all", none, "audit_log_pkey"},
    };
    for (const row& r : rows)
        for (const std::string way : {"newest", "oldest"}) {
            CAPTURE(r.name);
            CAPTURE(way);
            const auto plan = plan_of(f, way + "_" + r.statement, r.given + ", " + (way == "newest" ? "30005" : "30000") + ", 100");
            CAPTURE(plan);
            CHECK(plan.find(r.index) != std::string::npos);
            CHECK(plan.find("Seq Scan") == std::string::npos);
        }
}

TEST_CASE("a journal is brought in once")
{
    fixture f;
    f.in([](transaction& tx) {
        CHECK(audit_store::journal_position(tx, "j1") == 0);
        CHECK(audit_store::move_journal(tx, "j1", 0, 100) == race::won);
        CHECK(audit_store::move_journal(tx, "j1", 0, 100) == race::lost);
        CHECK(audit_store::move_journal(tx, "j1", 50, 150) == race::lost);
        CHECK(audit_store::move_journal(tx, "j1", 100, 150) == race::won);
        CHECK(audit_store::journal_position(tx, "j1") == 150);
        CHECK(audit_store::journal_position(tx, "j2") == 0);
        CHECK(audit_store::move_journal(tx, "j2", 7, 8) == race::lost);
    });
}

TEST_CASE("messages: enqueued once, due to one, sent, tried again, given up, revived")
{
    fixture f(2);
    f.in([](transaction& tx) {
        CHECK(outbox_store::enqueue(tx, std::vector<outbox_entry>{message("a"), message("b"), message("a")}) == 2);
        CHECK(outbox_store::enqueue(tx, std::vector<outbox_entry>{message("b"), message("c")}) == 1);
        CHECK(outbox_store::counts(tx).at("slack").pending == 3);
        CHECK(outbox_store::counts(tx).at("slack").oldest.value() <= tx.now());
        CHECK(outbox_store::due(tx, "email", 10, 1min).empty());
    });
    const auto mine = f.in([](transaction& tx) { return outbox_store::due(tx, "slack", 2, 1h); });
    REQUIRE(mine.size() == 2);
    CHECK(mine[0].key == "a");
    CHECK(mine[0].what == message_kind::asked);
    CHECK(mine[0].attempts == 1);
    const auto theirs = f.in([](transaction& tx) { return outbox_store::due(tx, "slack", 10, 0s); });
    REQUIRE(theirs.size() == 1);
    CHECK(theirs[0].key == "c");
    // Its lease was none: whoever took it may have died.
    CHECK(f.in([](transaction& tx) { return outbox_store::due(tx, "slack", 10, 1h); }).at(0).attempts == 2);

    f.in([&](transaction& tx) {
        CHECK(outbox_store::sent(tx, mine[0].id, "C1/169.1") == race::won);
        CHECK(outbox_store::sent(tx, mine[0].id, "C1/169.1") == race::lost);
        CHECK(outbox_store::again(tx, mine[1].id, tx.now() - 1us, "502") == race::won);
        const auto again = outbox_store::due(tx, "slack", 10, 1h);
        REQUIRE(again.size() == 1);
        CHECK(again[0].last_error == "502");
        CHECK(again[0].attempts == 2);
        CHECK(outbox_store::dead(tx, mine[1].id, "no such channel") == race::won);
        CHECK(outbox_store::again(tx, mine[1].id, tx.now(), "") == race::lost);
        const auto dead = outbox_store::dead_letters(tx, 10);
        REQUIRE(dead.size() == 1);
        CHECK(dead[0].state == outbox_state::dead);
        CHECK(dead[0].last_error == "no such channel");
        CHECK(outbox_store::revive(tx, mine[1].id) == race::won);
        CHECK(outbox_store::revive(tx, mine[1].id) == race::lost);
        CHECK(outbox_store::due(tx, "slack", 10, 1h).at(0).key == "b");
        CHECK(outbox_store::remove_over(tx, tx.now() - 1h, 10) == 0);
        CHECK(outbox_store::remove_over(tx, tx.now() + 1h, 10) == 1);
    });
}

TEST_CASE("messages are taken by one replica while another looks")
{
    fixture f(2);
    f.in([](transaction& tx) { outbox_store::enqueue(tx, std::vector<outbox_entry>{message("a"), message("b")}); });
    std::latch have(2), done(2);
    auto other = std::async(std::launch::async, [&] {
        return f.in([&](transaction& tx) {
            auto taken = outbox_store::due(tx, "slack", 1, 1h);
            have.arrive_and_wait();
            done.arrive_and_wait();
            return taken;
        });
    });
    have.arrive_and_wait();
    const auto mine = f.in([](transaction& tx) { return outbox_store::due(tx, "slack", 10, 1h); });
    done.arrive_and_wait();
    const auto theirs = other.get();
    REQUIRE(mine.size() == 1);
    REQUIRE(theirs.size() == 1);
    CHECK(mine[0].key != theirs[0].key);
}

}  // namespace sallyport::storage
