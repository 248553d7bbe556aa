#include "gateway/jose/key.hpp"

#include "gateway/canonical/sha256.hpp"
#include "gateway/jose/openssl.hpp"
#include "workflows/encoding.hpp"

#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <limits>
#include <stdexcept>
#include <utility>

namespace sallyport::jose {
namespace {

constexpr std::size_t p256_bytes = 32;
constexpr std::size_t ed25519_length = 32;
constexpr int least_rsa_bits = 2048;
constexpr int most_rsa_bits = 8192;  // beyond, one verification costs milliseconds

// The first name of an algorithm is the one that we write. `Ed25519` is what RFC 9864 §2.2 made of `EdDSA`, which said nothing of
// the curve; clients send the one or the other.
constexpr std::array<std::pair<algorithm, std::string_view>, 5> algorithm_names = {{{algorithm::es256, "ES256"},
                                                                                    {algorithm::eddsa, "EdDSA"},
                                                                                    {algorithm::eddsa, "Ed25519"},
                                                                                    {algorithm::rs256, "RS256"},
                                                                                    {algorithm::ps256, "PS256"}}};

failure refused(std::string detail) { return fail(problem::invalid_input, std::move(detail)); }
[[noreturn]] void broken(const char* what) { throw std::runtime_error(std::string("OpenSSL could not ") + what); }

std::string big_endian(const BIGNUM* n, std::size_t width)
{
    std::string bytes(width, '\0');
    if (BN_bn2binpad(n, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(width)) < 0) broken("write a number");
    return bytes;
}

std::string number_of(EVP_PKEY* key, const char* name, std::size_t width)
{
    BIGNUM* read = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &read) != 1) broken("read a key's number");
    const bignum_owner n(read);
    return big_endian(n.get(), width != 0 ? width : static_cast<std::size_t>(BN_num_bytes(n.get())));
}

std::string raw_public(EVP_PKEY* key)
{
    std::string bytes(ed25519_length, '\0');
    std::size_t size = bytes.size();
    if (EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(bytes.data()), &size) != 1 || size != bytes.size())
        broken("read a key");
    return bytes;
}

/// The members that RFC 7638 §3.2 and RFC 8037 §2 count, which are those the key needs, in the order of RFC 8785.
std::string canonical_jwk(key_type type, EVP_PKEY* key)
{
    switch (type) {
    case key_type::p256:
        return R"({"crv":"P-256","kty":"EC","x":")" + base64url(number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, p256_bytes)) + R"(","y":")" +
               base64url(number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, p256_bytes)) + "\"}";
    case key_type::ed25519: return R"({"crv":"Ed25519","kty":"OKP","x":")" + base64url(raw_public(key)) + "\"}";
    case key_type::rsa: break;
    }
    return R"({"e":")" + base64url(number_of(key, OSSL_PKEY_PARAM_RSA_E, 0)) + R"(","kty":"RSA","n":")" +
           base64url(number_of(key, OSSL_PKEY_PARAM_RSA_N, 0)) + "\"}";
}

result<key_type> type_of(EVP_PKEY* key)
{
    if (EVP_PKEY_is_a(key, "ED25519") == 1) return key_type::ed25519;
    if (EVP_PKEY_is_a(key, "EC") == 1) {
        std::array<char, 64> group{};
        if (EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) != 1 || std::string_view(group.data()) != SN_X9_62_prime256v1)
            return refused("an EC key must be on the curve P-256");
        return key_type::p256;
    }
    if (EVP_PKEY_is_a(key, "RSA") == 1) {
        if (EVP_PKEY_get_bits(key) < least_rsa_bits) return refused("an RSA key must have at least 2048 bits");
        if (EVP_PKEY_get_bits(key) > most_rsa_bits) return refused("an RSA key must have at most 8192 bits");
        return key_type::rsa;
    }
    return refused("the key is none of EC P-256, Ed25519 and RSA");
}

