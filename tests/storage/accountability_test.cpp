// Nothing is held for an agent that nobody active is accountable for, whichever of the two comes first.
#include "storage/agent_store.hpp"

#include "tests/storage/holds.hpp"

#include <array>
#include <future>
#include <latch>
#include <span>
#include <thread>
#include <vector>

namespace sallyport::storage {

TEST_CASE_FIXTURE(holds, "a hold needs an active owner of its agent")
{
    struct row {
        const char* name;
        const char* handle;  // disabled
        const agent* of;
        created::kind then;
    };
    const row rows[] = {
        {"somebody else", "grace", &bot, created::kind::created},
        {"the owner", "ada", &bot, created::kind::inactive},
        {"somebody else than the team", "ada", &other, created::kind::created},
        {"the team's only member", "grace", &other, created::kind::inactive},
    };
    unsigned n = 0;
    for (const row& r : rows) {
        CAPTURE(r.name);
        in([&](transaction& tx) { person_store::set_status(tx, r.handle, person_status::disabled).value(); });
        auto h = make(++n, now());
        h.action.agent = h.hold.agent = r.of->id;
        h.hold.owner = r.of->owner;
        CHECK(in([&](transaction& tx) { return create(tx, h).what; }) == r.then);
        in([&](transaction& tx) { person_store::set_status(tx, r.handle, person_status::active).value(); });
    }
}

// Who disables the last owner locks the agents that are left without one, then voids what they have held.
TEST_CASE_FIXTURE(holds, "a hold that is made while its owner is disabled is refused, or found")
{
    SUBCASE("the owner is disabled first: the hold waits, and is refused")
    {
        std::latch disabled(1);
        auto making = std::async(std::launch::async, [&] {
            disabled.wait();
            return in([&](transaction& tx) { return create(tx, make(1, tx.now())).what; });
        });
        in([&](transaction& tx) {
            person_store::set_status(tx, "ada", person_status::disabled).value();
            agent_store::lock(tx, std::array{bot.id});
            disabled.count_down();
            // The other has begun and waits for this transaction, or is about to: both end alike.
            while (ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == "0") std::this_thread::yield();
            CHECK(hold_store::open_of_agent(tx, bot.id, 10).empty());
        });
        CHECK(making.get() == created::kind::inactive);
    }
    SUBCASE("the hold is made first: who disables waits, and finds it")
    {
        std::latch made(1);
        auto disabling = std::async(std::launch::async, [&] {
            made.wait();
            return in([&](transaction& tx) {
                person_store::set_status(tx, "ada", person_status::disabled).value();
                agent_store::lock(tx, std::array{bot.id});
                return hold_store::open_of_agent(tx, bot.id, 10).size();
            });
        });
        in([&](transaction& tx) {
            CHECK(create(tx, make(1, tx.now())).what == created::kind::created);
            made.count_down();
            while (ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == "0") std::this_thread::yield();
        });
        CHECK(disabling.get() == 1);
    }
}

TEST_CASE_FIXTURE(holds, "payloads are read for those that are shown")
{
    const auto first = make(1, now());
    auto second = make(2, now());
    second.action.sealed_payload.clear();
    in([&](transaction& tx) {
        create(tx, first);
        create(tx, second);
        const std::array ids{second.hold.id, some_id<hold_id>(99), first.hold.id};
        auto read = hold_store::get(tx, ids);
        REQUIRE(read.size() == 2);
        CHECK(read[0].hold.id == second.hold.id);
        CHECK(read[1].hold.id == first.hold.id);
        CHECK(read[1].action.sealed_payload.empty());
        hold_store::read_payloads(tx, read);
        CHECK(read[0].action.sealed_payload.empty());
        CHECK(read[1].action.sealed_payload == first.action.sealed_payload);
        CHECK(hold_store::get(tx, std::span<const hold_id>()).empty());
        hold_store::read_payloads(tx, {});
    });
}

TEST_CASE_FIXTURE(holds, "a search among given holds")
{
    in([&](transaction& tx) {
        auto h = make(1, tx.now());
        h.hold.reasons = {{"r", "Refund 17 EUR"}};
        create(tx, h);
        h = make(2, tx.now());
        h.hold.reasons = {{"r", "refund 18 EUR"}};
        create(tx, h);
        const auto one = some_id<hold_id>(1), two = some_id<hold_id>(2);
        CHECK(hold_store::matching(tx, std::array{one, two}, "REFUND 1").size() == 2);
        CHECK(hold_store::matching(tx, std::array{one, two}, "17 EUR") == std::vector{one});
        CHECK(hold_store::matching(tx, std::array{two}, "17 EUR").empty());
        CHECK(hold_store::matching(tx, std::array{one, two}, "Refund-Bot").size() == 2);
    });
}

}  // namespace sallyport::storage
