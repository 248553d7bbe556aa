#include "gateway/jose/http_signature.hpp"

#include "workflows/encoding.hpp"

#include <array>
#include <chrono>

namespace sallyport::jose {
namespace {

constexpr std::string_view label = "sallyport";

/// A string item (RFC 8941 §3.3.3); what we put there is visible ASCII.
void append_string(std::string& to, std::string_view text)
{
    to += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') to += '\\';
        to += c;
    }
    to += '"';
}

}  // namespace

std::string signature_params(std::span<const signed_component> components, time_point created, std::string_view keyid, std::string_view alg)
{
    std::string text = "(";
    for (const auto& component : components) {
        if (text.size() > 1) text += ' ';
        append_string(text, component.name);
    }
    text += ");created=";
    text += std::to_string(std::chrono::floor<std::chrono::seconds>(created).time_since_epoch().count());
    text += ";keyid=";
    append_string(text, keyid);
    if (!alg.empty()) {
        text += ";alg=";
        append_string(text, alg);
    }
    return text;
}

std::string signature_base(std::span<const signed_component> components, std::string_view params)
{
    std::string base;
    for (const auto& component : components) {
        append_string(base, component.name);
        base += ": ";
        base += component.value;
        base += '\n';
    }
    base += "\"@signature-params\": ";
    base += params;
    return base;
}

message_signature sign_request(const private_key& key, time_point created, std::string_view method, std::string_view target_uri,
                               std::string_view content_digest, std::string_view receipt)
{
    const std::array<signed_component, 4> components = {
        {{"@method", method}, {"@target-uri", target_uri}, {"content-digest", content_digest}, {"sallyport-receipt", receipt}}};
    const std::string params =
        signature_params(components, created, key.kid(), key.alg() == algorithm::eddsa ? "ed25519" : "ecdsa-p256-sha256");
    message_signature s;
    s.input = std::string(label) + '=' + params;
    s.value = std::string(label) + "=:" + base64(key.sign(signature_base(components, params))) + ':';
    return s;
}

}  // namespace sallyport::jose
