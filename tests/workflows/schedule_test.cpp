#include "workflows/schedule.hpp"

#include "tests/workflows/zones.hpp"

#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::zones;

namespace {

using handles = std::vector<std::string>;

schedule of(time_zone zone, handles people, duration every, std::string_view from, std::vector<schedule::override_> overrides = {})
{
    schedule s;
    s.name = "on-call";
    s.zone = shared(std::move(zone));
    s.people = std::move(people);
    s.every = every;
    s.from = wall(from);
    s.overrides = std::move(overrides);
    return s;
}

schedule::override_ takes_over(std::string person, std::string_view from, std::string_view until)
{
    return {std::move(person), wall(from), wall(until)};
}

constexpr duration day = 24h, week = 7 * day;

}  // namespace

TEST_CASE("who is on call, and until when")
{
    const handles two{"ada", "grace"}, three{"ada", "grace", "alan"};
    struct row {
        const char* name;
        schedule s;
        const char* at;
        handles on_call;
        const char* next;  // empty: never
    };
    const row rows[] = {
        {"before the first turn", of(berlin(), two, week, "2026-01-05T09:00:00"), "2026-01-05T07:59:59Z", {}, "2026-01-05T08:00:00Z"},
        {"from its first second", of(berlin(), two, week, "2026-01-05T09:00:00"), "2026-01-05T08:00:00Z", {"ada"}, "2026-01-12T08:00:00Z"},
        {"the second", of(berlin(), two, week, "2026-01-05T09:00:00"), "2026-01-12T08:00:00Z", {"grace"}, "2026-01-19T08:00:00Z"},
        {"and round", of(berlin(), two, week, "2026-01-05T09:00:00"), "2026-01-19T08:00:00Z", {"ada"}, "2026-01-26T08:00:00Z"},

        {"Berlin: at 09:00 also when clocks were set forward",
         of(berlin(), two, week, "2026-03-23T09:00:00"),
         "2026-03-30T06:59:59Z",
         {"ada"},
         "2026-03-30T07:00:00Z"},
        {"and back", of(berlin(), two, week, "2026-10-19T09:00:00"), "2026-10-26T07:59:59Z", {"ada"}, "2026-10-26T08:00:00Z"},
        {"New York: forward", of(new_york(), two, week, "2026-03-02T09:00:00"), "2026-03-09T12:59:59Z", {"ada"}, "2026-03-09T13:00:00Z"},
        {"New York: back", of(new_york(), two, week, "2026-10-26T09:00:00"), "2026-11-02T13:59:59Z", {"ada"}, "2026-11-02T14:00:00Z"},
        {"Lord Howe: forward", of(lord_howe(), two, day, "2026-10-03T09:00:00"), "2026-10-03T21:59:59Z", {"ada"}, "2026-10-03T22:00:00Z"},
        {"Lord Howe: back", of(lord_howe(), two, day, "2026-04-04T09:00:00"), "2026-04-04T22:29:59Z", {"ada"}, "2026-04-04T22:30:00Z"},
        {"no clock is touched", of(kolkata(), two, week, "2026-03-23T09:00:00"), "2026-03-30T03:29:59Z", {"ada"}, "2026-03-30T03:30:00Z"},
        {"twelve hours are half a day on the wall",
         of(berlin(), two, 12h, "2026-03-28T09:00:00"),
         "2026-03-29T06:59:59Z",
         {"grace"},
         "2026-03-29T07:00:00Z"},

        {"a hand-over that is left out comes by the old clock",
         of(berlin(), two, day, "2026-03-28T02:30:00"),
         "2026-03-29T01:29:59Z",
         {"ada"},
         "2026-03-29T01:30:00Z"},
        {"one that comes twice is the first",
         of(berlin(), two, day, "2026-10-24T02:30:00"),
         "2026-10-25T00:29:59Z",
         {"ada"},
         "2026-10-25T00:30:00Z"},
        {"and nobody is given back in the second",
         of(berlin(), two, day, "2026-10-24T02:30:00"),
         "2026-10-25T01:10:00Z",
         {"grace"},
         "2026-10-26T01:30:00Z"},
        {"short turns, set back: those that were shown do not come again",
         of(berlin(), two, 30min, "2026-10-25T02:00:00"),
         "2026-10-25T01:10:00Z",
         {"grace"},
         "2026-10-25T02:00:00Z"},
        {"short turns, left out: none of an instant",
         of(berlin(), three, 30min, "2026-03-29T01:30:00"),
         "2026-03-29T00:59:59Z",
         {"ada"},
         "2026-03-29T01:30:00Z"},
        {"short turns, behind those left out",
         of(berlin(), three, 30min, "2026-03-29T01:30:00"),
         "2026-03-29T01:00:00Z",
         {"ada"},
         "2026-03-29T01:30:00Z"},

        {"the year's end", of(berlin(), two, day, "2026-12-31T00:00:00"), "2026-12-31T22:59:59Z", {"ada"}, "2026-12-31T23:00:00Z"},
        {"a leap day", of(berlin(), two, day, "2028-02-28T00:00:00"), "2028-02-28T23:00:00Z", {"grace"}, "2028-02-29T23:00:00Z"},
        {"a day that was left out", of(apia(), three, day, "2011-12-29T09:00:00"), "2011-12-30T18:59:59Z", {"ada"}, "2011-12-30T19:00:00Z"},

        {"one alone never hands over", of(berlin(), {"ada"}, week, "2026-01-05T09:00:00"), "2026-02-05T08:00:00Z", {"ada"}, ""},
        {"who follows oneself",
         of(berlin(), {"ada", "ada", "grace"}, week, "2026-01-05T09:00:00"),
         "2026-01-05T08:00:00Z",
         {"ada"},
         "2026-01-19T08:00:00Z"},
        {"nobody", of(berlin(), {}, week, "2026-01-05T09:00:00"), "2026-01-05T08:00:00Z", {}, ""},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(r.s.on_call(instant(r.at)) == r.on_call);
        const auto next = r.s.next_change(instant(r.at));
        CHECK((next ? format_rfc3339(*next) : "") == (*r.next ? format_rfc3339(instant(r.next)) : ""));
    }
}

