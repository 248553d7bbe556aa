#include "workflows/working_hours.hpp"

#include "tests/workflows/cast.hpp"
#include "tests/workflows/zones.hpp"
#include "workflows/step_times.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace sallyport;
using namespace sallyport::cast;

namespace {

std::shared_ptr<const time_zone> berlin() { return std::make_shared<const time_zone>(zones::berlin()); }

constexpr std::array<bool, 7> week{false, true, true, true, true, true, false}, every_day{true, true, true, true, true, true, true};

working_hours office(std::shared_ptr<const time_zone> zone = std::make_shared<const time_zone>())
{
    working_hours h;
    h.name = "office";
    h.zone = std::move(zone);
    h.ranges = {{week, 9h, 17h}};
    return h;
}

time_point at(std::string_view text) { return parse_rfc3339(text).value(); }
std::string shown(const std::optional<time_point>& t) { return t ? format_rfc3339(*t).substr(0, 19) : "never"; }

std::shared_ptr<const arrangements> with(working_hours h)
{
    auto a = std::make_shared<arrangements>();
    a->hours.emplace(h.name, std::move(h));
    return a;
}

workflow within(std::vector<asks> steps, duration remind = {})
{
    workflow w = flow("w", 1, steps);
    for (workflow_step& s : w.steps) {
        s.within = "office";
        s.remind = remind;
    }
    return w;
}

}  // namespace

TEST_CASE("hours open and close on the clock on the wall")
{
    const working_hours h = office(berlin());
    struct row {
        const char* name;
        const char* from;
        const char* opens;
        bool open;
    };
    const row rows[] = {
        {"before they open, in winter", "2026-01-05T07:59:59Z", "2026-01-05T08:00:00", false},
        {"at that moment", "2026-01-05T08:00:00Z", "2026-01-05T08:00:00", true},
        {"within", "2026-01-05T12:00:00Z", "2026-01-05T12:00:00", true},
        {"the end is not included", "2026-01-05T16:00:00Z", "2026-01-06T08:00:00", false},
        {"on Friday evening", "2026-01-09T16:00:00Z", "2026-01-12T08:00:00", false},
        {"in summer an hour earlier by UTC", "2026-07-06T06:30:00Z", "2026-07-06T07:00:00", false},
        {"over the weekend on which clocks are set forward", "2026-03-27T16:00:00Z", "2026-03-30T07:00:00", false},
        {"and back", "2026-10-23T15:00:00Z", "2026-10-26T08:00:00", false},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(shown(h.opens(at(r.from))) == r.opens);
        CHECK(h.open_at(at(r.from)) == r.open);
    }
    CHECK(shown(working_hours{}.opens(t0)) == "never");
    CHECK_FALSE(working_hours{}.after(t0, 1h));
}

TEST_CASE("time runs within the hours and rests outside")
{
    struct row {
        const char* name;
        const char* from;
        duration open;
        const char* after;
    };
    const row rows[] = {
        {"within a day", "2026-01-05T08:00:00Z", 2h, "2026-01-05T10:00:00"},
        {"to the very end", "2026-01-05T14:00:00Z", 2h, "2026-01-05T16:00:00"},
        {"over night", "2026-01-05T15:00:00Z", 2h, "2026-01-06T09:00:00"},
        {"from outside", "2026-01-05T20:00:00Z", 30min, "2026-01-06T08:30:00"},
        {"over a weekend", "2026-01-09T15:30:00Z", 1h, "2026-01-12T08:30:00"},
        {"a whole week of them", "2026-01-05T08:00:00Z", 40h, "2026-01-09T16:00:00"},
        {"no time at all", "2026-01-10T12:00:00Z", 0h, "2026-01-10T12:00:00"},
        {"over the change to summer", "2026-03-27T15:00:00Z", 2h, "2026-03-30T08:00:00"},
    };
    const working_hours h = office(berlin());
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(shown(h.after(at(r.from), r.open)) == r.after);
    }
}

TEST_CASE("a night in which clocks change is as long as it is; ranges that touch are one")
{
    working_hours night;
    night.zone = berlin();
    night.ranges = {{every_day, 22h, 24h}, {every_day, 0h, 6h}};
    // Eight hours by the clock: seven when it is set forward, nine when it is set back.
    CHECK(shown(night.after(at("2026-03-28T21:00:00Z"), 7h)) == "2026-03-29T04:00:00");
    CHECK(shown(night.after(at("2026-10-24T20:00:00Z"), 9h)) == "2026-10-25T05:00:00");
    CHECK(night.open_at(at("2026-03-28T23:00:00Z")));  // midnight there
    working_hours always;
    always.ranges = {{every_day, 0h, 24h}};
    CHECK(always.after(t0, 1000h) == t0 + 1000h);
    // A range that the clock leaves out is none on that day.
    working_hours left_out;
    left_out.zone = berlin();
    left_out.ranges = {{every_day, 2h, 3h}};
    CHECK(shown(left_out.opens(at("2026-03-29T00:30:00Z"))) == "2026-03-30T00:00:00");
}

