#include "gateway/openid/id_token.hpp"

#include "workflows/encoding.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

#include <string>

namespace sallyport::openid {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t noon = 1'800'000'000;
const time_point now{std::chrono::seconds(noon)};
const expected_claims expected{"https://id.example", "gate", "the nonce"};

// What is checked here is behind the signature, so anything stands for one.
jose::jwt token_of(const boost::json::object& claims)
{
    return jose::jwt::parse(base64url(R"({"alg":"ES256"})") + "." + base64url(boost::json::serialize(claims)) + "." +
                            base64url("signature"))
        .value();
}

boost::json::object good()
{
    return {{"iss", "https://id.example"}, {"sub", "248289761001"}, {"aud", "gate"}, {"iat", noon - 1},
            {"exp", noon + 300},           {"nonce", "the nonce"}};
}

}  // namespace

TEST_CASE("an ID token that is about this sign-in")
{
    const boost::json::array one{"gate"}, two{"other", "gate"};
    struct row {
        const char* name;
        boost::json::object changes;
    };
    const row rows[] = {
        {"as it should be", {}},
        {"its audience in a list", {{"aud", one}}},
        {"one of several, named", {{"aud", two}, {"azp", "gate"}}},
        {"named though alone", {{"azp", "gate"}}},
        {"just expired by our clock", {{"exp", noon - 59}}},
        {"issued ahead of our clock", {{"iat", noon + 60}}},
        {"a fraction of a second", {{"iat", static_cast<double>(noon) - 0.5}}},
        {"valid from now", {{"nbf", noon}}},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        auto claims = good();
        for (const auto& [name, value] : r.changes) claims[name] = value;
        const auto subject = check_id_token(token_of(claims), expected, now);
        REQUIRE(subject.has_value());
        CHECK(*subject == "248289761001");
    }
}

TEST_CASE("an ID token that is not")
{
    const boost::json::array nobody{}, two{"other", "gate"}, mixed{"gate", 1};
    struct row {
        const char* name;
        const char* claim;
        boost::json::value value;  // null: without it
        const char* cause;
    };
    const row rows[] = {
        {"another issuer", "iss", "https://evil.example", "issuer"},
        {"an issuer with a slash more", "iss", "https://id.example/", "issuer"},
        {"no issuer", "iss", nullptr, "issuer"},
        {"another client", "aud", "other", "client"},
        {"no audience", "aud", nullptr, "client"},
        {"an empty audience", "aud", nobody, "client"},
        {"an audience of other types", "aud", mixed, "client"},
        {"several audiences", "aud", two, "azp"},
        {"given to another client", "azp", "other", "another client"},
        {"given to no text", "azp", 7, "another client"},
        {"expired", "exp", noon - 60, "expired"},
        {"no end", "exp", nullptr, "expires"},
        {"an end in words", "exp", "tomorrow", "expires"},
        {"an end beyond all times", "exp", 1e300, "expires"},
        {"no beginning", "iat", nullptr, "issued"},
        {"issued in the future", "iat", noon + 61, "future"},
        {"issued long ago", "iat", noon - 601, "long ago"},
        {"valid later", "nbf", noon + 61, "yet"},
        {"valid from some day", "nbf", "soon", "yet"},
        {"another nonce", "nonce", "the nonces", "nonce"},
        {"half a nonce", "nonce", "the non", "nonce"},
        {"no nonce", "nonce", nullptr, "nonce"},
        {"an empty nonce", "nonce", "", "nonce"},
        {"no subject", "sub", nullptr, "sub"},
        {"an empty subject", "sub", "", "sub"},
        {"a subject that is no text", "sub", 1, "sub"},
        {"a subject that is too long", "sub", boost::json::string(256, 'x'), "sub"},
        {"a subject of other letters", "sub", "\xC3\xA9", "sub"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        auto claims = good();
        if (r.value.is_null())
            claims.erase(r.claim);
        else
            claims[r.claim] = r.value;
        const auto subject = check_id_token(token_of(claims), expected, now);
        REQUIRE_FALSE(subject.has_value());
        CHECK(subject.error().what == problem::unauthenticated);
        CHECK(subject.error().cause.find(r.cause) != std::string::npos);
        CHECK(subject.error().detail.empty());
    }
}

TEST_CASE("a sign-in without a nonce cannot be answered")
{
    auto claims = good();
    claims["nonce"] = "";
    CHECK_FALSE(check_id_token(token_of(claims), {"https://id.example", "gate", ""}, now).has_value());
}

}  // namespace sallyport::openid
