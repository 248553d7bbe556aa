#include "gateway/canonical/alike.hpp"

#include <doctest/doctest.h>

#include <set>
#include <vector>

using namespace sallyport;

TEST_CASE("the shape of a target")
{
    struct row {
        const char* target;
        const char* shape;
    };
    const row rows[] = {
        {"/v1/refunds", "/v1/refunds"},
        {"/v1/customers/c_17/refunds", "/v1/customers/*/refunds"},
        {"/orders/4711", "/orders/*"},
        {"/orders/3fa85f64-5717-4562-b3fc-2c963f66afa6/lines", "/orders/*/lines"},
        {"/people/abcdefghijklmnopqrstuvwxyzabcdefg", "/people/*"},
        {"/v2beta/x", "/*/x"},
        {"/v12345/x", "/*/x"},
        {"/a//b/", "/a//b/"},
        {"/a?limit=10&to=x&flag", "/a?limit&to&flag"},
        {"/a?", "/a?"},
        {"/", "/"},
        {"", ""},
    };
    for (const row& r : rows) {
        CAPTURE(r.target);
        CHECK(target_shape(r.target) == r.shape);
    }
}

TEST_CASE("alike is what only ids and values set apart")
{
    const auto bot = agent_id::from_bytes({1}), other = agent_id::from_bytes({2});
    const std::vector<reason> refunds{{"refunds", "Refund 900 EUR"}}, dearer{{"refunds", "Refund 901 EUR"}}, closing{{"closing", ""}};
    const auto of = [&](agent_id a, const char* route, const char* method, const char* target, const std::vector<reason>& why) {
        return alike_digest(a, route, method, target, why);
    };
    const std::string one = of(bot, "pay", "POST", "/v1/c_1/refunds", refunds);
    CHECK(one.size() == 22);
    CHECK(one == of(bot, "pay", "POST", "/v1/c_2/refunds", dearer));
    const std::set<std::string> all{one,
                                    of(other, "pay", "POST", "/v1/c_1/refunds", refunds),
                                    of(bot, "crm", "POST", "/v1/c_1/refunds", refunds),
                                    of(bot, "pay", "PUT", "/v1/c_1/refunds", refunds),
                                    of(bot, "pay", "POST", "/v1/c_1/payouts", refunds),
                                    of(bot, "pay", "POST", "/v1/c_1/refunds?x", refunds),
                                    of(bot, "pay", "POST", "/v1/c_1/refunds", closing)};
    CHECK(all.size() == 7);
}