TEST_CASE("properties of hours, also around changes of clocks")
{
    std::mt19937 random(11);
    const auto upto = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n + 1)); };
    const time_point edges[] = {at("2026-03-29T01:00:00Z"), at("2026-10-25T01:00:00Z"), at("2026-06-01T00:00:00Z")};
    for (int round = 0; round < 400; ++round) {
        working_hours h;
        h.zone = round % 2 == 0 ? berlin() : std::make_shared<const time_zone>();
        for (int i = 0; i <= upto(2); ++i) {
            const auto from = std::chrono::minutes(15 * upto(90));
            std::array<bool, 7> days{};
            days.at(static_cast<std::size_t>(upto(6))) = true;
            days.at(static_cast<std::size_t>(upto(6))) = true;
            h.ranges.push_back(
                {days, from, from + std::chrono::minutes(15 + 15 * upto((24 * 60 - 15 - static_cast<int>(from.count())) / 15))});
        }
        const time_point from = edges[round % 3] + std::chrono::minutes(upto(8 * 24 * 60)) - 4 * 24h;
        CAPTURE(round);
        const auto opens = h.opens(from);
        REQUIRE(opens);
        REQUIRE(*opens >= from);
        REQUIRE(h.open_at(*opens));
        // Counted by hand, minute by minute: all edges are on quarters of an hour.
        const duration wanted = std::chrono::minutes(1 + upto(600));
        duration passed{};
        time_point when = from;
        for (; passed < wanted; when += 1min) {
            const std::chrono::local_seconds shown = h.zone->to_local(std::chrono::floor<std::chrono::seconds>(when));
            const auto day = std::chrono::floor<std::chrono::days>(shown);
            const unsigned of_week = std::chrono::weekday{day}.c_encoding();
            const bool open = std::any_of(h.ranges.begin(), h.ranges.end(), [&](const working_hours::range& r) {
                return r.days.at(of_week) && shown - day >= r.from && shown - day < r.until;
            });
            // What the clock shows twice is open once: from its first coming on.
            const bool again = h.zone->to_instant(shown) != std::chrono::floor<std::chrono::seconds>(when);
            if (again) {
                passed = duration{-1};
                break;
            }
            if (open) passed += 1min;
        }
        if (passed < duration{}) continue;
        REQUIRE(h.after(from, wanted) == when);
    }
}

TEST_CASE("a step within hours begins when they open, lasts and reminds within them, and tells nobody outside")
{
    const directory people = town(everybody(), with(office()));
    const time_point friday_night = at("2026-01-09T20:00:00Z"), monday = at("2026-01-12T09:00:00Z");
    workflow w = within({{{"person:grace"}, 4h}, {{"person:ada"}, 10h}}, 2h);
    const agent by = bot();
    hold h = make_hold(id_of<hold_id>(1), id_of<action_id>(1), by, "payments", {}, {w}, friday_night);
    const outcome o = step(h, happened::opened{}, people, friday_night);
    REQUIRE(std::holds_alternative<moved>(o));
    for (const effect& e : std::get<moved>(o).effects) CHECK_FALSE(std::holds_alternative<effects::tell_people>(e));
    h = std::get<moved>(o).next;
    CHECK(h.status == hold_status::held);
    CHECK(h.wake_at == monday);
    CHECK(h.expires_at == at("2026-01-13T15:00:00Z"));  // 14 hours of work
    CHECK(h.demands[0].steps_begun() == 0);
    CHECK(why_not(h, people, *people.find(grace), friday_night) == "You are asked from 2026-01-12T09:00:00.000Z on, if it is open then.");

    h = after(h, happened::woke{}, people, monday);
    CHECK_FALSE(why_not(h, people, *people.find(grace), monday));
    CHECK(h.wake_at == monday + 2h);  // a reminder
    h = after(h, happened::woke{}, people, monday + 2h);
    CHECK(h.wake_at == monday + 4h);
    h = after(h, happened::woke{}, people, monday + 4h);
    CHECK(h.demands[0].step == 1);
    CHECK(h.wake_at == monday + 6h);
    h = after(h, happened::woke{}, people, monday + 6h);
    // Two hours of work later it is 17:00, and nobody is told then.
    CHECK(h.wake_at == monday + 24h);
}

TEST_CASE("where the gateway was away while the hours were open, nobody is told at night")
{
    const directory people = town(everybody(), with(office()));
    workflow w = within({{{"person:grace"}, 4h}, {{"person:ada"}, 10h}}, 2h);
    const time_point monday = at("2026-01-12T09:00:00Z");
    hold h = make_hold(id_of<hold_id>(1), id_of<action_id>(1), bot(), "payments", {}, {w}, monday);
    h = after(h, happened::opened{}, people, monday);
    const hold slept = after(h, happened::woke{}, people, monday + 12h);  // 21:00: the second step was due at 13:00
    CHECK(slept.demands[0].steps_begun() == 1);
    CHECK(slept.demands[0].waits_until == monday + 24h);
    CHECK(slept.wake_at == monday + 24h);
    CHECK(slept.expires_at == h.expires_at);
    // The same once more moves nothing.
    CHECK(said(step(slept, happened::woke{}, people, monday + 13h)) == "unchanged");
}

TEST_CASE("a step that waited and reaches nobody is skipped, and the last one ends it")
{
    const directory people = town(everybody(), with(office()));
    workflow w = within({{{"team:empty"}, 4h}, {{"team:nowhere"}, 4h}});
    const time_point sunday = at("2026-01-11T12:00:00Z"), monday = at("2026-01-12T09:00:00Z");
    hold h = make_hold(id_of<hold_id>(1), id_of<action_id>(1), bot(), "payments", {}, {w}, sunday);
    h = after(h, happened::opened{}, people, sunday);
    CHECK(h.status == hold_status::held);
    h = after(h, happened::woke{}, people, monday);
    CHECK(h.status == hold_status::undeliverable);
    CHECK(h.closed_at == monday);
}

TEST_CASE("hours that are not known are no limit")
{
    workflow w = within({{{"team:finance"}, 4h}});
    const hold h = opened({w});
    CHECK(h.expires_at == t0 + 4h);
    CHECK(h.demands[0].steps_begun() == 1);
}
