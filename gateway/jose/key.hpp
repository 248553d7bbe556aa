// Keys that sign and verify: EC P-256 (ES256), Ed25519 (EdDSA), RSA from 2048 bits (RS256 and PS256, verifying only). As
// JWK (RFC 7517, 7518 §6, 8037) or PEM. Keys are immutable, copies share them, and any thread may use them.
#pragma once

#include "gateway/canonical/json.hpp"
#include "workflows/result.hpp"
#include "workflows/secret.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::jose {

enum class algorithm { es256, eddsa, rs256, ps256 };
std::string_view name_of(algorithm) noexcept;  // as in a JWS header: `ES256`
std::optional<algorithm> algorithm_named(std::string_view) noexcept;

enum class key_type { p256, ed25519, rsa };

class public_key {
public:
    /// All `invalid_input`, with a detail for the one who gave the key. A private key is refused, and says so. Members of a
    /// JWK that we do not know are ignored (RFC 7517 §4), `use`, `key_ops` and `alg` must allow verifying.
    static result<public_key> from_jwk(const json::value&);
    static result<public_key> from_jwk(std::string_view text);
    static result<public_key> from_pem(std::string_view text);  // SubjectPublicKeyInfo, one block
    /// Whichever of the two it is.
    static result<public_key> parse(std::string_view text);

    key_type type() const noexcept;
    /// RFC 8785 form of the members that the key needs, and no others.
    const std::string& jwk() const noexcept;
    /// RFC 7638 thumbprint: SHA-256 of the above, base64url.
    const std::string& kid() const noexcept;
    std::string pem() const;
    /// The 32 bytes of an Ed25519 key (RFC 8032 §5.1.5); empty for others.
    std::string_view ed25519_bytes() const noexcept;

    /// The 65 bytes of a P-256 key, uncompressed (SEC 1 §2.3.3, as RFC 8292 §3.2 wants them); empty for others.
    std::string p256_point() const;

    bool fits(algorithm) const noexcept;
    /// False for an algorithm that does not fit, too. ES256 signatures are R || S (RFC 7518 §3.4).
    bool verify(algorithm, std::string_view message, std::string_view signature) const;

private:
    friend class private_key;
    struct shared;
    explicit public_key(std::shared_ptr<const shared> s) noexcept : shared_(std::move(s)) {}
    std::shared_ptr<const shared> shared_;
};

class private_key {
public:
    /// `p256` or `ed25519`.
    static result<private_key> generate(key_type);
    /// PKCS#8 without a password, P-256 or Ed25519; SEC1 (`EC PRIVATE KEY`) is read too. `invalid_input`.
    static result<private_key> from_pem(std::string_view text);

    secret pem() const;  // PKCS#8
    const public_key& public_half() const noexcept { return public_; }
    const std::string& kid() const noexcept { return public_.kid(); }
    algorithm alg() const noexcept { return public_.type() == key_type::ed25519 ? algorithm::eddsa : algorithm::es256; }
    std::string sign(std::string_view message) const;  // 64 bytes

private:
    explicit private_key(public_key p) noexcept : public_(std::move(p)) {}
    public_key public_;  // its OpenSSL key holds the private part too
};

/// `{"keys":[…]}` (RFC 7517 §5): each with `kid`, `use` and `alg`.
std::string jwk_set(const std::vector<public_key>&);

}  // namespace sallyport::jose
