#include "storage/replica_store.hpp"

#include "storage/hold_store.hpp"
#include "tests/storage/holds.hpp"

#include <future>
#include <latch>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::storage {

using namespace std::chrono_literals;

namespace {

using many = std::vector<stored_hold>;

many read_due(transaction& tx, std::size_t limit) { return hold_store::read_locked(tx, hold_store::lock_due(tx, {limit}), payload::leave); }
many claim(transaction& tx, std::string_view replica, std::size_t limit)
{
    return hold_store::read_locked(tx, hold_store::claim(tx, replica, {limit}), payload::read);
}
many read_abandoned(transaction& tx, std::string_view replica, std::size_t limit)
{
    return hold_store::read_locked(tx, hold_store::lock_abandoned(tx, replica, {limit}), payload::leave);
}

}  // namespace

TEST_CASE_FIXTURE(holds, "what time moves: due once, by one, in order")
{
    const auto t = now();
    for (unsigned n = 1; n <= 3; ++n) {
        auto h = make(n, t);
        h.hold.wake_at = n == 3 ? t + 1h : t - std::chrono::seconds(n);
        in([&](transaction& tx) { create(tx, h); });
    }
    CHECK(in([](transaction& tx) { return hold_store::next_wake(tx); }) == t - 2s);
    std::latch have(2), done(2);
    auto other_due = std::async(std::launch::async, [&] {
        return in([&](transaction& tx) {
            auto due = read_due(tx, 1);
            have.arrive_and_wait();
            done.arrive_and_wait();
            return due;
        });
    });
    have.arrive_and_wait();
    const auto mine = in([&](transaction& tx) { return read_due(tx, 10); });  // does not wait
    done.arrive_and_wait();
    const auto theirs = other_due.get();
    REQUIRE(theirs.size() == 1);
    CHECK(theirs[0].hold.id == some_id<hold_id>(2));
    REQUIRE(mine.size() == 1);
    CHECK(mine[0].hold.id == some_id<hold_id>(1));
    CHECK(mine[0].now >= *mine[0].hold.wake_at);
    const auto both = in([&](transaction& tx) { return read_due(tx, 10); });
    REQUIRE(both.size() == 2);
    CHECK(both[0].hold.id == some_id<hold_id>(2));
}

TEST_CASE_FIXTURE(holds, "a release is claimed by one, and given back")
{
    in([&](transaction& tx) { approve(tx, 1), approve(tx, 2); });
    CHECK(in([](transaction& tx) { return hold_store::next_claimable(tx); }).has_value());
    const auto mine = in([](transaction& tx) { return claim(tx, "r1", 1); });
    REQUIRE(mine.size() == 1);
    CHECK(mine[0].hold.id == some_id<hold_id>(1));
    CHECK_FALSE(mine[0].action.sealed_payload.empty());
    const auto theirs = in([](transaction& tx) { return claim(tx, "r2", 10); });
    REQUIRE(theirs.size() == 1);
    CHECK(theirs[0].hold.id == some_id<hold_id>(2));
    CHECK(in([](transaction& tx) { return claim(tx, "r1", 10); }).empty());
    CHECK_FALSE(in([](transaction& tx) { return hold_store::next_claimable(tx); }));

    hold sending = mine[0].hold;
    sending.status = hold_status::releasing;
    sending.wake_at.reset();
    CHECK(in([&](transaction& tx) { return hold_store::advance(tx, mine[0].hold, sending, {"r2", std::nullopt}); }) == race::lost);
    CHECK(in([&](transaction& tx) { return hold_store::advance(tx, mine[0].hold, sending, {"r1", std::nullopt}); }) == race::won);

    // Given back: not before its time, and not by another.
    in([&](transaction& tx) { hold_store::unclaim(tx, theirs[0].hold.id, "r1", std::nullopt); });
    CHECK(in([](transaction& tx) { return claim(tx, "r1", 10); }).empty());
    in([&](transaction& tx) { hold_store::unclaim(tx, theirs[0].hold.id, "r2", tx.now() + 1h); });
    CHECK(in([](transaction& tx) { return claim(tx, "r1", 10); }).empty());
    CHECK(in([](transaction& tx) { return hold_store::next_claimable(tx).value() > tx.now(); }));
    sql("UPDATE holds SET retry_at = now() WHERE retry_at IS NOT NULL");
    CHECK(in([](transaction& tx) { return claim(tx, "r1", 10); }).size() == 1);
    in([](transaction& tx) { hold_store::unclaim_all(tx, "r1"); });
    CHECK(in([](transaction& tx) { return claim(tx, "r2", 10); }).size() == 1);

    // The outcome.
    const auto read = stored(1);
    CHECK(read.status == hold_status::releasing);
    hold done = closed_as(read, hold_status::released, now());
    done.outcome = hold_outcome{201, *done.closed_at};
    CHECK(in([&](transaction& tx) { return hold_store::advance(tx, read, done, {"r1", std::nullopt}); }) == race::won);
    CHECK(stored(1).outcome->status == 201);
    CHECK(ask("SELECT claimed_by FROM holds WHERE id = '" + read.id.text() + "'").empty());
}

TEST_CASE_FIXTURE(holds, "nothing could be sent: again, after a while")
{
    in([&](transaction& tx) {
        const auto approved = approve(tx, 1);
        REQUIRE(claim(tx, "r1", 1).size() == 1);
        hold sending = approved;
        sending.status = hold_status::releasing;
        sending.wake_at.reset();
        REQUIRE(hold_store::advance(tx, approved, sending, {"r1", std::nullopt}) == race::won);
        ++sending.version;
        hold again = sending;
        again.status = hold_status::approved;
        again.attempts = 1;
        again.wake_at = again.release_by;
        REQUIRE(hold_store::advance(tx, sending, again, {"r1", tx.now() + 1h}) == race::won);
        CHECK(claim(tx, "r2", 1).empty());
    });
    sql("UPDATE holds SET retry_at = now()");
    const auto claimed = in([](transaction& tx) { return claim(tx, "r2", 1); });
    REQUIRE(claimed.size() == 1);
    CHECK(claimed[0].hold.attempts == 1);
    CHECK_FALSE(claimed[0].hold.maybe_sent);
}

