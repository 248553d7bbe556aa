#include "workflows/time_zone.hpp"

#include "tests/workflows/zones.hpp"

#include <string>

using namespace sallyport;
using namespace sallyport::zones;

namespace {

std::string text(sys_seconds at) { return format_rfc3339(at); }

}  // namespace

TEST_CASE("what the clock on the wall shows")
{
    struct row {
        const char* name;
        time_zone zone;
        const char* at;
        const char* shown;
    };
    const row rows[] = {
        {"without transitions", kolkata(), "2026-07-01T12:00:00Z", "2026-07-01T17:30:00"},
        {"UTC", {}, "2026-07-01T12:00:00Z", "2026-07-01T12:00:00"},
        {"Berlin in winter", berlin(), "2026-01-01T00:00:00Z", "2026-01-01T01:00:00"},
        {"Berlin, the last second of winter", berlin(), "2026-03-29T00:59:59Z", "2026-03-29T01:59:59"},
        {"Berlin, the first of summer", berlin(), "2026-03-29T01:00:00Z", "2026-03-29T03:00:00"},
        {"Berlin, the last of summer", berlin(), "2026-10-25T00:59:59Z", "2026-10-25T02:59:59"},
        {"Berlin, and again", berlin(), "2026-10-25T01:00:00Z", "2026-10-25T02:00:00"},
        {"New York, the last second of winter", new_york(), "2026-03-08T06:59:59Z", "2026-03-08T01:59:59"},
        {"New York, the first of summer", new_york(), "2026-03-08T07:00:00Z", "2026-03-08T03:00:00"},
        {"New York, the last of summer", new_york(), "2026-11-01T05:59:59Z", "2026-11-01T01:59:59"},
        {"New York, and again", new_york(), "2026-11-01T06:00:00Z", "2026-11-01T01:00:00"},
        {"New York, the year's end", new_york(), "2027-01-01T04:59:59Z", "2026-12-31T23:59:59"},
        {"Lord Howe, summer ends", lord_howe(), "2026-04-04T14:59:59Z", "2026-04-05T01:59:59"},
        {"Lord Howe, by half an hour", lord_howe(), "2026-04-04T15:00:00Z", "2026-04-05T01:30:00"},
        {"Lord Howe, summer begins", lord_howe(), "2026-10-03T15:30:00Z", "2026-10-04T02:30:00"},
        {"Lord Howe, summer at the year's end", lord_howe(), "2026-12-31T13:00:00Z", "2027-01-01T00:00:00"},
        {"Dublin in winter", dublin(), "2026-12-31T23:59:59Z", "2026-12-31T23:59:59"},
        {"Dublin in summer", dublin(), "2026-07-01T12:00:00Z", "2026-07-01T13:00:00"},
        {"a far year", berlin(), "2126-07-01T10:00:00Z", "2126-07-01T12:00:00"},
        {"before the first transition", apia(), "2000-01-01T00:00:00Z", "1999-12-31T13:00:00"},
        {"behind the last, without a rule", apia(), "2026-01-01T00:00:00Z", "2026-01-01T14:00:00"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(r.zone.to_local(instant(r.at)) == wall(r.shown));
        CHECK(r.zone.to_local(r.zone.to_instant(wall(r.shown))) == wall(r.shown));
    }
}

TEST_CASE("when the clock on the wall shows that")
{
    struct row {
        const char* name;
        time_zone zone;
        const char* shown;
        const char* at;
    };
    const row rows[] = {
        {"without transitions", kolkata(), "2026-07-01T00:00:00", "2026-06-30T18:30:00Z"},
        {"Berlin in summer", berlin(), "2026-07-01T09:00:00", "2026-07-01T07:00:00Z"},
        {"Berlin, before the gap", berlin(), "2026-03-29T01:59:59", "2026-03-29T00:59:59Z"},
        {"Berlin, the gap's first", berlin(), "2026-03-29T02:00:00", "2026-03-29T01:00:00Z"},
        {"Berlin, in the gap", berlin(), "2026-03-29T02:30:00", "2026-03-29T01:30:00Z"},
        {"Berlin, behind the gap", berlin(), "2026-03-29T03:00:00", "2026-03-29T01:00:00Z"},
        {"Berlin, the first of two", berlin(), "2026-10-25T02:30:00", "2026-10-25T00:30:00Z"},
        {"Berlin, behind both", berlin(), "2026-10-25T03:00:00", "2026-10-25T02:00:00Z"},
        {"New York, in the gap", new_york(), "2026-03-08T02:30:00", "2026-03-08T07:30:00Z"},
        {"New York, the first of two", new_york(), "2026-11-01T01:30:00", "2026-11-01T05:30:00Z"},
        {"New York, behind both", new_york(), "2026-11-01T02:00:00", "2026-11-01T07:00:00Z"},
        {"New York, the new year", new_york(), "2027-01-01T00:00:00", "2027-01-01T05:00:00Z"},
        {"Lord Howe, in the gap", lord_howe(), "2026-10-04T02:15:00", "2026-10-03T15:45:00Z"},
        {"Lord Howe, behind the gap", lord_howe(), "2026-10-04T02:30:00", "2026-10-03T15:30:00Z"},
        {"Lord Howe, the first of two", lord_howe(), "2026-04-05T01:45:00", "2026-04-04T14:45:00Z"},
        {"Lord Howe, behind both", lord_howe(), "2026-04-05T02:00:00", "2026-04-04T15:30:00Z"},
        {"Apia, in the day that was left out", apia(), "2011-12-30T09:00:00", "2011-12-30T19:00:00Z"},
        {"Apia, the day behind", apia(), "2011-12-31T00:00:00", "2011-12-30T10:00:00Z"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(text(r.zone.to_instant(wall(r.shown))) == text(instant(r.at)));
    }
}

TEST_CASE("when the offset changes next")
{
    struct row {
        const char* name;
        time_zone zone;
        const char* after;
        const char* next;  // empty: never
    };
    const row rows[] = {
        {"without transitions", kolkata(), "2026-01-01T00:00:00Z", ""},
        {"Berlin, in spring", berlin(), "2026-01-01T00:00:00Z", "2026-03-29T01:00:00Z"},
        {"Berlin, later than that", berlin(), "2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"},
        {"Berlin, over the year's end", berlin(), "2026-12-31T23:59:59Z", "2027-03-28T01:00:00Z"},
        {"Lord Howe, over the year's end", lord_howe(), "2026-10-03T15:30:00Z", "2027-04-03T15:00:00Z"},
        {"a list", apia(), "2011-10-01T00:00:00Z", "2011-12-30T10:00:00Z"},
        {"behind the list", apia(), "2011-12-30T10:00:00Z", ""},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto next = r.zone.next_change(instant(r.after));
        CHECK((next ? text(*next) : "") == (*r.next ? text(instant(r.next)) : ""));
    }
}

TEST_CASE("a time that is shown is shown at the instant found, and at none before, over a year")
{
    for (const time_zone& zone : {berlin(), new_york(), lord_howe(), dublin(), kolkata()}) {
        CAPTURE(zone.name());
        sys_seconds latest{};
        for (auto shown = wall("2026-01-01T00:00:00"); shown < wall("2027-01-02T00:00:00"); shown += 15min) {
            const auto at = zone.to_instant(shown);
            if (zone.to_local(at) != shown) continue;  // in a gap
            if (latest != sys_seconds{}) REQUIRE(at > latest);
            latest = at;
            for (const auto before : {30min, 60min}) REQUIRE(zone.to_local(at - before) != shown);
        }
    }
}

TEST_CASE("the other two forms of a day in the year")
{
    using form = decltype(time_zone::yearly::form);
    // POSIX: J60 is the first of March, also in leap years; 59 is the 60th day.
    const time_zone julian{"j", 0h, {}, time_zone::rule{0h, {{1h, {form::julian, 60, 0, 0, 0h}, {form::julian, 365, 0, 0, 25h}}}}};
    CHECK(julian.next_change(instant("2028-01-02T00:00:00Z")) == instant("2028-03-01T00:00:00Z"));
    CHECK(julian.next_change(instant("2028-03-01T00:00:00Z")) == instant("2029-01-01T00:00:00Z"));
    const time_zone day{"d", 0h, {}, time_zone::rule{0h, {{1h, {form::day, 59, 0, 0, 0h}, {form::day, 364, 0, 0, 0h}}}}};
    CHECK(day.next_change(instant("2028-01-02T00:00:00Z")) == instant("2028-02-29T00:00:00Z"));
}
