#include "gateway/identity/token_endpoint.hpp"

#include "gateway/canonical/jcs.hpp"
#include "gateway/jose/jwt.hpp"
#include "storage/agent_store.hpp"
#include "storage/person_store.hpp"
#include "tests/gateway/identity/keys.hpp"
#include "workflows/encoding.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <functional>
#include <string>
#include <vector>

namespace sallyport::identity {
namespace {

using namespace std::chrono_literals;

constexpr const char* issuer = "https://gate.example";
constexpr const char* form_type = "application/x-www-form-urlencoded";
constexpr time_point t0{std::chrono::sys_days{std::chrono::year{2026} / 1 / 5} + std::chrono::hours(9)};
constexpr std::int64_t seconds0 = 1'767'603'600;
const oauth_settings settings{issuer, 15min};

jose::private_key new_key(jose::key_type type = jose::key_type::p256) { return jose::private_key::generate(type).value(); }

agent_key public_part(const jose::private_key& key, std::optional<time_point> until = {})
{
    return {key.kid(), key.public_half().jwk(), until};
}

boost::json::object claims_of(std::string_view name)
{
    return {{"iss", name}, {"sub", name}, {"aud", issuer}, {"iat", seconds0}, {"exp", seconds0 + 60}, {"jti", "jti-1"}};
}

std::string form_of(const std::string& assertion, const std::string& more = {})
{
    return "grant_type=client_credentials&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion=" +
           assertion + more;
}

std::string error_of(const oauth_answer& answer) { return std::string(boost::json::parse(answer.body).at("error").as_string()); }

// refund-bot signs with `key`, or with `old`, which has ended.
struct office {
    jose::private_key key = new_key(), old = new_key(), edwards = new_key(jose::key_type::ed25519);
    directory all = directory(1, {}, {}, {bot(), other()});