TEST_CASE("overrides")
{
    const auto with = [](std::vector<schedule::override_> overrides, handles people = {"ada", "grace"}) {
        return of(berlin(), std::move(people), week, "2026-01-05T09:00:00", std::move(overrides));
    };
    const auto weekend = takes_over("alan", "2026-01-10T00:00:00", "2026-01-12T00:00:00");
    const auto over_the_hand_over = takes_over("alan", "2026-01-11T00:00:00", "2026-01-13T00:00:00");
    struct row {
        const char* name;
        schedule s;
        const char* at;
        handles on_call;
        const char* next;
    };
    const row rows[] = {
        {"before", with({weekend}), "2026-01-09T22:59:59Z", {"ada"}, "2026-01-09T23:00:00Z"},
        {"within", with({weekend}), "2026-01-09T23:00:00Z", {"alan"}, "2026-01-11T23:00:00Z"},
        {"its end is not in it", with({weekend}), "2026-01-11T23:00:00Z", {"ada"}, "2026-01-12T08:00:00Z"},
        {"over a hand-over", with({over_the_hand_over}), "2026-01-11T12:00:00Z", {"alan"}, "2026-01-12T23:00:00Z"},
        {"and the next turn has begun meanwhile", with({over_the_hand_over}), "2026-01-12T23:00:00Z", {"grace"}, "2026-01-19T08:00:00Z"},
        {"before the first turn",
         with({takes_over("alan", "2026-01-01T00:00:00", "2026-01-02T00:00:00")}),
         "2026-01-01T12:00:00Z",
         {"alan"},
         "2026-01-01T23:00:00Z"},
        {"two at once: both",
         with({weekend, takes_over("tony", "2026-01-10T12:00:00", "2026-01-11T00:00:00")}),
         "2026-01-10T12:00:00Z",
         {"alan", "tony"},
         "2026-01-10T23:00:00Z"},
        {"the same twice",
         with({weekend, takes_over("alan", "2026-01-11T00:00:00", "2026-01-12T00:00:00")}),
         "2026-01-10T12:00:00Z",
         {"alan"},
         "2026-01-11T23:00:00Z"},
        {"one after the other, the same person",
         with({weekend, takes_over("alan", "2026-01-12T00:00:00", "2026-01-13T00:00:00")}),
         "2026-01-10T12:00:00Z",
         {"alan"},
         "2026-01-12T23:00:00Z"},
        {"by whom it is anyway",
         with({takes_over("ada", "2026-01-10T00:00:00", "2026-01-11T00:00:00")}),
         "2026-01-09T12:00:00Z",
         {"ada"},
         "2026-01-12T08:00:00Z"},
        {"who is alone otherwise", with({weekend}, {"ada"}), "2026-01-06T12:00:00Z", {"ada"}, "2026-01-09T23:00:00Z"},
        {"and behind it", with({weekend}, {"ada"}), "2026-01-13T12:00:00Z", {"ada"}, ""},
        {"over the hour that comes twice",
         with({takes_over("alan", "2026-10-25T02:00:00", "2026-10-25T03:00:00")}),
         "2026-10-25T01:30:00Z",
         {"alan"},
         "2026-10-25T02:00:00Z"},
        {"within hours that are left out",
         with({takes_over("alan", "2026-03-29T02:00:00", "2026-03-29T03:00:00")}, {"ada"}),
         "2026-03-29T00:30:00Z",
         {"ada"},
         ""},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(r.s.on_call(instant(r.at)) == r.on_call);
        const auto next = r.s.next_change(instant(r.at));
        CHECK((next ? format_rfc3339(*next) : "") == (*r.next ? format_rfc3339(instant(r.next)) : ""));
    }
}

