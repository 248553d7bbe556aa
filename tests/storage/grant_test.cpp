#include "storage/grant_store.hpp"

#include "tests/storage/holds.hpp"

#include <atomic>
#include <future>
#include <latch>
#include <thread>
#include <vector>

namespace sallyport::storage {

using namespace std::chrono_literals;

namespace {

struct grants : holds {
    explicit grants(std::size_t threads = 4) : holds(threads) {}

    // The n-th, of the n-th hold.
    grant_record left(unsigned n, int count = 10, std::string sum = "", duration lasts = 30min)
    {
        grant_record g;
        g.id = some_id<grant_id>(n);
        g.hold = some_id<hold_id>(n);
        g.agent = bot.id;
        g.route = "payments";
        g.method = "POST";
        g.target = "/v1/refunds";
        g.terms = R"({"count":10})";
        g.count = count;
        g.sum = std::move(sum);
        in([&](transaction& tx) {
            approve(tx, n);
            g.created_at = tx.now();
            g.expires_at = g.created_at + lasts;
            grant_store::add(tx, g);
        });
        return g;
    }
    grant_record now_is(grant_id id)
    {
        return in([&](transaction& tx) { return grant_store::get(tx, id).value(); });
    }
    std::size_t usable(const agent& of, std::string_view target = "/v1/refunds")
    {
        const grant_store::looked_for asked[] = {{of.id, "payments", "POST", target}};
        return in([&](transaction& tx) { return grant_store::usable(tx, asked); }).size();
    }
    bool burn(grant_id id, std::string_view amount = "0")
    {
        return in([&](transaction& tx) { return grant_store::burn(tx, id, amount); }).has_value();
    }
};

}  // namespace

TEST_CASE_FIXTURE(grants, "a grant is kept as it was made, and found by the calls that it may mean")
{
    const auto g = left(1, 3, "100.50");
    const auto read = now_is(g.id);
    CHECK(read.hold == g.hold);
    CHECK(read.terms == g.terms);
    CHECK(read.sum == "100.5");
    CHECK(read.sum_used == "0");
    CHECK(read.status() == grant_status::active);
    CHECK(read.expires_at == g.expires_at);
    CHECK(usable(bot) == 1);
    CHECK(usable(other) == 0);
    CHECK(usable(bot, "/v1/refunds/") == 0);
    const hold_id of[] = {g.hold, some_id<hold_id>(99)};
    CHECK(in([&](transaction& tx) { return grant_store::left_by(tx, of); }).size() == 1);
}

TEST_CASE_FIXTURE(grants, "used at once by many, exactly as often as was granted")
{
    const auto g = left(1, 10);
    std::atomic<int> passed = 0;
    std::latch ready(4);
    std::vector<std::jthread> many;
    for (int t = 0; t < 4; ++t)
        many.emplace_back([&] {
            ready.arrive_and_wait();
            for (int i = 0; i < 10; ++i) {
                const auto used = db().run_blocking([&](transaction& tx) { return grant_store::burn(tx, g.id, "0"); });
                if (used && *used) ++passed;
            }
        });
    many.clear();
    CHECK(passed == 10);
    CHECK(now_is(g.id).used == 10);
    CHECK(now_is(g.id).status() == grant_status::exhausted);
    CHECK(usable(bot) == 0);
}

TEST_CASE_FIXTURE(grants, "the sum is exact, and what does not fit leaves room for what does")
{
    const auto g = left(1, 100, "1.00");
    for (int i = 0; i < 9; ++i) CHECK(burn(g.id, "0.1"));
    CHECK_FALSE(burn(g.id, "0.100000001"));
    CHECK_FALSE(burn(g.id, "99999999999999999999"));
    CHECK_FALSE(burn(g.id, "-5"));
    CHECK(burn(g.id, "0.1"));
    CHECK(now_is(g.id).sum_used == "1");
    CHECK(now_is(g.id).used == 10);
    CHECK(burn(g.id, "0"));
    CHECK_FALSE(burn(g.id, "0.000000001"));
}

TEST_CASE_FIXTURE(grants, "what was undone in its transaction was never used")
{
    const auto g = left(1, 1, "5");
    in([&](transaction& tx) {
        CHECK(grant_store::burn(tx, g.id, "5"));
        CHECK_FALSE(grant_store::burn(tx, g.id, "0"));
        grant_store::unburn(tx, g.id, "5");
    });
    CHECK(now_is(g.id).used == 0);
    CHECK(now_is(g.id).sum_used == "0");
    CHECK(burn(g.id, "5"));
}

TEST_CASE_FIXTURE(grants, "revoked or expired, it is used no more")
{
    const auto first = left(1), second = left(2), third = left(3);
    const auto revoke = [&](grant_id id) { return in([&](transaction& tx) { return grant_store::revoke(tx, id, ada.id, "by ada"); }); };
    CHECK(revoke(first.id) == race::won);
    CHECK(revoke(first.id) == race::lost);
    CHECK_FALSE(burn(first.id));
    CHECK(now_is(first.id).status() == grant_status::revoked);
    CHECK(now_is(first.id).revoked_by == ada.id);
    CHECK(now_is(first.id).revoked_why == "by ada");

    sql("UPDATE grants SET created_at = now() - interval '1 hour', expires_at = now() - interval '1 second' WHERE id = '" +
        second.id.text() + "'");
    CHECK(now_is(second.id).status() == grant_status::expired);
    CHECK_FALSE(burn(second.id));

    const auto ended = in([&](transaction& tx) { return grant_store::revoke_all_of(tx, bot.id, "suspended"); });
    CHECK(ended == std::vector<grant_id>{third.id});
    CHECK(usable(bot) == 0);
}

TEST_CASE_FIXTURE(grants, "who revokes waits for a call that is being made, and finds it")
{
    const auto g = left(1);
    std::promise<void> used, go_on;
    auto making = std::async(std::launch::async, [&] {
        return db().run_blocking([&](transaction& tx) {
            grant_store::burn(tx, g.id, "0");
            auto h = make(7, tx.now());
            h.hold.status = hold_status::approved;
            h.hold.decided_at = tx.now();
            h.hold.release_by = tx.now() + 60s;
            h.hold.wake_at = h.hold.release_by;
            h.hold.grant = g.id;
            create(tx, h);
            used.set_value();
            go_on.get_future().wait();
        });
    });
    used.get_future().wait();
    auto revoking = std::async(std::launch::async, [&] {
        return db().run_blocking([&](transaction& tx) {
            grant_store::revoke(tx, g.id, std::nullopt, "from the terminal");
            return grant_store::not_yet_sent(tx, g.id);
        });
    });
    CHECK(revoking.wait_for(100ms) == std::future_status::timeout);
    go_on.set_value();
    REQUIRE(making.get().has_value());
    const auto found = revoking.get();
    REQUIRE(found.has_value());
    CHECK(*found == std::vector<hold_id>{some_id<hold_id>(7)});
    CHECK(stored(7).grant == g.id);
}

TEST_CASE_FIXTURE(grants, "lists, newest first, by state and agent, page by page")
{
    for (unsigned n = 1; n <= 5; ++n) left(n, n == 2 ? 1 : 10);
    burn(some_id<grant_id>(2));
    in([&](transaction& tx) { grant_store::revoke(tx, some_id<grant_id>(3), std::nullopt, "x"); });
    const auto listed = [&](grant_query q) {
        std::string all;
        for (const auto& g : in([&](transaction& tx) { return grant_store::list(tx, q); }))
            all += g.id == some_id<grant_id>(1)   ? "1"
                   : g.id == some_id<grant_id>(2) ? "2"
                   : g.id == some_id<grant_id>(3) ? "3"
                   : g.id == some_id<grant_id>(4) ? "4"
                                                  : "5";
        return all;
    };
    CHECK(listed({}) == "54321");
    CHECK(listed({{grant_status::active}}) == "541");
    CHECK(listed({{grant_status::exhausted, grant_status::revoked}}) == "32");
    CHECK(listed({{}, other.id}).empty());
    grant_query page{{}, bot.id, std::nullopt, 2};
    CHECK(listed(page) == "54");
    const auto fourth = now_is(some_id<grant_id>(4));
    page.cursor = grant_cursor::parse(grant_cursor{fourth.created_at, fourth.id}.text());
    CHECK(listed(page) == "32");
    for (const char* text :
         {"", "x", "1", "1.", ".grt_x", "-1.grt_00000000000000000000000000", "99999999999999999999.grt_00000000000000000000000000"})
        CHECK_FALSE(grant_cursor::parse(text));
}

TEST_CASE_FIXTURE(grants, "whatever the code believes, no more is used than was signed")
{
    const auto g = left(1, 2, "10");
    const std::string where = " WHERE id = '" + g.id.text() + "'";
    for (const char* nonsense : {"used = 3", "used = -1", "sum_used = 10.01", "sum_used = -1", "expires_at = created_at",
                                 "expires_at = created_at + interval '40 days'", "revoked_at = now()", "count_limit = 0",
                                 "sum_limit = 'NaN'", "revoked_why = 'x'"}) {
        CAPTURE(nonsense);
        CHECK_THROWS(sql(std::string("UPDATE grants SET ") + nonsense + where));
    }
    // One hold leaves one grant.
    const auto twice = db().run_blocking([&](transaction& tx) {
        auto again = g;
        again.id = some_id<grant_id>(50);
        grant_store::add(tx, again);
    });
    CHECK_FALSE(twice.has_value());
}

TEST_CASE_FIXTURE(grants, "what an approval signed besides is kept with it")
{
    in([&](transaction& tx) {
        auto h = make(1, tx.now());
        create(tx, h);
        hold next = h.hold;
        next.decisions = {given(1, ada, tx.now()), given(2, grace, tx.now())};
        next.decisions[0].grant = R"({"count":1})";
        CHECK(hold_store::advance(tx, h.hold, next) == race::won);
    });
    const auto read = stored(1);
    CHECK(read.decided_by(ada.id)->grant == R"({"count":1})");
    CHECK(read.decided_by(grace.id)->grant.empty());
}

}  // namespace sallyport::storage
