#include "gateway/openid/metadata.hpp"

#include "gateway/jose/key.hpp"
#include "workflows/encoding.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

#include <string>

namespace sallyport::openid {
namespace {

boost::json::object good()
{
    return {{"issuer", "https://id.example"},
            {"authorization_endpoint", "https://id.example/auth?x=1"},
            {"token_endpoint", "https://id.example/token"},
            {"jwks_uri", "https://keys.example/jwks"},
            {"userinfo_endpoint", "https://id.example/me"}};
}

result<metadata> read(const boost::json::object& said, std::string_view issuer = "https://id.example")
{
    return read_metadata(boost::json::serialize(said), issuer);
}

boost::json::object jwk_of(const jose::public_key& key, std::string_view kid)
{
    auto jwk = boost::json::parse(key.jwk()).as_object();
    if (!kid.empty()) jwk["kid"] = kid;
    return jwk;
}

std::string set_of(boost::json::array keys) { return boost::json::serialize(boost::json::object{{"keys", std::move(keys)}}); }

// With a `kid` of the provider's own, unlike sign_compact's.
jose::jwt token_by(const jose::private_key& key, std::string_view kid)
{
    boost::json::object header{{"alg", jose::name_of(key.alg())}};
    if (!kid.empty()) header["kid"] = kid;
    const std::string input = base64url(boost::json::serialize(header)) + "." + base64url("{}");
    return jose::jwt::parse(input + "." + base64url(key.sign(input))).value();
}

}  // namespace

TEST_CASE("where metadata are")
{
    CHECK(metadata_url("https://id.example") == "https://id.example/.well-known/openid-configuration");
    CHECK(metadata_url("https://id.example/") == "https://id.example/.well-known/openid-configuration");
    CHECK(metadata_url("https://id.example/realms/a") == "https://id.example/realms/a/.well-known/openid-configuration");
}

TEST_CASE("metadata that can be used")
{
    auto said = good();
    const auto plain = read(said);
    REQUIRE(plain.has_value());
    CHECK(plain->authorization_endpoint == "https://id.example/auth?x=1");
    CHECK(plain->jwks_uri == "https://keys.example/jwks");
    CHECK(plain->authentication == client_authentication::basic);
    CHECK_FALSE(plain->names_itself);

    said.erase("userinfo_endpoint");
    said["token_endpoint_auth_methods_supported"] = boost::json::array{"private_key_jwt", "client_secret_post"};
    said["authorization_response_iss_parameter_supported"] = true;
    const auto other = read(said);
    REQUIRE(other.has_value());
    CHECK(other->userinfo_endpoint.empty());
    CHECK(other->authentication == client_authentication::post);
    CHECK(other->names_itself);
    said["token_endpoint_auth_methods_supported"] = boost::json::array{"client_secret_post", "client_secret_basic"};
    CHECK(read(said)->authentication == client_authentication::basic);
}

TEST_CASE("metadata that cannot")
{
    struct row {
        const char* name;
        const char* member;
        boost::json::value value;  // null: without it
        const char* cause;
    };
    const row rows[] = {
        {"another issuer", "issuer", "https://evil.example", "another issuer"},
        {"an issuer but for a slash", "issuer", "https://id.example/", "another issuer"},
        {"no issuer", "issuer", nullptr, "another issuer"},
        {"an issuer that is no text", "issuer", 1, "another issuer"},
        {"no endpoint", "token_endpoint", nullptr, "token_endpoint"},
        {"an endpoint without TLS", "token_endpoint", "http://id.example/token", "token_endpoint"},
        {"an endpoint that is a file", "jwks_uri", "file:///etc/passwd", "jwks_uri"},
        {"an endpoint that ends its line", "authorization_endpoint", "https://id.example/\r\nX: y", "authorization_endpoint"},
        {"an endpoint with a fragment", "authorization_endpoint", "https://id.example/#", "authorization_endpoint"},
        {"an endpoint that is too long", "userinfo_endpoint", boost::json::string("https://id.example/" + std::string(3000, 'x')),
         "userinfo_endpoint"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        auto said = good();
        if (r.value.is_null())
            said.erase(r.member);
        else
            said[r.member] = r.value;
        const auto got = read(said);
        REQUIRE_FALSE(got.has_value());
        CHECK(got.error().what == problem::upstream_unreachable);
        CHECK(got.error().cause.find(r.cause) != std::string::npos);
    }
    CHECK_FALSE(read_metadata("[]", "https://id.example").has_value());
    CHECK_FALSE(read_metadata("<html>", "https://id.example").has_value());
    CHECK_FALSE(read_metadata(R"({"issuer":"https://evil.example","issuer":"https://id.example"})", "https://id.example").has_value());
}

TEST_CASE("keys go by the names that their set gives them")
{
    const auto ec = jose::private_key::generate(jose::key_type::p256).value(),
               ed = jose::private_key::generate(jose::key_type::ed25519).value();
    const auto stranger = jose::private_key::generate(jose::key_type::p256).value();
    auto for_encryption = jwk_of(stranger.public_half(), "enc");
    for_encryption["use"] = "enc";
    const boost::json::object of_another_kind{{"kty", "oct"}, {"k", "AAAA"}, {"kid", "oct"}};
    const auto set =
        key_set::read(set_of({for_encryption, of_another_kind, jwk_of(ec.public_half(), "one"), jwk_of(ed.public_half(), "two")})).value();

    CHECK(set.signed_one(token_by(ec, "one")));
    CHECK(set.signed_one(token_by(ed, "two")));
    CHECK(set.signed_one(token_by(ed, "")));
    CHECK_FALSE(set.signed_one(token_by(ec, "two")));
    CHECK_FALSE(set.signed_one(token_by(ec, "three")));
    CHECK_FALSE(set.signed_one(token_by(stranger, "one")));
    CHECK_FALSE(set.signed_one(token_by(stranger, "enc")));
    CHECK_FALSE(set.signed_one(token_by(stranger, "")));
    CHECK(set.knows("one"));
    CHECK(set.knows(""));
    CHECK_FALSE(set.knows("enc"));
    CHECK_FALSE(set.knows("oct"));

    CHECK_FALSE(key_set::read(set_of({})).value().knows(""));
    CHECK_FALSE(key_set::read("{}").has_value());
    CHECK_FALSE(key_set::read("[]").has_value());
    CHECK_FALSE(key_set::read(R"({"keys":{}})").has_value());
    CHECK_FALSE(key_set::read(set_of(boost::json::array(101))).has_value());
}

}  // namespace sallyport::openid
