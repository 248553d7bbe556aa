#include "workflows/reading.hpp"

#include "tests/workflows/cast.hpp"

using namespace sallyport;
using namespace sallyport::cast;

TEST_CASE("how long reading takes at the least")
{
    struct row {
        const char* name;
        std::size_t bytes;
        std::size_t before;
        duration least;
    };
    const row rows[] = {
        {"nothing to read", 0, 0, 2s},
        {"a short sentence", 100, 0, 2s},
        {"fifty characters a second", 500, 0, 10s},
        {"nobody reads longer", 6'000, 0, 2min},
        {"a very long body", std::size_t(-1), 0, 2min},
        {"the second row of a table", 100, 1, 2s + 500ms},
        {"the fiftieth", 100, 49, 2s + 24s + 500ms},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(least_reading_time(r.bytes, r.before) == r.least);
    }
    CHECK(least_reading_time(0, std::size_t(-1)) > 1h);
}

TEST_CASE("a decision is too fast, or not, or nobody knows")
{
    CHECK(decided_too_fast(t0, t0 + 9999ms, 500, 0) == true);
    CHECK(decided_too_fast(t0, t0 + 10s, 500, 0) == false);
    CHECK(decided_too_fast(t0, t0 + 10s, 500, 1) == true);
    CHECK(decided_too_fast(t0, t0 - 1s, 0, 0) == true);
    CHECK_FALSE(decided_too_fast(std::nullopt, t0, 500, 0).has_value());
}
