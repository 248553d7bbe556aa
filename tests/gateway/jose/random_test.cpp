#include "gateway/jose/random.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

using namespace sallyport;

TEST_CASE("what is drawn differs")
{
    std::set<std::array<std::uint8_t, 10>> ids;
    std::set<std::string> texts;
    for (int i = 0; i < 1000; ++i) {
        ids.insert(random10());
        texts.insert(random_text(16));
    }
    CHECK(ids.size() == 1000);
    CHECK(texts.size() == 1000);
    CHECK(random_text(16).size() == 22);
    CHECK(random_bytes(0).empty());
    const std::string many = random_bytes(3 << 20);
    CHECK(many.size() == 3 << 20);
    CHECK(std::count(many.end() - 64, many.end(), '\0') < 32);  // the last part is drawn too
}