/// The point is on the curve, the exponent no even number, and so on.
bool sound(EVP_PKEY* key)
{
    const key_context_owner context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    return context && EVP_PKEY_public_check(context.get()) == 1;
}

result<key_owner> key_from(const char* name, OSSL_PARAM_BLD* builder)
{
    const params_owner params(OSSL_PARAM_BLD_to_param(builder));
    const key_context_owner context(EVP_PKEY_CTX_new_from_name(nullptr, name, nullptr));
    EVP_PKEY* made = nullptr;
    if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
        return refused("the JWK's numbers are no such key");
    return key_owner(made);
}

/// A member that must be a string in base64url.
result<std::string> binary_member(const json::value& jwk, std::string_view name)
{
    const json::value* member = jwk.find(name);
    std::optional<std::string> bytes;
    if (member != nullptr && member->is(json::kind::string)) bytes = read_base64url(member->string());
    if (!bytes || bytes->empty()) return refused("the JWK has no proper member \"" + std::string(name) + "\"");
    return std::move(*bytes);
}

std::string_view text_member(const json::value& jwk, std::string_view name) noexcept
{
    const json::value* member = jwk.find(name);
    return member != nullptr ? member->string() : std::string_view{};
}

result<key_owner> ec_from(const json::value& jwk)
{
    if (text_member(jwk, "crv") != "P-256") return refused("an EC key must be on the curve P-256");
    auto x = binary_member(jwk, "x");
    if (!x) return x.error();
    auto y = binary_member(jwk, "y");
    if (!y) return y.error();
    // RFC 7518 §6.2.1.2: the full width, leading zeros too.
    if (x->size() != p256_bytes || y->size() != p256_bytes) return refused("the JWK's coordinates are not 32 bytes each");
    const std::string point = "\x04" + *x + *y;
    const param_builder_owner builder(OSSL_PARAM_BLD_new());
    if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, SN_X9_62_prime256v1, 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1)
        broken("build a key");
    return key_from("EC", builder.get());
}

result<key_owner> okp_from(const json::value& jwk)
{
    if (text_member(jwk, "crv") != "Ed25519") return refused("an OKP key must be Ed25519");
    auto x = binary_member(jwk, "x");
    if (!x) return x.error();
    if (x->size() != ed25519_length) return refused("the JWK's \"x\" is not 32 bytes");
    key_owner key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(*x), x->size()));
    if (!key) return refused("the JWK's numbers are no such key");
    return key;
}

result<key_owner> rsa_from(const json::value& jwk)
{
    auto n = binary_member(jwk, "n");
    if (!n) return n.error();
    auto e = binary_member(jwk, "e");
    if (!e) return e.error();
    if (n->front() == '\0' || e->front() == '\0') return refused("the JWK's numbers have leading zeros");  // RFC 7518 §2
    if (n->size() > most_rsa_bits / 8) return refused("an RSA key must have at most 8192 bits");
    if (e->size() > 8) return refused("the JWK's exponent is too large");
    const bignum_owner modulus(BN_bin2bn(bytes_of(*n), static_cast<int>(n->size()), nullptr));
    const bignum_owner exponent(BN_bin2bn(bytes_of(*e), static_cast<int>(e->size()), nullptr));
    const param_builder_owner builder(OSSL_PARAM_BLD_new());
    if (!modulus || !exponent || !builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1)
        broken("build a key");
    return key_from("RSA", builder.get());
}

result<void> may_verify(const json::value& jwk, key_type type)
{
    if (const json::value* use = jwk.find("use"); use != nullptr && use->string() != "sig")
        return refused("the JWK's \"use\" is not \"sig\"");
    if (const json::value* operations = jwk.find("key_ops"); operations != nullptr) {
        bool verify = false;
        for (std::size_t i = 0; i < operations->size() && operations->is(json::kind::array); ++i)
            verify = verify || operations->at(i).string() == "verify";
        if (!verify) return refused("the JWK's \"key_ops\" do not have \"verify\"");
    }
    if (const json::value* named = jwk.find("alg"); named != nullptr) {
        const auto alg = algorithm_named(named->string());
        const bool fits = alg && (type == key_type::p256      ? *alg == algorithm::es256
                                  : type == key_type::ed25519 ? *alg == algorithm::eddsa
                                                              : *alg == algorithm::rs256 || *alg == algorithm::ps256);
        if (!fits) return refused("the JWK's \"alg\" does not fit the key");
    }
    return {};
}

