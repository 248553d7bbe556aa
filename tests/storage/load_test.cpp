// When people were asked, passed over and shown, and what it adds up to.
#include "storage/load_store.hpp"

#include "tests/storage/holds.hpp"

#include <string>
#include <vector>

namespace sallyport::storage {
namespace {

using namespace std::chrono_literals;

struct loads : holds {
    loads()
    {
        in([&](transaction& tx) {
            for (unsigned n = 1; n <= 3; ++n) REQUIRE(create(tx, make(n, tx.now())).what == created::kind::created);
        });
    }
    void asks(unsigned n, const person& who)
    {
        in([&](transaction& tx) { load_store::ask(tx, std::vector<asked_person>{{some_id<hold_id>(n), who.id}}); });
    }
    void passes(unsigned n, const person& who)
    {
        in([&](transaction& tx) { load_store::pass_over(tx, std::vector<asked_person>{{some_id<hold_id>(n), who.id}}); });
    }
    void decides(unsigned n, const person& who, std::optional<bool> fast, decision_kind kind = decision_kind::approve)
    {
        in([&](transaction& tx) {
            const auto read = hold_store::get_for_update(tx, some_id<hold_id>(n)).value();
            hold next = read.hold;
            decision d = given(n * 10 + static_cast<unsigned>(next.decisions.size()), who, read.now);
            d.fast = fast;
            d.kind = kind;
            next.decisions.push_back(d);
            REQUIRE(hold_store::advance(tx, read.hold, next) == race::won);
        });
    }
    /// Everything of that person happened so long ago.
    void age(const person& who, const std::string& interval)
    {
        change("UPDATE asks SET asked_at = asked_at - interval '" + interval + "', shown_at = shown_at - interval '" + interval +
               "' WHERE person = '" + who.id.text() + "'");
    }
    person_load of(const person& who, int days = 7)
    {
        return in([&](transaction& tx) { return load_store::loads(tx, std::vector{who.id}, days).at(0); });
    }
};

}  // namespace

TEST_CASE_FIXTURE(loads, "nothing is all noughts, and no time")
{
    const auto l = of(ada);
    CHECK(l.person == ada.id);
    CHECK(l.asked + l.asked_within_hour + l.passed_over + l.approved + l.denied + l.timed + l.fast == 0);
    CHECK_FALSE(l.median.has_value());
    CHECK_FALSE(l.slowest_tenth.has_value());
    CHECK(in([&](transaction& tx) { return load_store::asked_within_hour(tx); }).empty());
    CHECK(in([&](transaction& tx) { return load_store::loads(tx, {}, 7); }).empty());
}

TEST_CASE_FIXTURE(loads, "who is asked twice about one is asked once, and since the first time")
{
    asks(1, ada);
    age(ada, "30 minutes");
    asks(1, ada);
    asks(2, ada);
    const auto recent = in([&](transaction& tx) { return load_store::asked_within_hour(tx); });
    CHECK(recent == std::map<person_id, int>{{ada.id, 2}});
    age(ada, "31 minutes");
    CHECK(of(ada).asked == 2);
    CHECK(of(ada).asked_within_hour == 1);
    CHECK(of(grace).asked == 0);
}

TEST_CASE_FIXTURE(loads, "passed over is not asked, and may be asked later")
{
    passes(1, ada);
    CHECK(of(ada).asked == 0);
    CHECK(of(ada).passed_over == 1);
    asks(1, ada);
    CHECK(of(ada).asked == 1);
    CHECK(of(ada).passed_over == 1);
}

TEST_CASE_FIXTURE(loads, "the first showing counts, and what was decided of the same moment")
{
    const std::vector all{some_id<hold_id>(1), some_id<hold_id>(2)};
    const auto shown = [&](unsigned n) { return in([&](transaction& tx) { return load_store::shown(tx, ada.id, some_id<hold_id>(n)); }); };
    CHECK_FALSE(shown(1).has_value());
    in([&](transaction& tx) { load_store::show(tx, ada.id, all); });
    const auto first = shown(1).value();
    CHECK(first.at == shown(2).value().at);
    CHECK(first.decided == 0);
    in([&](transaction& tx) { load_store::show(tx, ada.id, std::vector{some_id<hold_id>(1), some_id<hold_id>(3)}); });
    CHECK(shown(1).value().at == first.at);
    CHECK(shown(3).value().at > first.at);
    decides(1, ada, false);
    CHECK(shown(2).value().decided == 1);
    CHECK(shown(1).value().decided == 0);
    CHECK(shown(3).value().decided == 0);
    // Asked without being shown is not shown.
    asks(1, grace);
    CHECK_FALSE(in([&](transaction& tx) { return load_store::shown(tx, grace.id, some_id<hold_id>(1)); }).has_value());
}

TEST_CASE_FIXTURE(loads, "decisions: how many, how fast, how soon")
{
    for (unsigned n = 1; n <= 3; ++n) asks(n, ada);
    age(ada, "60 seconds");
    decides(1, ada, true);
    decides(2, ada, false, decision_kind::deny);
    decides(3, ada, std::nullopt);
    decides(3, grace, true);  // who was not asked
    const auto l = of(ada);
    CHECK(l.approved == 2);
    CHECK(l.denied == 1);
    CHECK(l.timed == 2);
    CHECK(l.fast == 1);
    REQUIRE(l.median.has_value());
    CHECK(*l.median >= 60s);
    CHECK(*l.median < 120s);
    CHECK(*l.slowest_tenth >= *l.median);
    const auto g = of(grace);
    CHECK(g.approved == 1);
    CHECK_FALSE(g.median.has_value());
    // Read back with the hold.
    CHECK(stored(1).decisions.at(0).fast == true);
    CHECK(stored(2).decisions.at(0).fast == false);
    CHECK_FALSE(stored(3).decisions.at(0).fast.has_value());
}

TEST_CASE_FIXTURE(loads, "days without anything are there too, the oldest first")
{
    asks(1, ada);
    decides(1, ada, false);
    const auto days = in([&](transaction& tx) { return load_store::by_day(tx, ada.id, 7); });
    REQUIRE(days.size() == 7);
    for (std::size_t i = 0; i + 1 < days.size(); ++i) {
        CHECK(days[i].day < days[i + 1].day);
        CHECK(days[i].asked == 0);
    }
    CHECK(days.back().asked == 1);
    CHECK(days.back().decided == 1);
    CHECK(in([&](transaction& tx) { return load_store::by_day(tx, ada.id, 1); }).size() == 1);
    age(ada, "8 days");
    CHECK(of(ada, 7).asked == 0);
    CHECK(of(ada, 30).asked == 1);
}

TEST_CASE_FIXTURE(loads, "alike ones are listed by themselves, page by page")
{
    in([&](transaction& tx) {
        for (unsigned n = 4; n <= 9; ++n) {
            auto h = make(n, tx.now() + std::chrono::milliseconds(n));
            h.hold.alike = n % 2 == 0 ? "even" : "odd";
            REQUIRE(create(tx, h).what == created::kind::created);
        }
    });
    CHECK(stored(4).alike == "even");
    CHECK(stored(1).alike.empty());
    hold_query q;
    q.alike = "even";
    q.status = {hold_status::held};
    q.limit = 2;
    auto page = in([&](transaction& tx) { return hold_store::list(tx, q); });
    REQUIRE(page.size() == 2);
    CHECK(page[0].hold.id == some_id<hold_id>(8));
    CHECK(page[1].hold.id == some_id<hold_id>(6));
    q.cursor = hold_cursor::after(page[1]);
    page = in([&](transaction& tx) { return hold_store::list(tx, q); });
    REQUIRE(page.size() == 1);
    CHECK(page[0].hold.id == some_id<hold_id>(4));
    q.status = {hold_status::denied};
    CHECK(in([&](transaction& tx) { return hold_store::list(tx, q); }).empty());
}

TEST_CASE_FIXTURE(loads, "who was passed over stands with the hold")
{
    in([&](transaction& tx) {
        auto h = make(4, tx.now());
        h.hold.demands[0].passed = {{grace.id, 0, 20}, {ada.id, 1, 7}};
        REQUIRE(create(tx, h).what == created::kind::created);
    });
    CHECK(stored(4).demands.at(0).passed == std::vector<passed_over>{{grace.id, 0, 20}, {ada.id, 1, 7}});
}

}  // namespace sallyport::storage
