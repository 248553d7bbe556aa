#include "gateway/audit/passkey_proof.hpp"

#include "gateway/canonical/sha256.hpp"
#include "workflows/encoding.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>

namespace sallyport::audit {
namespace {

// Offsets and flags of authenticator data (WebAuthn Level 3, §6.1).
constexpr std::size_t shortest_authenticator_data = 37;
constexpr std::size_t flags_at = 32;
constexpr unsigned user_present = 0x01, user_verified = 0x04;

std::string_view text_of(const json::value& object, std::string_view name)
{
    const json::value* member = object.find(name);
    return member ? member->string() : std::string_view();
}

bool signed_by(std::string_view key_der, std::string_view message, std::string_view signature)
{
    const auto* bytes = reinterpret_cast<const unsigned char*>(key_der.data());
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(d2i_PUBKEY(nullptr, &bytes, static_cast<long>(key_der.size())),
                                                                  &EVP_PKEY_free);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    if (!key || !context) return false;
    const EVP_MD* hash = EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
    return EVP_DigestVerifyInit(context.get(), nullptr, hash, nullptr, key.get()) == 1 &&
           EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                            reinterpret_cast<const unsigned char*>(message.data()), message.size()) == 1;
}

}  // namespace

std::string wrong_proof(const json::value& data, std::string_view statement, const registered_passkey& registered)
{
    const auto authenticator = read_base64url(text_of(data, "authenticatorData"));
    const auto client = read_base64url(text_of(data, "clientDataJSON"));
    const auto signature = read_base64url(text_of(data, "signature"));
    const auto key = read_base64(text_of(data, "key"));
    if (!authenticator || !client || !signature || signature->empty() || !key) return "its evidence is incomplete";
    if (*key != registered.key) return "its key is not the one that was registered";
    const auto said = json::document::parse(*client);
    if (!said || text_of(said->root(), "type") != "webauthn.get") return "its clientDataJSON is not of an assertion";
    if (text_of(said->root(), "challenge") != sha256(statement).base64url()) return "its challenge is not the statement's SHA-256";
    if (authenticator->size() < shortest_authenticator_data) return "its authenticatorData is cut short";
    if (authenticator->substr(0, flags_at) != sha256(registered.relying_party).view()) return "its passkey was used for another site";
    const auto flags = static_cast<unsigned char>((*authenticator)[flags_at]);
    if ((flags & user_present) == 0 || (flags & user_verified) == 0) return "its signer was not verified";
    if (!signed_by(registered.key, *authenticator + std::string(sha256(*client).view()), *signature))
        return "its signature does not verify";
    return {};
}

}  // namespace sallyport::audit
