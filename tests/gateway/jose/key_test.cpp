#include "gateway/jose/key.hpp"

#include "gateway/canonical/jcs.hpp"
#include "gateway/jose/openssl.hpp"
#include "tests/gateway/canonical/vectors.hpp"
#include "workflows/encoding.hpp"

#include <doctest/doctest.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <optional>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::jose;

namespace {

std::string refusal(const result<public_key>& r)
{
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().what == problem::invalid_input);
    return r.error().detail;
}

std::string pem_of(EVP_PKEY* key, bool with_private)
{
    const bio_owner out(BIO_new(BIO_s_mem()));
    REQUIRE((with_private ? PEM_write_bio_PKCS8PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr)
                          : PEM_write_bio_PUBKEY(out.get(), key)) == 1);
    char* data = nullptr;
    const long length = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(length)};
}

std::string rsa_signature(EVP_PKEY* key, std::string_view message, int padding, int salt)
{
    const digest_owner context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* settings = nullptr;
    REQUIRE(EVP_DigestSignInit(context.get(), &settings, EVP_sha256(), nullptr, key) == 1);
    REQUIRE(EVP_PKEY_CTX_set_rsa_padding(settings, padding) == 1);
    if (padding == RSA_PKCS1_PSS_PADDING) REQUIRE(EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, salt) == 1);
    std::string signature(512, '\0');
    std::size_t length = signature.size();
    REQUIRE(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length, bytes_of(message), message.size()) ==
            1);
    signature.resize(length);
    return signature;
}

/// A key of that kind and size, or nothing where OpenSSL does not make it.
key_owner made(const char* type, std::size_t bits) { return key_owner(EVP_PKEY_Q_keygen(nullptr, nullptr, type, bits)); }

void check_wycheproof(const char* file, algorithm alg, const char* jwk_member, std::size_t tests)
{
    const std::string text = vectors::read(vectors::folder("wycheproof") / file);
    const auto document = json::document::parse(text);
    REQUIRE(document.has_value());
    const json::value& groups = *document->root().find("testGroups");
    std::size_t seen = 0;
    for (std::size_t g = 0; g < groups.size(); ++g) {
        const json::value& group = groups.at(g);
        const auto key = public_key::from_pem(group.find("publicKeyPem")->string());
        REQUIRE(key.has_value());
        if (const json::value* jwk = group.find(jwk_member)) {
            const auto same = public_key::from_jwk(*jwk);
            REQUIRE(same.has_value());
            CHECK(same->jwk() == key->jwk());
        }
        const json::value& cases = *group.find("tests");
        for (std::size_t i = 0; i < cases.size(); ++i) {
            const json::value& c = cases.at(i);
            const auto message = read_hex(c.find("msg")->string());
            const auto signature = read_hex(c.find("sig")->string());
            REQUIRE(message);
            REQUIRE(signature);
            CAPTURE(c.find("tcId")->integer());
            CAPTURE(c.find("comment")->string());
            // `acceptable` is a signature of a legacy form: what is not valid is refused.
            CHECK(key->verify(alg, *message, *signature) == (c.find("result")->string() == "valid"));
            ++seen;
        }
    }
    CHECK(seen == tests);
}

}  // namespace

TEST_CASE("Wycheproof: signatures good and bad")
{
    if (!vectors::present("wycheproof")) return;
    check_wycheproof("ecdsa_secp256r1_sha256_p1363_test.json", algorithm::es256, "publicKeyJwk", 262);
    check_wycheproof("ed25519_test.json", algorithm::eddsa, "publicKeyJwk", 151);
    check_wycheproof("rsa_signature_2048_sha256_test.json", algorithm::rs256, "keyJwk", 259);
}

