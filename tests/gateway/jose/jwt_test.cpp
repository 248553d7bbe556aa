#include "gateway/jose/jwt.hpp"

#include "workflows/encoding.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <utility>

using namespace sallyport;
using namespace sallyport::jose;
using namespace std::chrono_literals;

namespace {

std::string compact(std::string_view header, std::string_view claims, std::string_view signature = "sig")
{
    return base64url(header) + "." + base64url(claims) + "." + base64url(signature);
}

/// A token whose claims are those; the signature is not looked at.
jwt with_claims(std::string_view claims)
{
    auto t = jwt::parse(compact(R"({"alg":"ES256"})", claims));
    REQUIRE(t.has_value());
    return std::move(*t);
}

}  // namespace

TEST_CASE("RFC 7515 appendix A.3: ES256")
{
    const auto key = public_key::from_jwk(
        R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})");
    REQUIRE(key.has_value());
    const auto t =
        jwt::parse("eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
                   "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
    REQUIRE(t.has_value());
    CHECK(t->alg() == algorithm::es256);
    CHECK(t->signed_by(*key));
    CHECK(t->text_claim("iss") == "joe");
    CHECK(t->time_claim("exp") == time_point(1300819380s));
    CHECK(t->claims().find("http://example.com/is_root")->boolean());
}

TEST_CASE("RFC 8037 appendix A.4: EdDSA verifies, over a payload that is no JSON it is no JWT")
{
    const auto key = public_key::from_jwk(R"({"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})");
    REQUIRE(key.has_value());
    const std::string input = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    const std::string signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    CHECK(key->verify(algorithm::eddsa, input, read_base64url(signature).value()));
    CHECK_FALSE(jwt::parse(input + "." + signature).has_value());
}

TEST_CASE("RFC 9864 §2.2: EdDSA over Ed25519 by its other name")
{
    const auto key = private_key::generate(key_type::ed25519);
    REQUIRE(key.has_value());
    for (const char* alg : {"EdDSA", "Ed25519"}) {
        CAPTURE(alg);
        const std::string input = base64url(std::string(R"({"alg":")") + alg + "\"}") + "." + base64url("{}");
        const auto t = jwt::parse(input + "." + base64url(key->sign(input)));
        REQUIRE(t.has_value());
        CHECK(t->alg() == algorithm::eddsa);
        CHECK(t->signed_by(key->public_half()));
    }
    CHECK(name_of(algorithm::eddsa) == "EdDSA");
}

