#include "gateway/config/rule_hints.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace sallyport::config {
namespace {

TEST_CASE("conditions that may fail to evaluate")
{
    for (const std::string_view may :
         {"body.amount > 5", "request.headers[\"x\"] == \"y\"", "request.headers.x == 'y'", "task.intent == ''", "int(request.path) > 3",
          "1 + 1 == 2", "agent.labels.team == 'x'", "request.path.matches('x')", "[1][0] == 1", "f(x)[0]", "'a'[0]", "// no\nbody.x"}) {
        CAPTURE(may);
        CHECK(may_err(may));
    }
    for (const std::string_view cannot :
         {"true", "request.method in [\"GET\", \"HEAD\"]", "request.path == \"/body\"", "request.path == '/it\\'s body'",
          "request.path == r'\\' || true", "request.path == '''a 'body' ''' || true",
          "request.path.startsWith(\"/v1\") && agent.owner == \"ada\"", "[1] == [1]", "true // body", "", "'", "\"\"\""}) {
        CAPTURE(cannot);
        CHECK(!may_err(cannot));
    }
}

TEST_CASE("conditions that never hold")
{
    for (const std::string_view never : {"false", " (false) ", "false // for now"}) CHECK(never_true(never));
    for (const std::string_view other : {"", "()", "true", "false || true", "'false'", "false false"}) CHECK(!never_true(other));
}

TEST_CASE("comparisons in vain")
{
    struct row {
        std::string_view condition, at, message;  // `at`: where the remark points to; empty for none
    };
    const row rows[] = {
        {"request.method == \"post\"", "\"post\"", "capitals"},
        {"request.method == 'POST'", "", ""},
        {"true && request.path == 'v1/x'", "'v1/x'", "begins with `/`"},
        {"request.path == ''", "''", "begins with `/`"},
        {"request.path.startsWith('v1')", "'v1'", "begins with `/`"},
        {"request.path.startsWith('')", "", ""},
        {"request.path == '/v1?x=1'", "'/v1?x=1'", "no query"},
        {"request.path == '/payments/v1'", "'/payments/v1'", "follows the route's prefix"},
        {"request.path.startsWith(\"/payments\")", "\"/payments\"", "follows the route's prefix"},
        {"request.path == '/paymentsx'", "", ""},
        {"request.path == '/v1' && body.path == 'v1'", "", ""},
        {"request.path == r'v1'", "", ""},
        {"request.path == '''v1'''", "", ""},
        {"request.path.endsWith('v1')", "", ""},
        {"request.path == '", "", ""},
    };
    constexpr std::string_view prefixes[] = {"/payments"};
    for (const row& r : rows) {
        CAPTURE(r.condition);
        const auto found = vain_comparisons(r.condition, prefixes);
        REQUIRE(found.size() == (r.at.empty() ? 0U : 1U));
        if (r.at.empty()) continue;
        CHECK(r.condition.substr(found[0].offset, r.at.size()) == r.at);
        CHECK(found[0].message.find(r.message) != std::string::npos);
    }
    constexpr std::string_view two[] = {"/payments", "/crm"};
    CHECK(vain_comparisons("request.path == '/payments/v1'", two).empty());
    CHECK(vain_comparisons("request.path == '/payments/v1'", {}).empty());
}

}  // namespace
}  // namespace sallyport::config
