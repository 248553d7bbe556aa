#include "gateway/command_line/judged_request.hpp"

#include "gateway/config/load.hpp"
#include "gateway/config/report.hpp"
#include "tests/gateway/config/directory.hpp"

#include <doctest/doctest.h>

namespace sallyport::command_line {
namespace {

constexpr std::string_view configuration = R"(
routes: [ { id: pay, prefix: /pay, upstream: http://127.0.0.1:9, credential: key }, { id: open, prefix: /open, upstream: http://127.0.0.1:9 } ]
policies:
  - { id: key-shown, route: "*", when: '"x-api-key" in request.headers', verdict: deny }
  - { id: token-shown, route: "*", when: '"authorization" in request.headers', verdict: deny }
  - { id: others, route: "*", when: request.method == "GET", verdict: allow }
)";

judged_request request_to(std::string target)
{
    judged_request request;
    request.method = "GET";
    request.target = std::move(target);
    request.host = "gate.example";
    request.headers = {{"X-Api-Key", "mine"}, {"Authorization", "Bearer mine"}, {"Accept", "*/*"}};
    return request;
}

TEST_CASE("rules see of a request what they see of a call: never the field of the route's credential")
{
    const config::testing::directory dir{{"main.yaml", configuration}};
    const auto loaded = config::load(dir.path());
    REQUIRE_MESSAGE(loaded.config, config::text_report(loaded));
    struct row {
        const char* name;
        credential_fields credentials;
        const char* target;
        verdict_kind then;
    };
    const row rows[] = {
        {"the credential's own field", {{"key", "x-api-key"}}, "/pay/x", verdict_kind::allow},
        {"a credential of another field", {{"key", "x-other"}}, "/pay/x", verdict_kind::deny},
        {"a route without a credential", {{"key", "x-api-key"}}, "/open/x", verdict_kind::deny},
        {"no such credential", {}, "/pay/x", verdict_kind::deny},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto verdict = judge(*loaded.config, r.credentials, request_to(r.target), agent(), nullptr, time_point());
        REQUIRE(verdict.has_value());
        CHECK(verdict->kind == r.then);
        for (const auto& spoke : verdict->rules) CHECK(spoke.rule != "token-shown");
    }
}

TEST_CASE("a message becomes a request, or says why not")
{
    const auto read =
        request_of_message("POST /pay/v1?a=b HTTP/1.1\nHost: gate.example\nContent-Type: application/json\n\n{\"amount\": 1}\n");
    REQUIRE(read.has_value());
    CHECK(read->method == "POST");
    CHECK(read->target == "/pay/v1?a=b");
    CHECK(read->host == "gate.example");
    CHECK(read->body == "{\"amount\": 1}\n");
    CHECK(request_of_message("POST /pay HTTP/1.1\nHost: a\n").error().what == problem::malformed_request);
    CHECK(request_of_message("").error().what == problem::malformed_request);
    CHECK(request_of_message("nonsense\n\n").error().what == problem::malformed_request);
}

}  // namespace
}  // namespace sallyport::command_line
