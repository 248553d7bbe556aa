#include "gateway/jose/http_signature.hpp"

#include "gateway/canonical/content_digest.hpp"
#include "workflows/encoding.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <string>

using namespace sallyport;
using namespace sallyport::jose;
using namespace std::chrono_literals;

TEST_CASE("RFC 9421 appendix B.2.6, to the byte")
{
    const auto key = private_key::from_pem(
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF\n-----END PRIVATE KEY-----\n");
    REQUIRE(key.has_value());
    const std::array<signed_component, 6> components = {{{"date", "Tue, 20 Apr 2021 02:07:55 GMT"},
                                                         {"@method", "POST"},
                                                         {"@path", "/foo"},
                                                         {"@authority", "example.com"},
                                                         {"content-type", "application/json"},
                                                         {"content-length", "18"}}};
    const std::string params = signature_params(components, time_point(1618884473s + 999ms), "test-key-ed25519", "");
    CHECK(params ==
          R"(("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519")");
    const std::string base = signature_base(components, params);
    CHECK(base == "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@method\": POST\n\"@path\": /foo\n\"@authority\": "
                  "example.com\n\"content-type\": application/json\n"
                  "\"content-length\": 18\n\"@signature-params\": " +
                      params);
    CHECK(base64(key->sign(base)) == "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==");
}

TEST_CASE("a released request's signature can be checked by its upstream")
{
    const auto key = private_key::generate(key_type::ed25519);
    REQUIRE(key.has_value());
    const std::string digest = content_digest("{}");
    const auto s = sign_request(*key, time_point(1767603600s), "POST", "https://api.example/v1/refunds?x=1", digest, "a.b.c");
    const std::string params =
        R"(("@method" "@target-uri" "content-digest" "sallyport-receipt");created=1767603600;keyid=")" + key->kid() + R"(";alg="ed25519")";
    CHECK(s.input == "sallyport=" + params);
    REQUIRE(s.value.starts_with("sallyport=:"));
    REQUIRE(s.value.ends_with(":"));
    const auto signature = read_base64(s.value.substr(11, s.value.size() - 12));
    REQUIRE(signature);
    const std::string base = "\"@method\": POST\n\"@target-uri\": https://api.example/v1/refunds?x=1\n\"content-digest\": " + digest +
                             "\n\"sallyport-receipt\": a.b.c\n\"@signature-params\": " + params;
    CHECK(key->public_half().verify(algorithm::eddsa, base, *signature));
    CHECK_FALSE(key->public_half().verify(algorithm::eddsa, base + " ", *signature));
}

TEST_CASE("strings are quoted as RFC 8941 says")
{
    CHECK(signature_params({}, time_point(0s), "a\"b\\c", "") == R"(();created=0;keyid="a\"b\\c")");
}