/// PEM is for files: text in front of and behind the block is common there, a second block is a mistake.
struct pem_block {
    std::string label;
    std::string der;
};

void wipe(std::string& s) noexcept { OPENSSL_cleanse(s.data(), s.size()); }

result<pem_block> read_pem(std::string_view text)
{
    const error_queue_cleaner errors;
    if (text.size() > 64 * 1024) return refused("the key is too large");
    const bio_owner in(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    if (!in) broken("read a PEM text");
    const auto next = [&]() -> std::optional<pem_block> {
        char* name = nullptr;
        char* header = nullptr;
        unsigned char* data = nullptr;
        long length = 0;
        if (PEM_read_bio(in.get(), &name, &header, &data, &length) != 1) return std::nullopt;
        pem_block block{name, std::string(reinterpret_cast<const char*>(data), static_cast<std::size_t>(length))};
        const bool encrypted = header != nullptr && *header != '\0';
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, static_cast<std::size_t>(length));
        if (encrypted) {
            wipe(block.der);
            block.label = "ENCRYPTED";
        }
        return block;
    };
    auto block = next();
    if (!block) return refused("the key is no PEM");
    if (auto second = next()) {
        wipe(block->der);
        wipe(second->der);
        return refused("the PEM has more than one block");
    }
    return std::move(*block);
}

const EVP_MD* sha256_method()
{
    static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    if (fetched == nullptr) broken("find SHA-256");
    return fetched;
}

/// R || S as the DER that OpenSSL takes; none unless it is 64 bytes.
std::optional<std::string> der_signature(std::string_view rs)
{
    if (rs.size() != 2 * p256_bytes) return std::nullopt;
    bignum_owner r(BN_bin2bn(bytes_of(rs), static_cast<int>(p256_bytes), nullptr));
    bignum_owner s(BN_bin2bn(bytes_of(rs.substr(p256_bytes)), static_cast<int>(p256_bytes), nullptr));
    const signature_owner pair(ECDSA_SIG_new());
    if (!r || !s || !pair || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) broken("read a signature");
    static_cast<void>(r.release());
    static_cast<void>(s.release());
    std::array<unsigned char, 80> der{};
    unsigned char* end = der.data();
    const int length = i2d_ECDSA_SIG(pair.get(), &end);
    if (length <= 0) return std::nullopt;
    return std::string(reinterpret_cast<const char*>(der.data()), static_cast<std::size_t>(length));
}

}  // namespace

std::string_view name_of(algorithm a) noexcept
{
    for (const auto& [value, name] : algorithm_names) {
        if (value == a) return name;
    }
    return {};
}

std::optional<algorithm> algorithm_named(std::string_view text) noexcept
{
    for (const auto& [value, name] : algorithm_names) {
        if (name == text) return value;
    }
    return std::nullopt;
}

struct public_key::shared {
    key_owner key;  // with the private part where a private_key made it
    key_type type = key_type::p256;
    std::string jwk;
    std::string kid;
    std::string raw;  // of an Ed25519 key

    static result<std::shared_ptr<const shared>> make(key_owner key)
    {
        auto type = type_of(key.get());
        if (!type) return type.error();
        if (!sound(key.get())) return refused("the key's numbers are not sound");
        auto s = std::make_shared<shared>();
        s->type = *type;
        s->jwk = canonical_jwk(*type, key.get());
        s->kid = sha256(s->jwk).base64url();
        if (*type == key_type::ed25519) s->raw = raw_public(key.get());
        s->key = std::move(key);
        return std::shared_ptr<const shared>(std::move(s));
    }
};