TEST_CASE("thumbprints as the specifications have them")
{
    // RFC 7638 §3.1
    const auto rsa = public_key::from_jwk(
        R"({"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"})");
    REQUIRE(rsa.has_value());
    CHECK(rsa->kid() == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    CHECK(rsa->type() == key_type::rsa);
    // RFC 8037 appendix A.3
    const auto ed = public_key::from_jwk(R"({"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})");
    REQUIRE(ed.has_value());
    CHECK(ed->kid() == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    CHECK(hex(ed->ed25519_bytes()) == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
}

TEST_CASE("a pair that was made signs, comes back from its PEM, and verifies")
{
    for (const key_type type : {key_type::p256, key_type::ed25519}) {
        const auto pair = private_key::generate(type);
        REQUIRE(pair.has_value());
        const secret pem = pair->pem();
        CHECK(pem.reveal().starts_with("-----BEGIN PRIVATE KEY-----"));
        const auto again = private_key::from_pem(pem.reveal());
        REQUIRE(again.has_value());
        CHECK(again->kid() == pair->kid());
        const public_key& open = pair->public_half();
        CHECK(open.type() == type);
        CHECK(open.pem().find("PRIVATE") == std::string::npos);
        for (const std::string& text : {open.pem(), open.jwk(), " \n" + open.jwk()}) {
            const auto same = public_key::parse(text);
            REQUIRE(same.has_value());
            CHECK(same->kid() == open.kid());
            CHECK(same->jwk() == open.jwk());
        }
        const auto document = json::document::parse(open.jwk());
        REQUIRE(document.has_value());
        CHECK(jcs(document->root()) == open.jwk());
        for (const std::string& message : {std::string(), std::string("hello"), std::string(5000, 'x')}) {
            const std::string signature = again->sign(message);
            CHECK(signature.size() == 64);
            CHECK(open.verify(pair->alg(), message, signature));
            CHECK_FALSE(open.verify(pair->alg(), message + "x", signature));
            CHECK_FALSE(open.verify(pair->alg(), message, signature.substr(1)));
            CHECK_FALSE(open.verify(pair->alg(), message, signature + '\0'));
            CHECK_FALSE(open.verify(pair->alg(), message, ""));
            for (const algorithm other : {algorithm::es256, algorithm::eddsa, algorithm::rs256, algorithm::ps256}) {
                if (other != pair->alg()) CHECK_FALSE(open.verify(other, message, signature));
            }
            std::string bent = signature;
            bent[7] = static_cast<char>(bent[7] ^ 1);
            CHECK_FALSE(open.verify(pair->alg(), message, bent));
        }
        const auto stranger = private_key::generate(type);
        REQUIRE(stranger.has_value());
        CHECK_FALSE(stranger->public_half().verify(pair->alg(), "hello", pair->sign("hello")));
    }
    CHECK_FALSE(private_key::generate(key_type::rsa).has_value());
}

TEST_CASE("RSA verifies with both paddings, each under its own name")
{
    const key_owner key = made("RSA", 2048);
    REQUIRE(key);
    const auto open = public_key::from_pem(pem_of(key.get(), false));
    REQUIRE(open.has_value());
    const std::string pkcs1 = rsa_signature(key.get(), "m", RSA_PKCS1_PADDING, 0);
    const std::string pss = rsa_signature(key.get(), "m", RSA_PKCS1_PSS_PADDING, 32);
    const std::string short_salt = rsa_signature(key.get(), "m", RSA_PKCS1_PSS_PADDING, 20);
    CHECK(open->verify(algorithm::rs256, "m", pkcs1));
    CHECK(open->verify(algorithm::ps256, "m", pss));
    CHECK_FALSE(open->verify(algorithm::ps256, "m", pkcs1));
    CHECK_FALSE(open->verify(algorithm::rs256, "m", pss));
    CHECK_FALSE(open->verify(algorithm::ps256, "m", short_salt));
    CHECK_FALSE(open->verify(algorithm::ps256, "n", pss));
    CHECK_FALSE(open->verify(algorithm::es256, "m", pkcs1));
    const auto again = public_key::from_jwk(open->jwk());
    REQUIRE(again.has_value());
    CHECK(again->verify(algorithm::rs256, "m", pkcs1));
    CHECK_FALSE(private_key::from_pem(pem_of(key.get(), true)).has_value());
}

TEST_CASE("a private key is refused and named as one")
{
    const auto pair = private_key::generate(key_type::p256);
    REQUIRE(pair.has_value());
    const std::string jwk = pair->public_half().jwk();
    CHECK(refusal(public_key::parse(pair->pem().reveal())).find("private") != std::string::npos);
    CHECK(refusal(public_key::parse("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n")).find("private") !=
          std::string::npos);
    CHECK(refusal(public_key::parse(jwk.substr(0, jwk.size() - 1) + ",\"d\":\"AAAA\"}")).find("private") != std::string::npos);
    CHECK(refusal(public_key::parse(R"({"kty":"oct","k":"AAAA"})")).find("private") != std::string::npos);
    // the refusal does not repeat it
    CHECK(refusal(public_key::parse(pair->pem().reveal())).find("MI") == std::string::npos);
}

TEST_CASE("keys that are none of ours, or not sound, are refused")
{
    const auto pair = private_key::generate(key_type::p256);
    const auto second = private_key::generate(key_type::p256);
    const auto ed = private_key::generate(key_type::ed25519);
    REQUIRE(pair.has_value());
    REQUIRE(second.has_value());
    REQUIRE(ed.has_value());
    const std::string jwk = pair->public_half().jwk();
    const auto with = [&](const std::string& member) { return jwk.substr(0, jwk.size() - 1) + "," + member + "}"; };
    struct row {
        const char* name;
        std::string text;
    };
    std::string off_curve = jwk;
    off_curve[off_curve.find("\"x\":\"") + 5] = off_curve[off_curve.find("\"x\":\"") + 5] == 'A' ? 'B' : 'A';
    const row rows[] = {
        {"nothing", ""},
        {"no key", "hello"},
        {"an empty object", "{}"},
        {"broken JSON", "{\"kty\":"},
        {"a member twice", R"({"kty":"EC","kty":"EC"})"},
        {"an array", "[1]"},
        {"kty no text", R"({"kty":7})"},
        {"a curve that is not ours", R"({"kty":"EC","crv":"P-384","x":"AA","y":"AA"})"},
        {"a curve that is not ours, OKP", R"({"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"},
        {"a point off the curve", off_curve},
        {"the point at infinity",
         R"({"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})"},
        {"a short coordinate", R"({"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"})"},
        {"a coordinate with padding",
         R"({"kty":"EC","crv":"P-256","x":"KSexBRK64-3c_kZ4KBKLrSkDJpkZ9whgacjE32xzKDg=","y":"x3h5ZOqsAOWSH7FJimD0YGdms9loUAFVjRqXTnNBUT4"})"},
        {"a short Ed25519 key", R"({"kty":"OKP","crv":"Ed25519","x":"AAAA"})"},
        {"for encryption", with(R"("use":"enc")")},
        {"for signing only", with(R"("key_ops":["sign"])")},
        {"key_ops no list", with(R"("key_ops":"verify")")},
        {"an algorithm that does not fit", with(R"("alg":"EdDSA")")},
        {"alg none", with(R"("alg":"none")")},
        {"RSA of 1024 bits", pem_of(made("RSA", 1024).get(), false)},
        {"RSA of 1024 bits as JWK", R"({"kty":"RSA","e":"AQAB","n":")" + base64url("\xff" + std::string(126, '\x5a') + "\x01") + "\"}"},
        {"RSA, even modulus", R"({"kty":"RSA","e":"AQAB","n":")" + base64url("\xff" + std::string(255, '\x5a')) + "\"}"},
        {"RSA with the exponent 1", R"({"kty":"RSA","e":"AQ","n":")" + base64url("\xff" + std::string(254, '\x5a') + "\x01") + "\"}"},
        {"RSA of 9000 bits", R"({"kty":"RSA","e":"AQAB","n":")" + base64url(std::string(1125, '\x7f')) + "\"}"},
        {"two keys in one PEM", pair->public_half().pem() + second->public_half().pem()},
        {"a certificate's label", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
        {"a PEM cut off", pair->public_half().pem().substr(0, 60)},
        {"a PEM with a tail inside",
         "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAfU0Of2FTpptiQrUiq77mhf2kQg+INLEIw72uNp71SfoA\n-----END PUBLIC KEY-----\n"},
        {"too large", std::string(100'000, ' ')},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK_FALSE(refusal(public_key::parse(r.text)).empty());
    }
    const key_owner p384(EVP_EC_gen("P-384"));
    CHECK(refusal(public_key::from_pem(pem_of(p384.get(), false))).find("P-256") != std::string::npos);
    CHECK_FALSE(private_key::from_pem(pem_of(p384.get(), true)).has_value());
    CHECK_FALSE(private_key::from_pem(pair->public_half().pem()).has_value());
    CHECK_FALSE(private_key::from_pem("").has_value());
    // what is allowed
    CHECK(public_key::parse(with(R"("use":"sig","key_ops":["verify"],"alg":"ES256","kid":"mine","x5c":[],"ext":true)")).has_value());
}

TEST_CASE("a set of keys")
{
    const auto a = private_key::generate(key_type::p256);
    const auto b = private_key::generate(key_type::ed25519);
    REQUIRE(a.has_value());
    REQUIRE(b.has_value());
    const std::string text = jwk_set({a->public_half(), b->public_half()});
    const auto document = json::document::parse(text);
    REQUIRE(document.has_value());
    const json::value& keys = *document->root().find("keys");
    REQUIRE(keys.size() == 2);
    CHECK(keys.at(0).find("kid")->string() == a->kid());
    CHECK(keys.at(0).find("alg")->string() == "ES256");
    CHECK(keys.at(1).find("alg")->string() == "EdDSA");
    CHECK(keys.at(1).find("use")->string() == "sig");
    CHECK(keys.at(0).find("d") == nullptr);
    CHECK(public_key::from_jwk(keys.at(1))->kid() == b->kid());
    CHECK(jwk_set({}) == R"({"keys":[]})");
}

TEST_CASE("a failed check leaves no error behind for somebody else's socket")
{
    CHECK_FALSE(public_key::parse("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").has_value());
    CHECK(ERR_peek_error() == 0);
    const auto pair = private_key::generate(key_type::p256);
    REQUIRE(pair.has_value());
    CHECK_FALSE(pair->public_half().verify(algorithm::es256, "m", std::string(64, '\0')));
    CHECK(ERR_peek_error() == 0);
}
