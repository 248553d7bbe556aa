#include "gateway/config/words.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace sallyport::config {
namespace {

TEST_CASE("outside text becomes harmless")
{
    CHECK(shown("a\nb\x01\x7F") == "a?b??");
    CHECK(shown("\xFF\xC3x") == "??x");
    CHECK(shown("x\u202Ey") == "x?y");
    CHECK(shown("für") == "für");
    CHECK(shown(std::string(60, 'x')) == std::string(60, 'x'));
    CHECK(shown(std::string(61, 'x')) == std::string(60, 'x') + "…");
    CHECK(shown(std::string(59, 'x') + "ü") == std::string(59, 'x') + "…");
    CHECK(one_line(std::string(99, 'x') + "\n") == std::string(99, 'x') + "?");
}

TEST_CASE("what may have been meant")
{
    constexpr std::string_view words[] = {"when", "verdict", "workflow", "id"};
    CHECK(nearest("wen", words) == "when");
    CHECK(nearest("hwen", words) == "when");
    CHECK(nearest("worflow", words) == "workflow");
    CHECK(nearest("di", words) == "id");
    CHECK(nearest("summary", words).empty());
    CHECK(nearest(std::string(100'000, 'x'), words).empty());
    CHECK(nearest("x", {}).empty());
    CHECK(one_of(words) == "`when`, `verdict`, `workflow` or `id`");
    CHECK(one_of({}).empty());
}

}  // namespace
}  // namespace sallyport::config
