#include "gateway/identity/access_token.hpp"

#include "gateway/jose/jwt.hpp"
#include "tests/gateway/identity/keys.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <functional>
#include <string>

namespace sallyport::identity {
namespace {

using namespace std::chrono_literals;

constexpr const char* issuer = "https://gate.example";
constexpr time_point t0{std::chrono::sys_days{std::chrono::year{2026} / 1 / 5} + std::chrono::hours(9)};

token_request request()
{
    token_request r;
    r.agent = storage::some_id<agent_id>(1);
    r.client_id = "refund-bot";
    r.scopes = *parse_scopes("payments crm:read");
    r.lifetime = 15min;
    return r;
}

task refunds(time_point until)
{
    task t;
    t.id = storage::some_id<task_id>(2);
    t.intent = "refund what was agreed";
    t.limits = boost::json::object{{"total", 500}};
    t.expires_at = until;
    return t;
}

}  // namespace

TEST_CASE_FIXTURE(testing::house, "a token that was issued says what was asked for")
{
    const std::string token = issue(keys, issuer, request(), t0, "jti-1");
    const auto read = verify(keys, issuer, token, t0);
    REQUIRE(read.has_value());
    CHECK(read->agent == request().agent);
    CHECK(text_of(read->scopes) == "payments crm:read");
    CHECK(read->expires_at == t0 + 15min);
    CHECK_FALSE(read->task);
    CHECK(verify(keys, issuer, token, t0 + 15min - 1us).has_value());
    CHECK_FALSE(verify(keys, issuer, token, t0 + 15min).has_value());

    const auto jwt = jose::jwt::parse(token).value();  // wire.md, "Tokens"
    CHECK(jwt.typ() == "at+jwt");
    CHECK(jwt.text_claim("iss") == issuer);
    CHECK(jwt.text_claim("client_id") == "refund-bot");
    CHECK(jwt.text_claim("jti") == "jti-1");
    CHECK(jwt.time_claim("iat") == t0);
}

TEST_CASE_FIXTURE(testing::house, "a token ends with its task, also where it is remembered")
{
    auto asked = request();
    asked.task = refunds(t0 + 90s);
    CHECK(expiry_of(asked, t0) == t0 + 90s);
    const auto token = issue(keys, issuer, asked, t0, "jti");
    const auto read = verify(keys, issuer, token, t0);
    REQUIRE(read.has_value());
    REQUIRE(read->task);
    CHECK(read->expires_at == t0 + 90s);  // what the token cache asks for
    CHECK(read->task->facts.id == asked.task->id.text());
    CHECK(read->task->facts.intent == "refund what was agreed");
    CHECK(read->task->facts.scopes == std::vector<std::string>{"payments", "crm:read"});
    CHECK(read->task->text == R"({"total":500})");
    CHECK(jose::jwt::parse(token)->time_claim("exp") == t0 + 90s);
    CHECK_FALSE(verify(keys, issuer, token, t0 + 90s).has_value());

    asked.task = refunds(t0 + 1h);
    CHECK(expiry_of(asked, t0) == t0 + 15min);
    CHECK(verify(keys, issuer, issue(keys, issuer, asked, t0, "jti"), t0)->expires_at == t0 + 15min);

    asked.task->limits = nullptr;
    const auto unlimited = verify(keys, issuer, issue(keys, issuer, asked, t0, "jti"), t0);
    REQUIRE(unlimited.has_value());
    CHECK_FALSE(unlimited->task->facts.limits);
}

TEST_CASE_FIXTURE(testing::house, "a token that is refused")
{
    boost::json::object good{{"iss", issuer},
                             {"sub", request().agent.text()},
                             {"client_id", "refund-bot"},
                             {"aud", issuer},
                             {"scope", "payments"},
                             {"iat", 1767603600},
                             {"exp", 1767603600 + 60},
                             {"jti", "x"}};
    const auto signed_with = [&](const boost::json::object& payload, std::string_view typ = "at+jwt") {
        return jose::sign_compact(keys.token(), typ, boost::json::serialize(payload));
    };
    REQUIRE(verify(keys, issuer, signed_with(good), t0).has_value());
    CHECK(verify(keys, issuer, signed_with(good, "application/at+jwt"), t0).has_value());

    struct row {
        const char* name;
        std::function<void(boost::json::object&)> change;
    };
    const row rows[] = {
        {"another issuer", [](auto& p) { p["iss"] = "https://other.example"; }},
        {"no issuer", [](auto& p) { p.erase("iss"); }},
        {"another audience", [](auto& p) { p["aud"] = "https://other.example"; }},
        {"an audience besides us",
         [](auto& p) {
             p["aud"] = boost::json::array{issuer, "https://other.example"};
         }},
        {"expired", [](auto& p) { p["exp"] = 1767603600; }},
        {"for ever", [](auto& p) { p.erase("exp"); }},
        {"no agent", [](auto& p) { p["sub"] = "refund-bot"; }},
        {"another kind of detail",
         [](auto& p) {
             p["authorization_details"] = boost::json::array{{{"type", "payment"}}};
         }},
        {"a task without its end",
         [](auto& p) {
             p["authorization_details"] = boost::json::array{{{"type", "sallyport_task"}, {"intent", "x"}}};
         }},
        {"a task that has ended",
         [](auto& p) {
             p["authorization_details"] =
                 boost::json::array{{{"type", "sallyport_task"}, {"intent", "x"}, {"expires_at", "2026-01-05T09:00:00Z"}}};
         }},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        auto payload = good;
        r.change(payload);
        const auto read = verify(keys, issuer, signed_with(payload), t0);
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().what == problem::unauthenticated);
    }
    for (const char* typ : {"JWT", "", "receipt"}) CHECK_FALSE(verify(keys, issuer, signed_with(good, typ), t0).has_value());

    // The receipts' key signs no tokens, nor does anybody else's.
    CHECK_FALSE(verify(keys, issuer, jose::sign_compact(keys.receipt(), "at+jwt", boost::json::serialize(good)), t0).has_value());
    const auto stranger = jose::private_key::generate(jose::key_type::p256).value();
    CHECK_FALSE(verify(keys, issuer, jose::sign_compact(stranger, "at+jwt", boost::json::serialize(good)), t0).has_value());
    for (const char* text : {"", "x", "a.b.c", "..", "eyJhbGciOiJub25lIn0.e30."}) CHECK_FALSE(verify(keys, issuer, text, t0).has_value());
}

}  // namespace sallyport::identity
