#include "gateway/openid/attempt.hpp"

#include "gateway/canonical/json.hpp"
#include "gateway/canonical/sha256.hpp"
#include "gateway/jose/random.hpp"
#include "workflows/encoding.hpp"
#include "workflows/percent_encoding.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <utility>

namespace sallyport::openid {
namespace {

constexpr std::string_view purpose = "people.oidc";
constexpr std::size_t random_size = 32;
constexpr std::size_t longest_next = 512;

failure expired() { return fail(problem::expired, {}, "the sign-in was not begun in this browser, or too long ago"); }

}  // namespace

attempt begin_attempt(const config::oidc_sign_in& with, std::string next, time_point now)
{
    // RFC 7636 §4.1: 32 random bytes as base64url are 43 characters.
    return {with.issuer,     with.client_id,    random_text(random_size), random_text(random_size), random_text(random_size),
            std::move(next), now + attempt_life};
}

std::string seal(const attempt& a, const keyring& keys)
{
    const auto until = std::chrono::duration_cast<std::chrono::microseconds>(a.expires_at.time_since_epoch()).count();
    const boost::json::object text{{"issuer", a.issuer},     {"client_id", a.client_id}, {"state", a.state}, {"nonce", a.nonce},
                                   {"verifier", a.verifier}, {"next", a.next},           {"until", until}};
    return base64url(keys.seal(boost::json::serialize(text), purpose));
}

result<attempt> open_attempt(std::string_view sealed, const keyring& keys, time_point now)
{
    if (sealed.empty() || sealed.size() > longest_sealed) return expired();
    const auto bytes = read_base64url(sealed);
    if (!bytes) return expired();
    const auto text = keys.open(*bytes, purpose);
    if (!text) return expired();
    const auto document = json::document::parse(*text);
    if (!document) return expired();
    const auto member = [&](std::string_view name) {
        const json::value* found = document->root().find(name);
        return std::string(found ? found->string() : std::string_view{});
    };
    attempt a{member("issuer"), member("client_id"), member("state"), member("nonce"), member("verifier"), member("next"), {}};
    const json::value* until = document->root().find("until");
    if (!until || a.state.empty()) return expired();
    a.expires_at = time_point(std::chrono::microseconds(until->integer()));
    if (now >= a.expires_at) return expired();
    return a;
}

void append_form(std::string& to, std::string_view name, std::string_view value)
{
    if (!to.empty() && to.back() != '?' && to.back() != '&') to += '&';
    to += name;
    to += '=';
    to += percent_encoded(value);
}

std::string authorization_url(std::string_view endpoint, const attempt& a, const config::oidc_sign_in& with, std::string_view redirect_uri)
{
    std::string scopes;
    for (const std::string& s : with.scopes) scopes += (scopes.empty() ? "" : " ") + s;
    std::string url(endpoint);
    // The endpoint may have a query of its own, which is kept (RFC 6749 §3.1).
    if (url.find('?') == std::string::npos) url += '?';
    append_form(url, "response_type", "code");
    append_form(url, "client_id", with.client_id);
    append_form(url, "redirect_uri", redirect_uri);
    append_form(url, "scope", scopes);
    append_form(url, "state", a.state);
    append_form(url, "nonce", a.nonce);
    append_form(url, "code_challenge", sha256(a.verifier).base64url());
    append_form(url, "code_challenge_method", "S256");
    return url;
}

std::string local_path(std::string_view next)
{
    const bool ours = next.size() <= longest_next && next.starts_with('/') && !next.starts_with("//") && !next.starts_with("/login") &&
                      std::all_of(next.begin(), next.end(), [](char c) { return c > 0x20 && c < 0x7F && c != '\\' && c != '#'; });
    return ours ? std::string(next) : "/";
}

}  // namespace sallyport::openid
