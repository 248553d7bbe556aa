#include "workflows/decimal.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace sallyport;

TEST_CASE("plain decimal text, and nothing else")
{
    struct row {
        const char* text;
        const char* value;  // its shortest text; null: refused
    };
    const row rows[] = {
        {"0", "0"},
        {"900", "900"},
        {"900.00", "900"},
        {"0.1", "0.1"},
        {"-12.50", "-12.5"},
        {"1000000000.000000001", "1000000000.000000001"},
        {"99999999999999999999.999999999", "99999999999999999999.999999999"},
        {"-0.000000001", "-0.000000001"},
        {"10", "10"},
        {"100.010", "100.01"},
        // Two readers may not agree on these.
        {"", nullptr},
        {"-", nullptr},
        {"-0", nullptr},
        {"-0.0", nullptr},
        {"+1", nullptr},
        {"01", nullptr},
        {"1.", nullptr},
        {".5", nullptr},
        {"1e2", nullptr},
        {"1E400", nullptr},
        {"1,5", nullptr},
        {" 1", nullptr},
        {"0x10", nullptr},
        {"1.0000000001", nullptr},
        {"100000000000000000000", nullptr},
        {"NaN", nullptr},
        {"1.2.3", nullptr},
        {"--1", nullptr},
        {"1-", nullptr},
    };
    for (const row& r : rows) {
        CAPTURE(r.text);
        const auto read = decimal::parse(r.text);
        CHECK(read.has_value() == (r.value != nullptr));
        if (read && r.value) CHECK(read->text() == r.value);
    }
}

TEST_CASE("sums are exact, and so are comparisons")
{
    decimal sum;
    for (int i = 0; i < 10; ++i) sum = sum + *decimal::parse("0.1");
    CHECK(sum == *decimal::parse("1.0"));  // which ten doubles are not
    CHECK((*decimal::parse("700.1") + *decimal::parse("700.11")).text() == "1400.21");
    CHECK((*decimal::parse("900.10") * 1000).text() == "900100");
    CHECK((*decimal::parse("-3") + *decimal::parse("3")).text() == "0");
    CHECK(*decimal::parse("9007199254740993") > *decimal::parse("9007199254740992"));
    CHECK(*decimal::parse("-1") < decimal());
    CHECK(decimal::parse("-1")->negative());
    // A hundred thousand of the largest are still no overflow.
    decimal most;
    for (int i = 0; i < 100'000; ++i) most = most + *decimal::parse("99999999999999999999.999999999");
    CHECK(most.text() == "9999999999999999999999999.9999");
    CHECK(places_of("1") == 0);
    CHECK(places_of("1.50") == 2);
}
