#include "gateway/policy/zone_file.hpp"

#include "tests/workflows/zones.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <random>
#include <string>

using namespace sallyport;
using namespace sallyport::policy;
using namespace sallyport::zones;

namespace {

std::string bytes_of(const std::string& zone)
{
    std::ifstream file("/usr/share/zoneinfo/" + zone, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(file), {}};
    REQUIRE_MESSAGE(!bytes.empty(), zone);
    return bytes;
}

}  // namespace

TEST_CASE("the system's zones are what their rules say, also behind the last transition of the file")
{
    for (const time_zone& known : {berlin(), new_york(), lord_howe(), dublin(), kolkata()}) {
        CAPTURE(known.name());
        const auto read = find_zone(known.name());
        REQUIRE(read);
        CHECK(read->name() == known.name());
        for (const char* from : {"2025-01-01T00:00:00Z", "2036-01-01T00:00:00Z", "2399-01-01T00:00:00Z"}) {
            CAPTURE(from);
            const auto end = instant(from) + std::chrono::days(4 * 365);
            for (auto at = instant(from); at < end; at += 30min) REQUIRE(read->offset_at(at) == known.offset_at(at));
            // Some files end with rules that change no offset any more.
            for (auto change = known.next_change(instant(from)); change && *change < end; change = known.next_change(*change)) {
                auto found = read->next_change(*change - 1s);
                REQUIRE(found);
                CHECK(format_rfc3339(*found) == format_rfc3339(*change));
            }
        }
    }
    const auto samoa = find_zone("Pacific/Apia");
    REQUIRE(samoa);
    CHECK(samoa->to_instant(wall("2011-12-30T09:00:00")) == apia().to_instant(wall("2011-12-30T09:00:00")));
    CHECK(samoa->to_local(instant("2011-12-30T10:00:00Z")) == wall("2011-12-31T00:00:00"));
    CHECK(find_zone("UTC")->offset_at(instant("2026-01-01T00:00:00Z")) == 0s);
    CHECK_FALSE(find_zone("UTC")->next_change(instant("1900-01-01T00:00:00Z")));
    CHECK(find_zone("Europe/Berlin") == find_zone("Europe/Berlin"));
}

TEST_CASE("what is no zone")
{
    for (const char* name : {"", "Europe", "Europe/Atlantis", "../../etc/passwd", "/etc/localtime", "Europe/../Europe/Berlin", "tzdata.zi",
                             "zone.tab", "+01", "Europe/Berlin "}) {
        CAPTURE(name);
        CHECK_FALSE(find_zone(name));
    }
}

TEST_CASE("a file that is cut or changed is refused, or read as something, and no more")
{
    const std::string whole = bytes_of("Europe/Berlin");
    REQUIRE(parse_zone("z", whole));
    for (std::size_t size = 0; size < whole.size() - 40; ++size) REQUIRE_FALSE(parse_zone("z", std::string_view(whole).substr(0, size)));

    std::mt19937 dice{7};
    for (int i = 0; i < 20'000; ++i) {
        std::string changed = whole;
        for (unsigned n = 1 + dice() % 4; n > 0; --n) changed[dice() % changed.size()] = static_cast<char>(dice());
        const auto read = parse_zone("z", changed);
        if (!read) continue;
        const auto at = instant("2026-07-01T00:00:00Z") + std::chrono::days(dice() % 20'000);
        const auto shown = read->to_local(at);
        CHECK(read->to_local(read->to_instant(shown)) == shown);
    }
}