result<public_key> public_key::from_jwk(const json::value& jwk)
{
    const error_queue_cleaner errors;
    if (!jwk.is(json::kind::object)) return refused("the JWK is no JSON object");
    for (const char* secret_member : {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}) {
        if (jwk.find(secret_member) != nullptr) return refused("this is a private key: give the public one");
    }
    const std::string_view kty = text_member(jwk, "kty");
    if (kty != "EC" && kty != "OKP" && kty != "RSA") return refused("the JWK's \"kty\" is none of EC, OKP and RSA");
    auto key = kty == "EC" ? ec_from(jwk) : kty == "OKP" ? okp_from(jwk) : rsa_from(jwk);
    if (!key) return key.error();
    auto made = shared::make(std::move(*key));
    if (!made) return made.error();
    if (auto may = may_verify(jwk, (*made)->type); !may) return may.error();
    return public_key(std::move(*made));
}

result<public_key> public_key::from_jwk(std::string_view text)
{
    if (text.size() > 64 * 1024) return refused("the key is too large");
    const auto document = json::document::parse(text);
    if (!document) return refused("the JWK is no proper JSON: " + document.error().detail);
    return from_jwk(document->root());
}

result<public_key> public_key::from_pem(std::string_view text)
{
    const error_queue_cleaner errors;
    auto block = read_pem(text);
    if (!block) return block.error();
    if (block->label.find("PRIVATE") != std::string::npos || block->label == "ENCRYPTED") {
        wipe(block->der);
        return refused("this is a private key: give the public one");
    }
    if (block->label != "PUBLIC KEY") return refused("the PEM is no PUBLIC KEY");
    const unsigned char* at = bytes_of(block->der);
    const unsigned char* const end = at + block->der.size();
    key_owner key(d2i_PUBKEY(nullptr, &at, static_cast<long>(block->der.size())));
    if (!key || at != end) return refused("the PEM's content is no public key");
    auto made = shared::make(std::move(key));
    if (!made) return made.error();
    return public_key(std::move(*made));
}

result<public_key> public_key::parse(std::string_view text)
{
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin != text.npos && text[begin] == '{') return from_jwk(text);
    return from_pem(text);
}

key_type public_key::type() const noexcept { return shared_->type; }
const std::string& public_key::jwk() const noexcept { return shared_->jwk; }
const std::string& public_key::kid() const noexcept { return shared_->kid; }
std::string_view public_key::ed25519_bytes() const noexcept { return shared_->raw; }

std::string public_key::pem() const
{
    const bio_owner out(BIO_new(BIO_s_mem()));
    if (!out || PEM_write_bio_PUBKEY(out.get(), shared_->key.get()) != 1) broken("write a public key");
    char* data = nullptr;
    const long length = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(length)};
}

std::string public_key::p256_point() const
{
    if (shared_->type != key_type::p256) return {};
    return '\x04' + number_of(shared_->key.get(), OSSL_PKEY_PARAM_EC_PUB_X, p256_bytes) +
           number_of(shared_->key.get(), OSSL_PKEY_PARAM_EC_PUB_Y, p256_bytes);
}

bool public_key::fits(algorithm alg) const noexcept
{
    switch (alg) {
    case algorithm::es256: return shared_->type == key_type::p256;
    case algorithm::eddsa: return shared_->type == key_type::ed25519;
    case algorithm::rs256:
    case algorithm::ps256: return shared_->type == key_type::rsa;
    }
    return false;
}

bool public_key::verify(algorithm alg, std::string_view message, std::string_view signature) const
{
    if (!fits(alg)) return false;
    const error_queue_cleaner errors;
    std::optional<std::string> der;
    if (alg == algorithm::es256) {
        der = der_signature(signature);
        if (!der) return false;
        signature = *der;
    }
    const digest_owner context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* settings = nullptr;  // the context's own
    if (!context || EVP_DigestVerifyInit(context.get(), &settings, alg == algorithm::eddsa ? nullptr : sha256_method(), nullptr,
                                         shared_->key.get()) != 1)
        return false;
    if (alg == algorithm::ps256) {
        // RFC 7518 §3.5: MGF1 with SHA-256 (the default follows the digest), a salt as long as the digest.
        if (EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) != 1 ||
            EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST) != 1)
            return false;
    }
    return EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(message), message.size()) == 1;
}

