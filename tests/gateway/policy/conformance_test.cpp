#include "gateway/policy/evaluate.hpp"

#include "gateway/canonical/json.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <map>
#include <string>

using namespace sallyport;

namespace {

double number_of(const json::value& v)
{
    if (!v.is(json::kind::string)) return v.real();
    if (v.string() == "Infinity") return std::numeric_limits<double>::infinity();
    if (v.string() == "-Infinity") return -std::numeric_limits<double>::infinity();
    return std::numeric_limits<double>::quiet_NaN();
}

bool same(const json::value& a, const json::value& b);

// An entry of a map is found by its key: maps have no order.
bool same_entries(const json::value& a, const json::value& b)
{
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        bool found = false;
        for (std::size_t j = 0; j < b.size() && !found; ++j) found = same(a.at(i), b.at(j));
        if (!found) return false;
    }
    return true;
}

bool same(const json::value& a, const json::value& b)
{
    if (a.kind() != b.kind() && !(a.is(json::kind::integer) && b.is(json::kind::real)) &&
        !(a.is(json::kind::real) && b.is(json::kind::integer)))
        return false;
    if (a.is(json::kind::string)) return a.string() == b.string();
    if (a.is(json::kind::boolean)) return a.boolean() == b.boolean();
    if (a.is(json::kind::integer) || a.is(json::kind::real)) return std::equal_to<>{}(a.real(), b.real());
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a.is(json::kind::array)) {
            if (!same(a.at(i), b.at(i))) return false;
            continue;
        }
        const json::value* other = b.find(a.key(i));
        if (!other) return false;
        if (a.key(i) == "doubleValue") {
            const double x = number_of(a.at(i)), y = number_of(*other);
            if (!std::equal_to<>{}(x, y) && !(std::isnan(x) && std::isnan(y))) return false;
        } else if (a.key(i) == "entries") {
            if (!same_entries(a.at(i), *other)) return false;
        } else if (!same(a.at(i), *other)) {
            return false;
        }
    }
    return true;
}

}  // namespace

TEST_CASE("the conformance suite of CEL, a part of it")
{
    std::ifstream file(std::string(SALLYPORT_VECTORS_DIR) + "/cel/conformance.jsonl");
    if (!file) {
        MESSAGE("no vectors of CEL: skipped");
        return;
    }
    std::map<std::string, int> passed;
    for (std::string line; std::getline(file, line);) {
        CAPTURE(line);
        const auto test = json::document::parse(line);
        REQUIRE(test.has_value());
        const std::string text = policy::evaluate_line(line);
        CAPTURE(text);
        const auto answer = json::document::parse(text);
        REQUIRE(answer.has_value());
        const json::value& expected = *test->root().find("expect");
        const json::value* value = answer->root().find("value");
        const json::value* wanted = expected.find("value");
        const bool good = wanted ? value && same(*wanted, *value) : answer->root().find("error") != nullptr;
        CHECK(good);
        if (good) ++passed[std::string(test->root().find("suite")->string())];
    }
    const std::map<std::string, int> all{
        {"basic", 28},  {"comparisons", 238}, {"conversions", 71}, {"fields", 46},      {"fp_math", 21},   {"integer_math", 45},
        {"lists", 30},  {"logic", 21},        {"macros", 25},      {"math_ext", 100},   {"namespace", 1},  {"optionals", 26},
        {"parse", 134}, {"plumbing", 3},      {"string", 38},      {"string_ext", 104}, {"timestamps", 52}};
    CHECK(passed == all);
}
