// Who approved an agent's last call, as the database knows it, and that two cannot ask at once.
#include "storage/hold_store.hpp"

#include "tests/storage/holds.hpp"

#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace sallyport::storage {
namespace {

using namespace std::chrono_literals;

struct turns : holds {
    turns() : holds(4) {}

    new_hold excluding(unsigned n, time_point now, const char* name = "finance") const
    {
        auto h = make(n, now);
        h.hold.demands[0].asks.name = name;
        h.hold.demands[0].asks.not_ = {{target::kind::last_approver, ""}};
        return h;
    }
    void held(unsigned n, const char* name = "finance")
    {
        in([&](transaction& tx) { REQUIRE(create(tx, excluding(n, tx.now(), name)).what == created::kind::created); });
    }
    std::optional<person_id> last_for(unsigned n) { return stored(n).demands[0].last_approval.value().approver; }

    /// Approves it by that person, in one transaction; what it is called by the page's own way.
    static void approve_by(transaction& tx, unsigned n, const person& who, std::string counts_in = "finance", bool enough = true)
    {
        const auto read = hold_store::get_to_decide(tx, some_id<hold_id>(n)).value();
        hold next = read.hold;
        decision d = given(n * 10 + static_cast<unsigned>(next.decisions.size()), who, read.now);
        d.counts_in = {std::move(counts_in)};
        next.decisions.push_back(d);
        if (enough) {
            next.status = hold_status::approved;
            next.decided_at = read.now;
            next.release_by = next.wake_at = read.now + 60s;
        }
        REQUIRE(hold_store::advance(tx, read.hold, next) == race::won);
    }
};

}  // namespace

TEST_CASE_FIXTURE(turns, "who approved last, of the same agent under the same workflow")
{
    held(1);
    CHECK_FALSE(last_for(1));
    in([&](transaction& tx) { approve_by(tx, 1, ada); });
    held(2);
    CHECK(last_for(2) == ada.id);
    held(3, "other");
    CHECK_FALSE(last_for(3));
    // A place counts as the workflow does, and so does a broken glass.
    in([&](transaction& tx) { approve_by(tx, 3, grace, "other/team:legal"); });
    held(4, "other");
    CHECK(last_for(4) == grace.id);
    in([&](transaction& tx) { approve_by(tx, 4, ada, "other/break-glass"); });
    held(5, "other");
    CHECK(last_for(5) == ada.id);
    CHECK(last_for(2) == ada.id);

    // An approval that is not enough, one taken back, and a denial are none.
    in([&](transaction& tx) { approve_by(tx, 2, grace, "finance", false); });
    held(6);
    CHECK(last_for(6) == ada.id);
    in([&](transaction& tx) {
        const auto read = hold_store::get_to_decide(tx, some_id<hold_id>(2)).value();
        hold next = closed_as(read.hold, hold_status::denied, read.now);
        next.decided_at = read.now;
        REQUIRE(hold_store::advance(tx, read.hold, next) == race::won);
    });
    CHECK(last_for(6) == ada.id);
    // Another agent has approvers of its own.
    in([&](transaction& tx) {
        auto h = excluding(7, tx.now());
        h.action.agent = h.hold.agent = other.id;
        REQUIRE(create(tx, h).what == created::kind::created);
    });
    CHECK_FALSE(last_for(7));
    // Approved and then void: approved all the same.
    in([&](transaction& tx) {
        approve_by(tx, 6, grace);
        const auto read = hold_store::get_for_update(tx, some_id<hold_id>(6)).value();
        REQUIRE(hold_store::advance(tx, read.hold, closed_as(read.hold, hold_status::void_, read.now)) == race::won);
    });
    held(8);
    CHECK(last_for(8) == grace.id);
}

TEST_CASE_FIXTURE(turns, "a hold that is not stored yet is told, too")
{
    held(1);
    in([&](transaction& tx) { approve_by(tx, 1, ada); });
    in([&](transaction& tx) {
        hold fresh = excluding(2, tx.now()).hold;
        CHECK_FALSE(fresh.demands[0].last_approval);
        hold_store::read_last_approvals(tx, fresh);
        REQUIRE(fresh.demands[0].last_approval);
        CHECK(fresh.demands[0].last_approval->approver == ada.id);
    });
}