TEST_CASE("whether somebody was on call at any time between")
{
    const schedule s = of(berlin(), {"ada", "grace"}, week, "2026-01-05T09:00:00",
                          {takes_over("alan", "2026-01-08T00:00:00", "2026-01-09T00:00:00"),
                           takes_over("alan", "2026-01-12T00:00:00", "2026-01-20T00:00:00")});
    struct row {
        const char* name;
        const char* handle;
        const char* since;
        const char* until;
        bool was;
    };
    const row rows[] = {
        {"a moment", "ada", "2026-01-06T00:00:00Z", "2026-01-06T00:00:00Z", true},
        {"a moment of another", "grace", "2026-01-06T00:00:00Z", "2026-01-06T00:00:00Z", false},
        {"at the beginning", "ada", "2026-01-07T22:59:59Z", "2026-01-08T12:00:00Z", true},
        {"not any more", "ada", "2026-01-07T23:00:00Z", "2026-01-08T12:00:00Z", false},
        {"an override in between", "alan", "2026-01-06T00:00:00Z", "2026-01-10T00:00:00Z", true},
        {"its end is not in it", "alan", "2026-01-08T23:00:00Z", "2026-01-10T00:00:00Z", false},
        {"its beginning is", "alan", "2026-01-06T00:00:00Z", "2026-01-07T23:00:00Z", true},
        {"whose turn was overridden as a whole", "grace", "2026-01-06T00:00:00Z", "2026-01-25T00:00:00Z", false},
        {"the turn after the next", "grace", "2026-01-06T00:00:00Z", "2026-02-01T00:00:00Z", true},
        {"nobody we know", "zoe", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", false},
        {"before the first turn", "ada", "2025-01-01T00:00:00Z", "2026-01-05T07:59:59Z", false},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(s.was_on_call(r.handle, instant(r.since), instant(r.until)) == r.was);
    }
}

TEST_CASE("between two changes nobody changes: a year of every zone, by quarters of an hour")
{
    for (const time_zone& zone : {berlin(), new_york(), lord_howe(), kolkata()})
        for (const duration every : {duration(45min), duration(8h), day, duration(36h), week}) {
            CAPTURE(zone.name());
            CAPTURE(format_duration(every));
            const schedule s = of(zone, {"ada", "grace", "alan"}, every, "2026-01-01T02:15:00",
                                  {takes_over("tony", "2026-03-29T01:00:00", "2026-03-29T04:00:00")});
            time_point at = instant("2026-01-01T00:00:00Z");
            auto next = s.next_change(at);
            auto now = s.on_call(at);
            for (; at < instant("2026-12-31T00:00:00Z"); at += 15min) {
                while (next && *next <= at) {
                    REQUIRE(s.on_call(*next) != now);
                    now = s.on_call(*next);
                    next = s.next_change(*next);
                }
                REQUIRE(s.on_call(at) == now);
            }
        }
}
