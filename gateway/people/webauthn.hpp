// Passkeys: what an authenticator says, verified (WebAuthn Level 3, §7.1 and §7.2). libfido2 judges signatures and keys;
// clientDataJSON, flags, origin, counter and whose credential it is are judged here.
//
// Pure but for the random challenge; any thread. A failure is always `bad_assertion`; its detail names the check.
#pragma once

#include "gateway/canonical/json.hpp"
#include "workflows/result.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::people::webauthn {

/// Whose authenticators are believed, and for what pages.
struct relying_party {
    std::string id;      // public_url's host
    std::string origin;  // public_url's origin, as a browser writes it
};

/// A RegistrationResponseJSON, decoded: bytes.
struct registration_message {
    std::string credential_id;
    std::string client_data_json;
    std::string attestation_object;
    std::vector<std::string> transports;
};

/// An AuthenticationResponseJSON, decoded: bytes.
struct assertion_message {
    std::string credential_id;
    std::string client_data_json;
    std::string authenticator_data;
    std::string signature;
    std::optional<std::string> user_handle;
};

/// Unknown members are ignored, as §5.1 says; `id` and `rawId` must agree.
result<registration_message> read_registration(const json::value&);
result<assertion_message> read_assertion(const json::value&);

/// What clientDataJSON says its challenge is, for looking it up; none when it cannot be read. Proves nothing.
std::optional<std::string> stated_challenge(std::string_view client_data_json);

struct registered_key {
    std::string credential_id;
    std::string public_key;  // SubjectPublicKeyInfo in DER: ES256, EdDSA or RS256 by the key's type
    std::uint32_t sign_count = 0;
};

result<registered_key> verify_registration(const registration_message&, const relying_party&, std::string_view challenge);

/// The authenticator's new counter. Whether it grew is for the storage to say, in the transaction that writes it:
/// passkey_store::count_up.
result<std::uint32_t> verify_assertion(const assertion_message&, const relying_party&, std::string_view challenge,
                                       std::string_view public_key);

/// A credential as options name it.
struct known_credential {
    std::string id;
    std::vector<std::string> transports;
};

struct user {
    std::string handle;  // bytes, at most 64: says nothing about the person
    std::string name;
    std::string display_name;
};

boost::json::object creation_options(const relying_party&, const user&, std::string_view challenge,
                                     std::span<const known_credential> exclude);
/// `allow` empty: any passkey that the authenticator finds.
boost::json::object request_options(const relying_party&, std::string_view challenge, std::span<const known_credential> allow,
                                    std::chrono::milliseconds timeout);

}  // namespace sallyport::people::webauthn