TEST_CASE_FIXTURE(holds, "what may have been sent is remembered, whoever writes next")
{
    in([&](transaction& tx) {
        const auto approved = approve(tx, 1);
        hold sending = approved;
        sending.status = hold_status::releasing;
        sending.wake_at.reset();
        REQUIRE(hold_store::advance(tx, approved, sending, {"r1", std::nullopt}) == race::won);
        ++sending.version;
        hold again = sending;
        again.status = hold_status::approved;
        again.maybe_sent = true;
        again.wake_at = again.release_by;
        REQUIRE(hold_store::advance(tx, sending, again) == race::won);
    });
    auto read = stored(1);
    CHECK(read.maybe_sent);
    auto forgotten = read;
    forgotten.maybe_sent = false;
    CHECK(in([&](transaction& tx) { return hold_store::advance(tx, read, forgotten); }) == race::won);
    CHECK(stored(1).maybe_sent);
}

TEST_CASE_FIXTURE(holds, "holds are picked one by one, or all but some")
{
    in([&](transaction& tx) {
        for (unsigned n = 1; n <= 3; ++n) approve(tx, n);
    });
    sql("UPDATE holds SET wake_at = now() - interval '1 second'");
    const auto one = some_id<hold_id>(1), two = some_id<hold_id>(2), three = some_id<hold_id>(3);
    const std::vector<hold_id> bad{one, three};
    using ids = std::vector<hold_id>;
    CHECK(in([&](transaction& tx) { return hold_store::lock_due(tx, {10, bad}); }) == ids{two});
    CHECK(in([&](transaction& tx) { return hold_store::lock_due(tx, {10, {}, three}); }) == ids{three});
    CHECK(in([&](transaction& tx) { return hold_store::claim(tx, "r1", {10, bad}); }) == ids{two});
    CHECK(in([&](transaction& tx) { return hold_store::claim(tx, "r1", {10, {}, two}); }).empty());
    CHECK(in([&](transaction& tx) { return hold_store::claim(tx, "r2", {10, {}, one}); }) == ids{one});
    sql("UPDATE holds SET status = 'releasing', claimed_by = 'r1', wake_at = NULL");
    CHECK(in([&](transaction& tx) { return hold_store::lock_releasing(tx, "r1", {10, bad}); }) == ids{two});
    CHECK(in([&](transaction& tx) { return hold_store::lock_releasing(tx, "r1", {10}); }).size() == 3);
    CHECK(in([&](transaction& tx) { return hold_store::lock_releasing(tx, "r2", {10}); }).empty());
    in([](transaction& tx) { replica_store::end(tx, "r1"); });
    CHECK(in([&](transaction& tx) { return hold_store::lock_abandoned(tx, "r2", {10, bad}); }) == ids{two});
    CHECK(in([&](transaction& tx) { return hold_store::lock_abandoned(tx, "r2", {10, {}, one}); }) == ids{one});
}

TEST_CASE_FIXTURE(holds, "what a dead replica left")
{
    in([&](transaction& tx) {
        for (unsigned n = 1; n <= 2; ++n) approve(tx, n);
        const auto claimed = claim(tx, "r1", 2);
        REQUIRE(claimed.size() == 2);
        hold sending = claimed[0].hold;
        sending.status = hold_status::releasing;
        sending.wake_at.reset();
        REQUIRE(hold_store::advance(tx, claimed[0].hold, sending, {"r1", std::nullopt}) == race::won);
    });
    const auto left = [&](const char* to) {
        return in([&](transaction& tx) { return std::pair(read_abandoned(tx, to, 10).size(), claim(tx, to, 10).size()); });
    };
    CHECK(left("r2") == std::pair<std::size_t, std::size_t>(0, 0));
    CHECK(in([](transaction& tx) { return replica_store::alive(tx); }) == 2);
    CHECK(in([](transaction& tx) { return replica_store::beat(tx, "r1"); }) == race::won);

    SUBCASE("its node started again")
    {
        in([](transaction& tx) { replica_store::start(tx, "r1-again", "node of r1"); });
        CHECK(in([](transaction& tx) { return replica_store::beat(tx, "r1"); }) == race::lost);
        CHECK(left("r1-again") == std::pair<std::size_t, std::size_t>(1, 1));
    }
    SUBCASE("it ended")
    {
        in([](transaction& tx) { replica_store::end(tx, "r1"); });
        CHECK(left("r2") == std::pair<std::size_t, std::size_t>(1, 1));
        CHECK(in([](transaction& tx) { return replica_store::alive(tx); }) == 1);
    }
    SUBCASE("it fell silent; but not for its own eyes")
    {
        sql("UPDATE replicas SET heartbeat_at = now() - interval '1 minute' WHERE id = 'r1'");
        CHECK(in([](transaction& tx) { return read_abandoned(tx, "r1", 10); }).empty());
        // Silence counts only once the database has been up as long: this one has, or has just been started for us.
        const bool counts = ask("SELECT pg_postmaster_start_time() <= now() - interval '10 seconds'") == "t";
        CHECK(in([](transaction& tx) { return read_abandoned(tx, "r2", 10); }).size() == (counts ? 1 : 0));
    }
}

}  // namespace sallyport::storage
