// The JSON forms of Level 3 (§5.1, §5.4, §5.5): what browsers send and what they are given.
#include "gateway/people/webauthn.hpp"
#include "workflows/encoding.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>

namespace sallyport::people::webauthn {
namespace {

// COSE algorithm numbers (RFC 9053): ES256, EdDSA, RS256.
constexpr std::array algorithms{-7, -8, -257};
constexpr std::size_t longest_credential_id = 1023;  // §4
constexpr std::size_t longest_client_data = 16 << 10;
constexpr std::size_t most_transports = 8;

failure not_read(std::string_view member)
{
    return fail(problem::bad_assertion, "The passkey's answer has no valid " + std::string(member) + ".");
}

std::optional<std::string> bytes_in(const json::value& of, std::string_view name)
{
    const json::value* found = of.find(name);
    if (!found || !found->is(json::kind::string)) return std::nullopt;
    return read_base64url(found->string());
}

// `id` and `rawId` say the same in two members: where they differ, two readers would see two credentials.
std::optional<std::string> credential_id_of(const json::value& message)
{
    const json::value *type = message.find("type"), *id = message.find("id");
    if (!type || type->string() != "public-key" || !id) return std::nullopt;
    auto raw = bytes_in(message, "rawId");
    if (!raw || raw->empty() || raw->size() > longest_credential_id || base64url(*raw) != id->string()) return std::nullopt;
    return raw;
}

boost::json::array descriptors(std::span<const known_credential> all)
{
    boost::json::array list;
    for (const known_credential& c : all) {
        boost::json::object one{{"type", "public-key"}, {"id", base64url(c.id)}};
        if (!c.transports.empty()) one["transports"] = boost::json::array(c.transports.begin(), c.transports.end());
        list.push_back(std::move(one));
    }
    return list;
}

}  // namespace

result<registration_message> read_registration(const json::value& message)
{
    registration_message m;
    auto id = credential_id_of(message);
    if (!id) return not_read("id");
    m.credential_id = std::move(*id);
    const json::value* response = message.find("response");
    if (!response) return not_read("response");
    auto client = bytes_in(*response, "clientDataJSON"), object = bytes_in(*response, "attestationObject");
    if (!client || client->size() > longest_client_data) return not_read("clientDataJSON");
    if (!object) return not_read("attestationObject");
    m.client_data_json = std::move(*client);
    m.attestation_object = std::move(*object);
    // A hint and nothing more: what is odd about it is left out.
    if (const json::value* transports = response->find("transports"); transports && transports->is(json::kind::array))
        for (std::size_t i = 0; i < transports->size() && m.transports.size() < most_transports; ++i) {
            const std::string_view word = transports->at(i).string();
            const bool plain = !word.empty() && word.size() <= 32 && std::all_of(word.begin(), word.end(), [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
            });
            if (plain) m.transports.emplace_back(word);
        }
    return m;
}

result<assertion_message> read_assertion(const json::value& message)
{
    assertion_message m;
    auto id = credential_id_of(message);
    if (!id) return not_read("id");
    m.credential_id = std::move(*id);
    const json::value* response = message.find("response");
    if (!response) return not_read("response");
    auto client = bytes_in(*response, "clientDataJSON"), data = bytes_in(*response, "authenticatorData"),
         signature = bytes_in(*response, "signature");
    if (!client || client->size() > longest_client_data) return not_read("clientDataJSON");
    if (!data) return not_read("authenticatorData");
    if (!signature) return not_read("signature");
    m.client_data_json = std::move(*client);
    m.authenticator_data = std::move(*data);
    m.signature = std::move(*signature);
    if (const json::value* handle = response->find("userHandle"); handle && !handle->is(json::kind::null)) {
        m.user_handle = bytes_in(*response, "userHandle");
        if (!m.user_handle) return not_read("userHandle");
    }
    return m;
}

boost::json::object creation_options(const relying_party& rp, const user& who, std::string_view challenge,
                                     std::span<const known_credential> exclude)
{
    boost::json::array parameters;
    for (const int alg : algorithms) parameters.push_back(boost::json::object{{"type", "public-key"}, {"alg", alg}});
    return {
        {"rp", {{"id", rp.id}, {"name", "Sallyport"}}},
        {"user", {{"id", base64url(who.handle)}, {"name", who.name}, {"displayName", who.display_name}}},
        {"challenge", base64url(challenge)},
        {"pubKeyCredParams", std::move(parameters)},
        {"timeout", 300'000},
        {"excludeCredentials", descriptors(exclude)},
        // Found again without a name at sign-in, and never without finger, face or PIN.
        {"authenticatorSelection", {{"residentKey", "required"}, {"requireResidentKey", true}, {"userVerification", "required"}}},
        {"attestation", "none"},
    };
}

boost::json::object request_options(const relying_party& rp, std::string_view challenge, std::span<const known_credential> allow,
                                    std::chrono::milliseconds timeout)
{
    boost::json::object options{
        {"challenge", base64url(challenge)},
        {"timeout", timeout.count()},
        {"rpId", rp.id},
        {"userVerification", "required"},
    };
    if (!allow.empty()) options["allowCredentials"] = descriptors(allow);
    return options;
}

}  // namespace sallyport::people::webauthn
