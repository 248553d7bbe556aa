// The attestation object (WebAuthn Level 3, §6.5): a CBOR map of three members. This libfido2 takes them one by one, so
// they are cut apart here, strictly: CTAP2's canonical form has definite lengths, and no key twice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::people::webauthn {

/// Views into the bytes it was read from.
struct attestation {
    std::string_view format;
    std::string_view statement;  // CBOR
    std::string_view authenticator_data;
};

std::optional<attestation> read_attestation(std::string_view cbor);

/// Authenticator data (§6.1), as far as it is judged here.
struct authenticator_facts {
    std::string_view rp_id_hash;
    bool user_present = false;
    bool user_verified = false;
    bool backup_eligible = false;
    bool backed_up = false;
    bool attested = false;  // a credential's key is in it
    bool extensions = false;
    std::uint32_t sign_count = 0;
    std::string_view rest;  // behind the counter
};

std::optional<authenticator_facts> read_authenticator_data(std::string_view bytes) noexcept;

}  // namespace sallyport::people::webauthn
