// Whatever stands in a file, loading ends with a configuration or with errors at places that are in the file.
#include "gateway/config/load.hpp"

#include "tests/gateway/config/directory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

namespace sallyport::config {
namespace {

using testing::good;

constexpr std::string_view pieces[] = {"\n",     "  ",   "- ",          ": ",           "{",     "}",    "[",
                                       "]",      "\"",   "'",           "|\n",          ">-\n",  "&a ",  "*a",
                                       "!!str ", "<<: ", "---\n",       "...\n",        "#",     "? ",   "010",
                                       "~",      "null", "\\u202E",     "\\x00",        "\t",    "\r",   "\x01",
                                       "\xFF",   "\xC3", "%YAML 1.2\n", "\xEF\xBB\xBF", "{{{{",  "[[[[", "\\\n",
                                       "true",   "1e9",  "-0",          "(((",          "body.", "&& ",  "999999999999999999999",
                                       "GiB",    "@",    "%2F",         "://"};

std::string mutated(std::string text, std::mt19937& random)
{
    const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
    for (std::size_t edits = 1 + below(4); edits > 0 && !text.empty(); --edits) {
        const auto at = below(text.size());
        switch (below(5)) {
        case 0: text.erase(at, 1 + below(8)); break;
        case 1: text.insert(at, pieces[below(std::size(pieces))]); break;
        case 2: text[at] = static_cast<char>(below(256)); break;
        case 3: text.insert(at, text.substr(below(text.size()), below(60))); break;
        default: std::swap(text[at], text[below(text.size())]); break;
        }
    }
    return text;
}

TEST_CASE("a thousand mutations of a right file neither crash nor point elsewhere")
{
    std::mt19937 random(20260105);
    const testing::directory dir;
    std::size_t right = 0, wrong = 0;
    for (int i = 0; i < 1'000; ++i) {
        const auto text = mutated(std::string(good), random);
        CAPTURE(i);
        CAPTURE(text);
        dir.write("a.yaml", text);
        const auto loaded = load(dir.path());
        CHECK((loaded.config != nullptr) == loaded.errors.empty());
        const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
        for (const auto& findings : {loaded.errors, loaded.warnings})
            for (const auto& f : findings) {
                CHECK(f.line >= 1);
                CHECK(f.line <= lines);
                CHECK(f.column >= 1);
                CHECK(!f.message.empty());
                CHECK(std::none_of(f.message.begin(), f.message.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }));
            }
        ++(loaded.config ? right : wrong);
    }
    // Otherwise the mutations would not be where it matters.
    CHECK(right > 5);
    CHECK(wrong > 200);
}

TEST_CASE("the file ends anywhere")
{
    const testing::directory dir;
    for (std::size_t end = 0; end < good.size(); end += 7) {
        dir.write("a.yaml", good.substr(0, end));
        const auto loaded = load(dir.path());
        CHECK((loaded.config != nullptr) == loaded.errors.empty());
    }
}

}  // namespace
}  // namespace sallyport::config
