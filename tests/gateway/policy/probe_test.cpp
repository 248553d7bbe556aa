#include <doctest/doctest.h>
TEST_CASE("probe") { CHECK(true); }
