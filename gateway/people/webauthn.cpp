#include "gateway/people/webauthn.hpp"

#include "gateway/canonical/sha256.hpp"
#include "gateway/people/attestation.hpp"
#include "workflows/encoding.hpp"

#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/rs256.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>
#include <memory>
#include <mutex>

namespace sallyport::people::webauthn {
namespace {

template <auto release>
struct freed_by {
    template <class T>
    void operator()(T* object) const noexcept
    {
        release(&object);  // libfido2 takes the pointer's address
    }
};
template <auto release>
struct released_by {
    template <class T>
    void operator()(T* object) const noexcept
    {
        release(object);
    }
};
using credential_owner = std::unique_ptr<fido_cred_t, freed_by<fido_cred_free>>;
using assertion_owner = std::unique_ptr<fido_assert_t, freed_by<fido_assert_free>>;
using es256_owner = std::unique_ptr<es256_pk_t, freed_by<es256_pk_free>>;
using eddsa_owner = std::unique_ptr<eddsa_pk_t, freed_by<eddsa_pk_free>>;
using rs256_owner = std::unique_ptr<rs256_pk_t, freed_by<rs256_pk_free>>;
using key_owner = std::unique_ptr<EVP_PKEY, released_by<EVP_PKEY_free>>;

const unsigned char* bytes_of(std::string_view s) noexcept { return reinterpret_cast<const unsigned char*>(s.data()); }

failure bad(std::string_view why) { return fail(problem::bad_assertion, std::string(why)); }

void start_library()
{
    static std::once_flag once;
    std::call_once(once, [] { fido_init(0); });
}

// §7.1 steps 7 to 12, §7.2 steps 11 to 14. Parsed and never compared with a template: members come in any order, and
// browsers add some to keep it so (§5.8.1.1).
result<void> check_client_data(std::string_view text, std::string_view type, std::string_view challenge, const relying_party& rp)
{
    const auto parsed = json::document::parse(text);
    if (!parsed || !parsed->root().is(json::kind::object)) return bad("clientDataJSON is no JSON object.");
    const auto member = [&](std::string_view name) { return parsed->root().find(name); };
    const auto text_is = [&](std::string_view name, std::string_view wanted) {
        const json::value* found = member(name);
        return found && found->is(json::kind::string) && found->string() == wanted;
    };
    if (!text_is("type", type)) return bad("The passkey answered another kind of question.");
    if (!text_is("challenge", base64url(challenge))) return bad("The passkey answered another challenge.");
    if (!text_is("origin", rp.origin)) return bad("The passkey was used on another site.");
    // A page of ours inside a page of theirs is no page of ours: we never allow framing.
    if (const json::value* cross = member("crossOrigin"); cross && (!cross->is(json::kind::boolean) || cross->boolean()))
        return bad("The passkey was used inside another site's page.");
    if (member("topOrigin")) return bad("The passkey was used inside another site's page.");
    return {};
}

result<authenticator_facts> check_authenticator_data(std::string_view bytes, const relying_party& rp)
{
    const auto facts = read_authenticator_data(bytes);
    if (!facts) return bad("The authenticator data is cut short.");
    if (facts->rp_id_hash != sha256(rp.id).view()) return bad("The passkey belongs to another site.");
    if (!facts->user_present) return bad("Nobody touched the authenticator.");
    if (!facts->user_verified) return bad("The authenticator did not verify its user.");
    if (facts->backed_up && !facts->backup_eligible) return bad("The authenticator contradicts itself about backups.");
    return *facts;
}

std::string spki_of(EVP_PKEY* key)
{
    if (!key) return {};
    const int length = i2d_PUBKEY(key, nullptr);
    if (length <= 0) return {};
    std::string der(static_cast<std::size_t>(length), '\0');
    auto* out = reinterpret_cast<unsigned char*>(der.data());
    if (i2d_PUBKEY(key, &out) != length) return {};
    return der;
}

std::string public_key_of(const fido_cred_t* credential)
{
    const unsigned char* bytes = fido_cred_pubkey_ptr(credential);
    const std::size_t length = fido_cred_pubkey_len(credential);
    if (!bytes) return {};
    switch (fido_cred_type(credential)) {
    case COSE_ES256: {
        const es256_owner key(es256_pk_new());
        if (!key || es256_pk_from_ptr(key.get(), bytes, length) != FIDO_OK) return {};
        return spki_of(key_owner(es256_pk_to_EVP_PKEY(key.get())).get());
    }
    case COSE_EDDSA: {
        const eddsa_owner key(eddsa_pk_new());
        if (!key || eddsa_pk_from_ptr(key.get(), bytes, length) != FIDO_OK) return {};
        return spki_of(key_owner(eddsa_pk_to_EVP_PKEY(key.get())).get());
    }
    case COSE_RS256: {
        const rs256_owner key(rs256_pk_new());
        if (!key || rs256_pk_from_ptr(key.get(), bytes, length) != FIDO_OK) return {};
        return spki_of(key_owner(rs256_pk_to_EVP_PKEY(key.get())).get());
    }
    default: return {};
    }
}

// The library wants to know the algorithm before it reads the key.
credential_owner read_credential(const attestation& object, std::string_view client_data_hash, const relying_party& rp)
{
    for (const int algorithm : std::array{COSE_ES256, COSE_EDDSA, COSE_RS256}) {
        credential_owner credential(fido_cred_new());
        if (!credential) throw std::bad_alloc();
        if (fido_cred_set_type(credential.get(), algorithm) == FIDO_OK &&
            fido_cred_set_rp(credential.get(), rp.id.c_str(), nullptr) == FIDO_OK &&
            fido_cred_set_clientdata_hash(credential.get(), bytes_of(client_data_hash), client_data_hash.size()) == FIDO_OK &&
            fido_cred_set_uv(credential.get(), FIDO_OPT_TRUE) == FIDO_OK &&
            fido_cred_set_authdata_raw(credential.get(), bytes_of(object.authenticator_data), object.authenticator_data.size()) == FIDO_OK)
            return credential;
    }
    return {};
}

// We ask for `none`; an authenticator may attest all the same. What it then says must be true, though nobody's name is
// taken on trust for it.
bool attested_truly(fido_cred_t* credential, const attestation& object)
{
    if (object.format == "none") return object.statement == "\xa0";  // an empty map, §8.7
    if (object.format != "packed" && object.format != "fido-u2f" && object.format != "tpm") return false;
    if (fido_cred_set_fmt(credential, std::string(object.format).c_str()) != FIDO_OK) return false;
    if (fido_cred_set_attstmt(credential, bytes_of(object.statement), object.statement.size()) != FIDO_OK) return false;
    return (fido_cred_x5c_ptr(credential) ? fido_cred_verify(credential) : fido_cred_verify_self(credential)) == FIDO_OK;
}

bool signature_verifies(const fido_assert_t* assertion, std::string_view spki)
{
    const unsigned char* der = bytes_of(spki);
    const key_owner key(d2i_PUBKEY(nullptr, &der, static_cast<long>(spki.size())));
    if (!key) return false;
    switch (EVP_PKEY_get_base_id(key.get())) {
    case EVP_PKEY_EC: {
        const es256_owner pk(es256_pk_new());
        return pk && es256_pk_from_EVP_PKEY(pk.get(), key.get()) == FIDO_OK &&
               fido_assert_verify(assertion, 0, COSE_ES256, pk.get()) == FIDO_OK;
    }
    case EVP_PKEY_ED25519: {
        const eddsa_owner pk(eddsa_pk_new());
        return pk && eddsa_pk_from_EVP_PKEY(pk.get(), key.get()) == FIDO_OK &&
               fido_assert_verify(assertion, 0, COSE_EDDSA, pk.get()) == FIDO_OK;
    }
    case EVP_PKEY_RSA: {
        const rs256_owner pk(rs256_pk_new());
        return pk && rs256_pk_from_EVP_PKEY(pk.get(), key.get()) == FIDO_OK &&
               fido_assert_verify(assertion, 0, COSE_RS256, pk.get()) == FIDO_OK;
    }
    default: return false;
    }
}

}  // namespace

std::optional<std::string> stated_challenge(std::string_view client_data_json)
{
    const auto parsed = json::document::parse(client_data_json);
    if (!parsed) return std::nullopt;
    const json::value* challenge = parsed->root().find("challenge");
    if (!challenge || !challenge->is(json::kind::string)) return std::nullopt;
    return read_base64url(challenge->string());
}

result<registered_key> verify_registration(const registration_message& m, const relying_party& rp, std::string_view challenge)
{
    start_library();
    if (const auto ok = check_client_data(m.client_data_json, "webauthn.create", challenge, rp); !ok) return ok.error();
    const auto object = read_attestation(m.attestation_object);
    if (!object) return bad("The attestation object cannot be read.");
    const auto facts = check_authenticator_data(object->authenticator_data, rp);
    if (!facts) return facts.error();
    if (!facts->attested) return bad("There is no new passkey in the answer.");

    const digest client_data_hash = sha256(m.client_data_json);
    const auto credential = read_credential(*object, client_data_hash.view(), rp);
    if (!credential) return bad("The passkey's key cannot be read, or is of a kind that was not asked for.");
    if (!attested_truly(credential.get(), *object)) return bad("The authenticator's attestation does not verify.");
    const std::string_view id(reinterpret_cast<const char*>(fido_cred_id_ptr(credential.get())), fido_cred_id_len(credential.get()));
    if (id != m.credential_id) return bad("The answer names another passkey than the one in it.");
    registered_key key{std::string(id), public_key_of(credential.get()), facts->sign_count};
    if (key.public_key.empty()) return bad("The passkey's key is none.");
    return key;
}

result<std::uint32_t> verify_assertion(const assertion_message& m, const relying_party& rp, std::string_view challenge,
                                       std::string_view public_key)
{
    start_library();
    if (const auto ok = check_client_data(m.client_data_json, "webauthn.get", challenge, rp); !ok) return ok.error();
    const auto facts = check_authenticator_data(m.authenticator_data, rp);
    if (!facts) return facts.error();

    const digest client_data_hash = sha256(m.client_data_json);
    const assertion_owner assertion(fido_assert_new());
    if (!assertion) throw std::bad_alloc();
    const bool taken =
        fido_assert_set_clientdata_hash(assertion.get(), bytes_of(client_data_hash.view()), client_data_hash.view().size()) == FIDO_OK &&
        fido_assert_set_rp(assertion.get(), rp.id.c_str()) == FIDO_OK && fido_assert_set_count(assertion.get(), 1) == FIDO_OK &&
        fido_assert_set_up(assertion.get(), FIDO_OPT_TRUE) == FIDO_OK && fido_assert_set_uv(assertion.get(), FIDO_OPT_TRUE) == FIDO_OK &&
        fido_assert_set_authdata_raw(assertion.get(), 0, bytes_of(m.authenticator_data), m.authenticator_data.size()) == FIDO_OK &&
        fido_assert_set_sig(assertion.get(), 0, bytes_of(m.signature), m.signature.size()) == FIDO_OK;
    if (!taken) return bad("The authenticator data or the signature cannot be read.");
    if (!signature_verifies(assertion.get(), public_key)) return bad("The passkey's signature does not verify.");
    return facts->sign_count;
}

}  // namespace sallyport::people::webauthn
