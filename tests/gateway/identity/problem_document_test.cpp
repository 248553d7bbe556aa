#include "gateway/identity/problem_document.hpp"

#include "workflows/problem.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace sallyport::identity {

// contract.md "Refusals", wire.md "Problem document" and "The people's API".
TEST_CASE("each problem has its status, and says whether sending it again can help")
{
    struct row {
        const char* name;
        int status;
        const char* retry;
    };
    const row rows[] = {
        {"unauthenticated", 401, "false"},
        {"insufficient-scope", 403, "\"changed\""},
        {"no-hold", 404, "false"},
        {"hold-closed", 409, "false"},
        {"response-gone", 410, "false"},
        {"credential-missing", 503, "false"},
        {"agent-suspended", 403, "false"},
        {"no-route", 404, "\"changed\""},
        {"denied-by-policy", 403, "\"changed\""},
        {"denied-by-person", 403, "false"},
        {"expired", 403, "true"},
        {"withdrawn", 410, "false"},
        {"undeliverable", 503, "true"},
        {"void", 409, "true"},
        {"outcome-unknown", 502, "false"},
        {"malformed-request", 400, "\"changed\""},
        {"body-too-large", 413, "\"changed\""},
        {"idempotency-conflict", 422, "\"changed\""},
        {"overloaded", 503, "true"},
        {"upstream-unreachable", 502, "true"},
        {"upstream-timeout", 504, "false"},
        {"storage-unavailable", 503, "true"},
        {"no-enrolment", 404, nullptr},
        {"cross-origin", 403, nullptr},
        {"not-eligible", 403, nullptr},
        {"statement-stale", 409, nullptr},
        {"bad-assertion", 422, nullptr},
        {"assurance-too-low", 403, nullptr},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto what = problem_named(r.name);
        REQUIRE(what);
        const auto document = boost::json::parse(problem_document(fail(*what))).as_object();
        CHECK(document.at("type").as_string() == "urn:sallyport:problem:" + std::string(r.name));
        CHECK(document.at("status").as_int64() == r.status);
        if (r.retry) CHECK(boost::json::serialize(document.at("retry")) == r.retry);
        CHECK_FALSE(document.at("title").as_string().empty());
    }
}

TEST_CASE("the members of a problem document")
{
    const auto bare = boost::json::parse(problem_document(fail(problem::no_route, "", "not for agents")));
    CHECK(boost::json::serialize(bare) == R"({"type":"urn:sallyport:problem:no-route","title":"No route leads there.","status":404,)"
                                          R"("detail":"No route leads there.","action":null,"hold":null,"reason":null,"rules":[],)"
                                          R"("retry":"changed"})");

    const std::vector<spoken_rule> rules{
        {"no-deletes", "ops", verdict_kind::deny, "Deletes \"all\"", true, ""},
        {"not-matched", "", verdict_kind::hold, "", false, ""},
        {"erring", "", verdict_kind::hold, "?", false, "no such key"},
    };
    problem_context context;
    context.action = action_id::parse("act_01ARZ3NDEKTSV4RRFFQ69G5FAV");
    context.hold = hold_id::parse("hld_01ARZ3NDEKTSV4RRFFQ69G5FAV");
    context.rules = rules;
    context.reason = "not today";
    const auto full = boost::json::parse(problem_document(fail(problem::denied_by_person, "Because."), context)).as_object();
    CHECK(full.at("detail").as_string() == "Because.");
    CHECK(full.at("action").as_string() == "act_01ARZ3NDEKTSV4RRFFQ69G5FAV");
    CHECK(full.at("hold").as_string() == "hld_01ARZ3NDEKTSV4RRFFQ69G5FAV");
    CHECK(full.at("reason").as_string() == "not today");
    CHECK(boost::json::serialize(full.at("rules")) ==
          R"([{"rule":"no-deletes","verdict":"deny","summary":"Deletes \"all\""},{"rule":"erring","verdict":"hold","summary":"?"}])");
}

}  // namespace sallyport::identity