TEST_CASE("what we sign we read")
{
    for (const key_type type : {key_type::p256, key_type::ed25519}) {
        const auto key = private_key::generate(type);
        const auto other = private_key::generate(type);
        REQUIRE(key.has_value());
        REQUIRE(other.has_value());
        const std::string token = sign_compact(*key, "at+jwt", R"({"iss":"https://gate","sub":"agt_1"})");
        auto t = jwt::parse(token);
        REQUIRE(t.has_value());
        CHECK(t->kid() == key->kid());
        CHECK(t->typ() == "at+jwt");
        CHECK(t->has_typ("AT+JWT"));
        CHECK(t->has_typ("application/at+jwt"));
        CHECK_FALSE(t->has_typ("JWT"));
        CHECK(t->text_claim("sub") == "agt_1");
        CHECK(t->signed_by(key->public_half()));
        CHECK_FALSE(t->signed_by(other->public_half()));
        const jwt moved = std::move(*t);
        CHECK(moved.text_claim("iss") == "https://gate");
        CHECK(moved.signed_by(key->public_half()));
        // one letter changed in any part
        for (const std::size_t at : {token.find('.') - 3, token.find('.') + 5, token.rfind('.') + 9}) {
            std::string bent = token;
            bent[at] = bent[at] == 'A' ? 'B' : 'A';
            const auto b = jwt::parse(bent);
            CHECK((!b.has_value() || !b->signed_by(key->public_half())));
        }
    }
    const auto key = private_key::generate(key_type::p256);
    REQUIRE(key.has_value());
    CHECK(jwt::parse(sign_compact(*key, "", "{}"))->typ().empty());
}

TEST_CASE("the algorithm in the header must be the key's")
{
    const auto key = private_key::generate(key_type::p256);
    REQUIRE(key.has_value());
    for (const char* alg : {"EdDSA", "Ed25519", "RS256", "PS256"}) {
        CAPTURE(alg);
        const std::string input = base64url(std::string(R"({"alg":")") + alg + "\"}") + "." + base64url("{}");
        const auto t = jwt::parse(input + "." + base64url(key->sign(input)));
        REQUIRE(t.has_value());
        CHECK_FALSE(t->signed_by(key->public_half()));
    }
}

TEST_CASE("what is refused before any signature is looked at")
{
    struct row {
        const char* name;
        std::string token;
    };
    const std::string good = R"({"alg":"ES256"})";
    const row rows[] = {
        {"nothing", ""},
        {"one part", "abc"},
        {"two parts", base64url(good) + "." + base64url("{}")},
        {"no signature", base64url(good) + "." + base64url("{}") + "."},
        {"four parts", compact(good, "{}") + ".x"},
        {"five parts", "a.b.c.d.e"},
        {"none", compact(R"({"alg":"none"})", "{}")},
        {"None", compact(R"({"alg":"None"})", "{}")},
        {"a shared secret", compact(R"({"alg":"HS256"})", "{}")},
        {"another curve", compact(R"({"alg":"ES384"})", "{}")},
        {"no algorithm", compact("{}", "{}")},
        {"an algorithm that is no text", compact(R"({"alg":["ES256"]})", "{}")},
        {"an algorithm twice", compact(R"({"alg":"ES256","alg":"ES256"})", "{}")},
        {"crit", compact(R"({"alg":"ES256","crit":["exp"]})", "{}")},
        {"an empty crit", compact(R"({"alg":"ES256","crit":[]})", "{}")},
        {"b64", compact(R"({"alg":"ES256","b64":false})", "{}")},
        {"kid no text", compact(R"({"alg":"ES256","kid":1})", "{}")},
        {"kid empty", compact(R"({"alg":"ES256","kid":""})", "{}")},
        {"typ no text", compact(R"({"alg":"ES256","typ":null})", "{}")},
        {"a header that is no object", compact("[]", "{}")},
        {"a header that is no JSON", compact("x", "{}")},
        {"claims that are no object", compact(good, "[]")},
        {"claims that are no JSON", compact(good, "{")},
        {"a claim twice", compact(good, R"({"sub":"a","sub":"b"})")},
        {"a claim twice, escaped", compact(good, R"({"sub":"a","\u0073ub":"b"})")},
        {"text behind the claims", compact(good, "{} {}")},
        {"a byte order mark", compact(good, "\xef\xbb\xbf{}")},
        {"padding", base64url(good) + "=." + base64url("{}") + "." + base64url("s")},
        {"plain base64", "+" + compact(good, "{}").substr(1)},
        {"a line break", compact(good, "{}") + "\n"},
        {"a space", " " + compact(good, "{}")},
        {"too large", compact(good, "{\"x\":\"" + std::string(jwt::limit, 'x') + "\"}")},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto t = jwt::parse(r.token);
        REQUIRE_FALSE(t.has_value());
        CHECK(t.error().what == problem::unauthenticated);
    }
}

TEST_CASE("claims have their type or are none")
{
    const jwt t = with_claims(
        R"({"s":"text","n":12,"f":1700000000.25,"neg":-1,"far":253402300800,"huge":1e300,"last":253402300799,"str":"12","z":null})");
    CHECK(t.text_claim("s") == "text");
    CHECK_FALSE(t.text_claim("n"));
    CHECK_FALSE(t.text_claim("missing"));
    CHECK(t.time_claim("n") == time_point(12s));
    CHECK(t.time_claim("f") == time_point(1700000000s + 250ms));
    CHECK(t.time_claim("last") == time_point(253402300799s));
    for (const char* name : {"neg", "far", "huge", "str", "z", "missing", "s"}) {
        CAPTURE(name);
        CHECK_FALSE(t.time_claim(name));
    }
}

TEST_CASE("audiences")
{
    CHECK(with_claims(R"({"aud":"a"})").has_audience("a"));
    CHECK_FALSE(with_claims(R"({"aud":"a"})").has_audience("b"));
    CHECK(with_claims(R"({"aud":["x","a"]})").has_audience("a"));
    CHECK(with_claims(R"({"aud":["x","a"]})").audiences() == 2);
    CHECK_FALSE(with_claims(R"({"aud":["a",1]})").has_audience("a"));
    CHECK_FALSE(with_claims(R"({"aud":[]})").has_audience(""));
    CHECK_FALSE(with_claims(R"({"aud":{"a":"a"}})").has_audience("a"));
    CHECK(with_claims("{}").audiences() == 0);
}
