#include "gateway/openid/metadata.hpp"

#include "gateway/canonical/json.hpp"

#include <algorithm>
#include <utility>

namespace sallyport::openid {
namespace {

constexpr std::size_t most_keys = 100, longest_url = 2'048;

failure unusable(std::string cause) { return fail(problem::upstream_unreachable, {}, std::move(cause)); }

bool usable(std::string_view url, bool plain_too) noexcept
{
    const bool scheme = url.starts_with("https://") || (plain_too && url.starts_with("http://"));
    return scheme && url.size() <= longest_url && url.find('#') == std::string_view::npos &&
           std::all_of(url.begin(), url.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

bool lists(const json::value* list, std::string_view word) noexcept
{
    if (!list) return false;
    for (std::size_t i = 0; list->is(json::kind::array) && i < list->size(); ++i)
        if (list->at(i).string() == word) return true;
    return false;
}

}  // namespace

std::string metadata_url(std::string_view issuer)
{
    if (issuer.ends_with('/')) issuer.remove_suffix(1);
    return std::string(issuer) + "/.well-known/openid-configuration";
}

result<metadata> read_metadata(std::string_view text, std::string_view issuer)
{
    const auto document = json::document::parse(text);
    if (!document || !document->root().is(json::kind::object)) return unusable("the provider's metadata are no JSON object");
    const json::value& root = document->root();
    const json::value* named = root.find("issuer");
    // Another one's metadata would send codes to another one's endpoints (RFC 9207 §1, mix-up).
    if (!named || !named->is(json::kind::string) || named->string() != issuer)
        return unusable("the provider's metadata name another issuer");

    metadata m;
    const bool plain_too = issuer.starts_with("http://");
    const std::pair<std::string_view, std::string*> endpoints[] = {{"authorization_endpoint", &m.authorization_endpoint},
                                                                   {"token_endpoint", &m.token_endpoint},
                                                                   {"jwks_uri", &m.jwks_uri},
                                                                   {"userinfo_endpoint", &m.userinfo_endpoint}};
    for (const auto& [name, to] : endpoints) {
        const json::value* found = root.find(name);
        if (!found && to == &m.userinfo_endpoint) continue;
        if (!found || !usable(found->string(), plain_too)) return unusable("the provider's metadata have no usable " + std::string(name));
        *to = found->string();
    }
    const json::value* methods = root.find("token_endpoint_auth_methods_supported");
    // Without a word of it, it is basic (Discovery 1.0 §3).
    if (methods && !lists(methods, "client_secret_basic") && lists(methods, "client_secret_post"))
        m.authentication = client_authentication::post;
    const json::value* names = root.find("authorization_response_iss_parameter_supported");
    m.names_itself = names && names->boolean();
    return m;
}

result<key_set> key_set::read(std::string_view text)
{
    const auto document = json::document::parse(text);
    const json::value* keys = document ? document->root().find("keys") : nullptr;
    if (!keys || !keys->is(json::kind::array) || keys->size() > most_keys) return unusable("the provider's keys are no JSON Web Key Set");
    key_set set;
    for (std::size_t i = 0; i < keys->size(); ++i) {
        // Keys of kinds that we do not know, for encryption, or too short are no error: others use them.
        auto key = jose::public_key::from_jwk(keys->at(i));
        if (!key) continue;
        const json::value* kid = keys->at(i).find("kid");
        set.keys_.push_back({std::string(kid ? kid->string() : std::string_view{}), std::move(*key)});
    }
    return set;
}

bool key_set::knows(std::string_view kid) const noexcept
{
    return std::any_of(keys_.begin(), keys_.end(), [&](const named_key& k) { return kid.empty() || k.kid == kid; });
}

bool key_set::signed_one(const jose::jwt& token) const
{
    return std::any_of(keys_.begin(), keys_.end(),
                       [&](const named_key& k) { return (token.kid().empty() || k.kid == token.kid()) && token.signed_by(k.key); });
}

}  // namespace sallyport::openid