    agent bot() const
    {
        agent a;
        a.id = storage::some_id<agent_id>(1);
        a.name = "refund-bot";
        a.owner = {owner_name::kind::person, "ada"};
        a.scopes = {"payments", "crm:read"};
        a.keys = {public_part(old, t0), public_part(key)};
        return a;
    }
    agent other() const
    {
        agent a = bot();
        a.id = storage::some_id<agent_id>(2);
        a.name = "crm-bot";
        a.keys = {public_part(edwards)};
        return a;
    }
    token_call ask(const boost::json::object& claims, const jose::private_key& with, const std::string& more = {}) const
    {
        return token_call::read(settings, all, form_type, form_of(jose::sign_compact(with, "JWT", boost::json::serialize(claims)), more),
                                t0);
    }
};

}  // namespace

TEST_CASE_FIXTURE(office, "a request that is no token request")
{
    const std::string assertion = jose::sign_compact(key, "JWT", boost::json::serialize(claims_of("refund-bot")));
    REQUIRE_FALSE(token_call::read(settings, all, form_type, form_of(assertion), t0).answer());
    CHECK_FALSE(token_call::read(settings, all, "Application/X-WWW-Form-URLencoded ; charset=utf-8", form_of(assertion), t0).answer());
    struct row {
        const char* name;
        const char* type;
        std::string body;
        int status;
        const char* error;
    };
    const row rows[] = {
        {"JSON", "application/json", form_of(assertion), 400, "invalid_request"},
        {"nothing", form_type, "", 400, "invalid_request"},
        {"a broken escape", form_type, form_of(assertion, "&scope=%4"), 400, "invalid_request"},
        {"a parameter twice", form_type, form_of(assertion, "&scope=a&scope=b"), 400, "invalid_request"},
        {"another grant", form_type, "grant_type=password&username=x", 400, "unsupported_grant_type"},
        {"no assertion", form_type, "grant_type=client_credentials", 401, "invalid_client"},
        {"a secret instead", form_type, "grant_type=client_credentials&client_id=refund-bot&client_secret=x", 401, "invalid_client"},
        {"another client_id", form_type, form_of(assertion, "&client_id=crm-bot"), 401, "invalid_client"},
        {"an assertion cut short", form_type, form_of(assertion.substr(0, 40)), 401, "invalid_client"},
        {"a detail of no list", form_type, form_of(assertion, "&authorization_details={}"), 400, "invalid_authorization_details"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto call = token_call::read(settings, all, r.type, r.body, t0);
        REQUIRE(call.answer());
        CHECK(call.answer()->status == r.status);
        CHECK(error_of(*call.answer()) == r.error);
    }
}

// semantics.md, "The two listeners": `exp` at most 5 min ahead, `iat` at most 30 s in the future; wire.md: at most 5 min old.
TEST_CASE_FIXTURE(office, "what an assertion may say")
{
    struct row {
        const char* name;
        std::function<void(boost::json::object&)> change;
        bool good;
    };
    const row rows[] = {
        {"nothing else", [](auto&) {}, true},
        {"for the token endpoint", [](auto& c) { c["aud"] = std::string(issuer) + "/oauth2/token"; }, true},
        {"for us in a list", [](auto& c) { c["aud"] = boost::json::array{issuer}; }, true},
        {"for others too",
         [](auto& c) {
             c["aud"] = boost::json::array{issuer, "https://x.example"};
         },
         false},
        {"for others", [](auto& c) { c["aud"] = "https://x.example"; }, false},
        {"of somebody about another", [](auto& c) { c["iss"] = "crm-bot"; }, false},
        {"of nobody", [](auto& c) { c.erase("sub"); }, false},
        {"ends just now", [](auto& c) { c["exp"] = seconds0; }, false},
        {"ends in five minutes", [](auto& c) { c["exp"] = seconds0 + 300; }, true},
        {"ends a second later", [](auto& c) { c["exp"] = seconds0 + 301; }, false},
        {"never ends", [](auto& c) { c.erase("exp"); }, false},
        {"does not say from when", [](auto& c) { c.erase("iat"); }, true},
        {"of a clock that is ahead", [](auto& c) { c["iat"] = seconds0 + 30; }, true},
        {"of the future", [](auto& c) { c["iat"] = seconds0 + 31; }, false},
        {"five minutes old", [](auto& c) { c["iat"] = seconds0 - 300; }, true},
        {"older", [](auto& c) { c["iat"] = seconds0 - 301; }, false},
        {"from a time that is no number", [](auto& c) { c["iat"] = "now"; }, false},
        {"not yet good", [](auto& c) { c["nbf"] = seconds0 + 31; }, false},
        {"without an id of its own", [](auto& c) { c.erase("jti"); }, false},
        {"with an empty one", [](auto& c) { c["jti"] = ""; }, false},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        auto claims = claims_of("refund-bot");
        r.change(claims);
        const auto call = ask(claims, key);
        CHECK(!call.answer() == r.good);
        if (call.answer()) CHECK(call.answer()->status == 401);
    }
}

TEST_CASE_FIXTURE(office, "whoever cannot prove a name gets one answer, and no way to the database")
{
    const auto stranger = new_key(), strange_edwards = new_key(jose::key_type::ed25519);
    const auto refused = ask(claims_of("nobody"), stranger).answer();
    REQUIRE(refused);
    struct row {
        const char* name;
        const char* agent;
        const jose::private_key* with;
    };
    for (const row& r : {row{"an unknown name, another algorithm", "nobody", &strange_edwards},
                         row{"another's key", "refund-bot", &edwards}, row{"a stranger's key", "refund-bot", &stranger},
                         row{"a key that has ended", "refund-bot", &old}, row{"its key for another name", "crm-bot", &key}}) {
        CAPTURE(r.name);
        const auto answer = ask(claims_of(r.agent), *r.with).answer();
        REQUIRE(answer);
        CHECK(answer->status == 401);
        CHECK(answer->body == refused->body);
    }
    CHECK_FALSE(ask(claims_of("crm-bot"), edwards).answer());

    // A kid that is another key's is wrong, whoever signed; none is looked for among all.
    const auto headed = [&](const std::string& header) {
        std::string text = base64url(header) + "." + base64url(boost::json::serialize(claims_of("refund-bot")));
        text += "." + base64url(key.sign(text));
        return token_call::read(settings, all, form_type, form_of(text), t0).answer();
    };
    CHECK_FALSE(headed(R"({"alg":"ES256"})"));
    CHECK(headed(R"({"alg":"ES256","kid":")" + old.kid() + "\"}"));
    CHECK(headed(R"({"alg":"ES256","kid":"x"})"));
}

TEST_CASE_FIXTURE(office, "what is asked for beyond the name")
{
    struct row {
        const char* name;
        std::string more;
        const char* error;  // null: read
    };
    std::string many;
    for (std::size_t i = 0; i <= most_scopes; ++i) many += "+r" + std::to_string(i);
    const auto task = [](const std::string& members) { return "&authorization_details=[{\"type\":\"sallyport_task\"" + members + "}]"; };
    const row rows[] = {
        {"scopes", "&scope=payments+crm:read", nullptr},
        {"more scopes than there are", "&scope=" + many, "invalid_scope"},
        {"a task", task(R"(,"intent":"x","limits":{"total":1},"expires_at":"2026-01-05T09:01:00Z")"), nullptr},
        {"a task without intent", task(""), "invalid_authorization_details"},
        {"too long an intent", task(",\"intent\":\"" + std::string(2001, 'x') + "\""), "invalid_authorization_details"},
        {"limits of no object", task(R"(,"intent":"x","limits":[])"), "invalid_authorization_details"},
        {"an end that is no time", task(R"(,"intent":"x","expires_at":"soon")"), "invalid_authorization_details"},
        {"an end that has passed", task(R"(,"intent":"x","expires_at":"2026-01-05T09:00:00Z")"), "invalid_authorization_details"},
        {"a member that nobody knows", task(R"(,"intent":"x","budget":1)"), "invalid_authorization_details"},
        {"two tasks", R"(&authorization_details=[{"type":"sallyport_task"},{"type":"sallyport_task"}])", "invalid_authorization_details"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto call = ask(claims_of("refund-bot"), key, r.more);
        CHECK(!call.answer() == (r.error == nullptr));
        if (call.answer() && r.error) {
            CHECK(call.answer()->status == 400);
            CHECK(error_of(*call.answer()) == r.error);
        }
    }
}

namespace {

// The same with a database behind it.
struct open_office : testing::house, office {
    using office::ask;

    open_office()
    {
        in([&](storage::transaction& tx) {
            storage::invitation i;
            i.id = storage::some_id<person_id>(1);
            i.handle = "ada";
            i.name = "Ada";
            i.email = "ada@example.com";
            i.code_hash = storage::bytes32('c');
            i.expires_at = tx.now() + 1h;
            storage::person_store::invite(tx, i).value();
            storage::agent_store::add(tx, bot()).value();
        });
    }
    oauth_answer granted(const token_call& call)
    {
        REQUIRE_FALSE(call.answer());
        return in([&](storage::transaction& tx) { return call.grant(tx, keys, std::array<std::uint8_t, 10>{}, "token-jti"); });
    }
    oauth_answer granted(const char* jti, const std::string& more = {})
    {
        auto claims = claims_of("refund-bot");
        claims["jti"] = jti;
        return granted(ask(claims, key, more));
    }
};

}  // namespace

TEST_CASE_FIXTURE(open_office, "a token is given for what was asked, once")
{
    const auto everything = granted("1");
    CHECK(everything.status == 200);
    CHECK(everything.agent == "refund-bot");
    const auto body = boost::json::parse(everything.body).as_object();
    CHECK(body.at("token_type").as_string() == "Bearer");
    CHECK(body.at("expires_in").to_number<int>() == 900);
    CHECK(body.at("scope").as_string() == "payments crm:read");
    CHECK_FALSE(body.contains("authorization_details"));
    const auto token = verify(keys, issuer, body.at("access_token").as_string(), t0);
    REQUIRE(token.has_value());
    CHECK(token->agent == bot().id);

    CHECK(granted("1").status == 401);  // used before
    CHECK(boost::json::parse(granted("2", "&scope=payments:read").body).at("scope").as_string() == "payments:read");
    const auto beyond = granted("3", "&scope=crm");
    CHECK(beyond.status == 400);
    CHECK(error_of(beyond) == "invalid_scope");
}

TEST_CASE_FIXTURE(open_office, "a token ends with its task")
{
    const auto answer =
        granted("1", R"(&authorization_details=[{"type":"sallyport_task","intent":"x","expires_at":"2026-01-05T09:01:30Z"}])");
    const auto body = boost::json::parse(answer.body).as_object();
    CHECK(body.at("expires_in").to_number<int>() == 90);
    CHECK(body.at("authorization_details").as_array()[0].at("expires_at").as_string() == "2026-01-05T09:01:30.000Z");
    CHECK(verify(keys, issuer, body.at("access_token").as_string(), t0)->expires_at == t0 + 90s);
}

// What was read out of memory is asked of the database again: it may have changed in between.
TEST_CASE_FIXTURE(open_office, "an agent that has changed since it was read")
{
    const auto call = ask(claims_of("refund-bot"), key);
    SUBCASE("suspended")
    {
        in([&](storage::transaction& tx) { storage::agent_store::set_status(tx, bot().id, agent_status::suspended).value(); });
        const auto answer = granted(call);
        CHECK(answer.status == 400);
        CHECK(error_of(answer) == "unauthorized_client");
    }
    SUBCASE("its key is another now")
    {
        in([&](storage::transaction& tx) { storage::agent_store::replace_keys(tx, bot().id, public_part(edwards), std::nullopt).value(); });
        CHECK(granted(call).status == 401);
    }
    SUBCASE("its key still has its time")
    {
        in([&](storage::transaction& tx) {
            storage::agent_store::replace_keys(tx, bot().id, public_part(edwards), tx.now() + 1h).value();
        });
        CHECK(granted(call).status == 200);
    }
}

TEST_CASE("only so many wait for the database at once")
{
    token_queue queue(2);
    const token_queue::place first(queue);
    CHECK(first);
    {
        const token_queue::place second(queue), third(queue);
        CHECK(second);
        CHECK_FALSE(third);
    }
    const token_queue::place again(queue);
    CHECK(again);
}

TEST_CASE("the metadata of RFC 8414")
{
    const auto all = boost::json::parse(metadata(issuer)).as_object();
    CHECK(all.at("issuer").as_string() == issuer);
    CHECK(all.at("token_endpoint").as_string() == std::string(issuer) + "/oauth2/token");
    CHECK(all.at("jwks_uri").as_string() == std::string(issuer) + "/.well-known/jwks.json");
}

}  // namespace sallyport::identity
