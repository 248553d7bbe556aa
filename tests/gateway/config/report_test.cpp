#include "gateway/config/report.hpp"

#include <doctest/doctest.h>

namespace sallyport::config {
namespace {

TEST_CASE("errors and warnings as lines")
{
    const load_result r{nullptr, {{"conf/a.yaml", 3, 5, "wrong"}, {"conf", 0, 0, "nothing there"}}, {{"conf/b.yaml", 1, 2, "odd"}}};
    CHECK(text_report(r) == "conf/a.yaml:3:5: wrong\nconf: nothing there\nconf/b.yaml:1:2: warning: odd\n");
    CHECK(text_report({}).empty());
}

TEST_CASE("the same for programs")
{
    const load_result bad{nullptr, {{"conf/a\"b.yaml", 3, 5, "wrong"}}, {}};
    CHECK(json_report(bad) ==
          R"({"ok":false,"policy":null,"errors":[{"file":"conf/a\"b.yaml","line":3,"column":5,"message":"wrong"}],"warnings":[]})");
    auto config = std::make_shared<configuration>();
    config->digest = "00ff";
    const load_result right{config, {}, {{"a.yaml", 1, 2, "odd"}}};
    CHECK(json_report(right) ==
          R"({"ok":true,"policy":"00ff","errors":[],"warnings":[{"file":"a.yaml","line":1,"column":2,"message":"odd"}]})");
}

}  // namespace
}  // namespace sallyport::config