TEST_CASE_FIXTURE(turns, "of two who decide two holds of one agent at once, the second sees the first")
{
    held(1);
    held(2);
    std::promise<void> first_has_it, go_on;
    auto first = std::async(std::launch::async, [&] {
        in([&](transaction& tx) {
            const auto read = hold_store::get_to_decide(tx, some_id<hold_id>(1)).value();
            CHECK_FALSE(read.hold.demands[0].last_approval.value().approver);
            first_has_it.set_value();
            go_on.get_future().wait();
            approve_by(tx, 1, ada);
        });
    });
    first_has_it.get_future().wait();
    auto second = std::async(std::launch::async, [&] {
        return in([&](transaction& tx) {
            const auto read = hold_store::get_to_decide(tx, some_id<hold_id>(2)).value();
            return std::pair(read.hold.demands[0].last_approval.value().approver, read.now);
        });
    });
    // It waits for the first, which holds another row.
    while (ask("SELECT count(*) FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid WHERE NOT l.granted AND a.query LIKE "
               "'%approval_turns%'") == "0" &&
           second.wait_for(0s) != std::future_status::ready)
        std::this_thread::yield();
    CHECK(second.wait_for(0s) != std::future_status::ready);
    go_on.set_value();
    first.get();
    const auto [last, now] = second.get();
    CHECK(last == ada.id);
    // The clock goes the same way as the turns.
    CHECK(now > stored(1).decided_at.value());
}

TEST_CASE_FIXTURE(turns, "holds whose workflows do not ask take no turn")
{
    in([&](transaction& tx) { REQUIRE(create(tx, make(1, tx.now())).what == created::kind::created); });
    in([&](transaction& tx) { CHECK(hold_store::get_to_decide(tx, some_id<hold_id>(1))); });
    CHECK(ask("SELECT count(*) FROM approval_turns") == "0");
    in([&](transaction& tx) { CHECK_FALSE(hold_store::get_to_decide(tx, some_id<hold_id>(99))); });
}

TEST_CASE_FIXTURE(turns, "places, hours, glass and whose place it was are read as they were written")
{
    in([&](transaction& tx) {
        auto h = make(1, tx.now());
        demand& d = h.hold.demands[0];
        d.asks.places = {{target::parse("team:finance").value(), 1}, {target::parse("where:person.handle == \"x\"").value(), 2}};
        d.asks.break_glass = {target::parse("person:grace").value()};
        d.asks.steps[0].within = "office";
        d.waits_until = d.step_ends_at;
        REQUIRE(create(tx, h).what == created::kind::created);
    });
    const hold h = stored(1);
    const demand& d = h.demands[0];
    REQUIRE(d.asks.places.size() == 2);
    CHECK(d.asks.places[1].of.name == "person.handle == \"x\"");
    CHECK(d.asks.places[1].approvals == 2);
    CHECK(d.asks.break_glass.at(0).text() == "person:grace");
    CHECK(d.asks.steps[0].within == "office");
    CHECK(d.asks.steps[1].within.empty());
    CHECK(d.waits_until == d.step_ends_at);
    in([&](transaction& tx) {
        hold next = h;
        decision by = given(11, ada, tx.now());
        by.in_place_of = {"grace", "alan"};
        next.decisions = {by};
        REQUIRE(hold_store::advance(tx, h, next) == race::won);
    });
    CHECK(stored(1).decisions.at(0).in_place_of == std::vector<std::string>{"grace", "alan"});
    CHECK_FALSE(stored(1).decisions.at(0).break_glass);
    // The schema, too, knows that a broken glass is loud.
    for (const char* quiet : {"assurance = 'session'", "reason = ''", "kind = 'deny'", "in_place_of = '{x}'"})
        CHECK_THROWS(sql(std::string("UPDATE decisions SET break_glass = true, in_place_of = '{}', ") + quiet));
    sql("UPDATE decisions SET break_glass = true, in_place_of = '{}'");
    CHECK(stored(1).decisions.at(0).break_glass);
}

}  // namespace sallyport::storage