result<private_key> private_key::generate(key_type type)
{
    const error_queue_cleaner errors;
    EVP_PKEY* made = nullptr;
    switch (type) {
    case key_type::p256: made = EVP_EC_gen("P-256"); break;
    case key_type::ed25519: made = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"); break;
    case key_type::rsa: return refused("RSA keys are verified with, not made");
    }
    if (made == nullptr) broken("make a key");
    auto shared = public_key::shared::make(key_owner(made));
    if (!shared) return shared.error();
    return private_key(public_key(std::move(*shared)));
}

result<private_key> private_key::from_pem(std::string_view text)
{
    const error_queue_cleaner errors;
    auto block = read_pem(text);
    if (!block) return block.error();
    if (block->label == "ENCRYPTED" || block->label == "ENCRYPTED PRIVATE KEY") {
        wipe(block->der);
        return refused("the private key has a password");
    }
    const unsigned char* at = bytes_of(block->der);
    const unsigned char* const end = at + block->der.size();
    key_owner key;
    if (block->label == "PRIVATE KEY" || block->label == "EC PRIVATE KEY")
        key.reset(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(block->der.size())));
    const bool whole = at == end;
    wipe(block->der);
    if (!key || !whole) return refused("the PEM's content is no private key");
    auto shared = public_key::shared::make(std::move(key));
    if (!shared) return shared.error();
    if ((*shared)->type == key_type::rsa) return refused("the private key is neither EC P-256 nor Ed25519");
    return private_key(public_key(std::move(*shared)));
}

secret private_key::pem() const
{
    const bio_owner out(BIO_new(BIO_s_secmem()));
    if (!out || PEM_write_bio_PKCS8PrivateKey(out.get(), public_.shared_->key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
        broken("write a private key");
    char* data = nullptr;
    const long length = BIO_get_mem_data(out.get(), &data);
    return secret(std::string(data, static_cast<std::size_t>(length)));
}

std::string private_key::sign(std::string_view message) const
{
    const error_queue_cleaner errors;
    const bool eddsa = alg() == algorithm::eddsa;
    const digest_owner context(EVP_MD_CTX_new());
    if (!context || EVP_DigestSignInit(context.get(), nullptr, eddsa ? nullptr : sha256_method(), nullptr, public_.shared_->key.get()) != 1)
        broken("sign");
    std::array<unsigned char, 96> signature{};
    std::size_t length = signature.size();
    if (EVP_DigestSign(context.get(), signature.data(), &length, bytes_of(message), message.size()) != 1) broken("sign");
    if (eddsa) return {reinterpret_cast<const char*>(signature.data()), length};
    const unsigned char* at = signature.data();
    const signature_owner pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(length)));
    if (!pair) broken("sign");
    return big_endian(ECDSA_SIG_get0_r(pair.get()), p256_bytes) + big_endian(ECDSA_SIG_get0_s(pair.get()), p256_bytes);
}

std::string jwk_set(const std::vector<public_key>& keys)
{
    std::string text = R"({"keys":[)";
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (i != 0) text += ',';
        const key_type type = keys[i].type();
        const algorithm alg = type == key_type::p256 ? algorithm::es256 : type == key_type::ed25519 ? algorithm::eddsa : algorithm::rs256;
        text += keys[i].jwk();
        text.pop_back();  // the closing brace
        text += R"(,"use":"sig","alg":")" + std::string(name_of(alg)) + R"(","kid":")" + keys[i].kid() + "\"}";
    }
    return text + "]}";
}

}  // namespace sallyport::jose
