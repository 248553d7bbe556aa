#include "gateway/openid/provider.hpp"

#include "gateway/canonical/field.hpp"
#include "gateway/canonical/json.hpp"
#include "gateway/config/secrets.hpp"
#include "gateway/jose/jwt.hpp"
#include "gateway/openid/id_token.hpp"
#include "workflows/encoding.hpp"
#include "workflows/percent_encoding.hpp"

#include <algorithm>
#include <utility>

namespace sallyport::openid {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto metadata_life = 1h;
constexpr auto keys_life = 1h;           // a key that was withdrawn is believed no longer
constexpr auto keys_anew_at_most = 30s;  // unknown `kid`s are free to invent
constexpr auto failure_life = 2s;        // whoever comes meanwhile is told at once

failure refused(std::string cause) { return fail(problem::unauthenticated, {}, std::move(cause)); }

// An OAuth error code of RFC 6749 §5.2, and nothing else of what was said.
std::string error_code_of(std::string_view body)
{
    const auto document = json::document::parse(body);
    const json::value* error = document ? document->root().find("error") : nullptr;
    const std::string_view code = error ? error->string() : std::string_view{};
    const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
    return code.size() <= 64 && std::all_of(code.begin(), code.end(), plain) ? std::string(code) : std::string();
}

// Key sets are often application/jwk-set+json (RFC 7517 §8.5.2).
bool is_json(std::string_view media_type)
{
    media_type = media_type.substr(0, media_type.find_first_of("; "));
    const auto ends_with = [&](std::string_view end) {
        return media_type.size() >= end.size() && same_ignoring_case(media_type.substr(media_type.size() - end.size()), end);
    };
    return same_ignoring_case(media_type, "application/json") || ends_with("+json");
}

}  // namespace

provider::provider(config::oidc_sign_in settings, const std::atomic<bool>& cut) : settings_(std::move(settings)), cut_(cut) {}

result<std::string> provider::get(std::string url, secret authorization, steady_time deadline, std::string_view what) const
{
    const question q{std::move(url), std::nullopt, std::move(authorization), settings_.ca, deadline};
    auto answered = fetch(q, cut_);
    if (!answered) return answered.error();
    if (answered->status != 200)
        return fail(problem::upstream_unreachable, {},
                    "the provider's " + std::string(what) + " answered " + std::to_string(answered->status));
    if (!is_json(answered->media_type))
        return fail(problem::upstream_unreachable, {}, "the provider's " + std::string(what) + " answered something else than JSON");
    return std::move(answered->body);
}

std::shared_ptr<const metadata> provider::known()
{
    const std::lock_guard lock(mutex_);
    return metadata_ && clock::now() < metadata_read_ + metadata_life ? metadata_ : nullptr;
}

result<std::shared_ptr<const metadata>> provider::description(steady_time deadline)
{
    if (auto read = known()) return read;
    {
        const std::lock_guard lock(mutex_);
        if (failed_ && clock::now() < failed_at_ + failure_life) return *failed_;
    }
    auto text = get(metadata_url(settings_.issuer), {}, deadline, "metadata");
    auto read = text ? read_metadata(*text, settings_.issuer) : result<metadata>(text.error());
    const std::lock_guard lock(mutex_);
    if (!read) {
        failed_ = read.error();
        failed_at_ = clock::now();
        return *failed_;
    }
    failed_.reset();
    metadata_ = std::make_shared<const metadata>(std::move(*read));
    metadata_read_ = clock::now();
    return metadata_;
}

result<std::shared_ptr<const key_set>> provider::keys(const metadata& of, bool anew, steady_time deadline)
{
    {
        const std::lock_guard lock(mutex_);
        const auto age = clock::now() - keys_read_;
        if (keys_ && age < (anew ? clock::duration(keys_anew_at_most) : clock::duration(keys_life))) return keys_;
    }
    const auto text = get(of.jwks_uri, {}, deadline, "keys");
    if (!text) return text.error();
    auto read = key_set::read(*text);
    if (!read) return read.error();
    const std::lock_guard lock(mutex_);
    keys_ = std::make_shared<const key_set>(std::move(*read));
    keys_read_ = clock::now();
    return keys_;
}

result<void> provider::check_signature(const metadata& of, const jose::jwt& token, steady_time deadline)
{
    auto known = keys(of, false, deadline);
    if (known && !(*known)->knows(token.kid())) known = keys(of, true, deadline);
    if (!known) return known.error();
    if (!(*known)->signed_one(token)) return refused("the ID token is not signed by a key of the provider");
    return {};
}

result<provider::tokens> provider::exchange(const metadata& of, const attempt& a, std::string_view code, std::string_view redirect_uri,
                                            steady_time deadline) const
{
    std::string form;
    append_form(form, "grant_type", "authorization_code");
    append_form(form, "code", code);
    append_form(form, "redirect_uri", redirect_uri);
    append_form(form, "code_verifier", a.verifier);
    question q{of.token_endpoint, std::nullopt, {}, settings_.ca, deadline};
    const bool basic = settings_.client_secret && of.authentication == client_authentication::basic;
    if (!basic) append_form(form, "client_id", settings_.client_id);
    if (settings_.client_secret) {
        const auto key = config::read(*settings_.client_secret);
        if (!key) return fail(problem::upstream_unreachable, {}, "the client secret: " + key.error().detail);
        // RFC 6749 §2.3.1: both are form-encoded before they are joined.
        if (basic)
            q.authorization = secret("Basic " + base64(percent_encoded(settings_.client_id) + ":" + percent_encoded(key->reveal())));
        else
            append_form(form, "client_secret", key->reveal());
    }
    q.form = secret(std::move(form));
    const auto answered = fetch(q, cut_);
    if (!answered) return answered.error();
    if (answered->status >= 500)
        return fail(problem::upstream_unreachable, {}, "the provider's token endpoint answered " + std::to_string(answered->status));
    if (answered->status != 200)
        return refused("the provider's token endpoint answered " + std::to_string(answered->status) + " " + error_code_of(answered->body));

    const auto document = json::document::parse(answered->body);
    if (!document || !is_json(answered->media_type)) return refused("the provider's token endpoint answered something else than JSON");
    const auto text = [&](std::string_view name) {
        const json::value* found = document->root().find(name);
        return found ? found->string() : std::string_view{};
    };
    if (!same_ignoring_case(text("token_type"), "bearer")) return refused("the provider gave a token of another type than Bearer");
    const std::string_view access = text("access_token");
    const bool sendable = std::all_of(access.begin(), access.end(), [](char c) { return c > 0x20 && c < 0x7F; });
    if (access.empty() || !sendable || text("id_token").empty()) return refused("the provider gave no access token, or no ID token");
    return tokens{secret(std::string(access)), std::string(text("id_token"))};
}

result<account> provider::redeem(const attempt& a, std::string_view code, std::string_view redirect_uri, time_point now,
                                 steady_time deadline)
{
    const auto began = clock::now();
    const auto of = description(deadline);
    if (!of) return of.error();
    auto given = exchange(**of, a, code, redirect_uri, deadline);
    if (!given) return given.error();
    const auto token = jose::jwt::parse(given->id_token);
    if (!token) return refused("the ID token: " + token.error().detail);
    if (const auto good = check_signature(**of, *token, deadline); !good) return good.error();
    // The provider took its time, and may have issued the token within it.
    const auto judged_at = now + std::chrono::duration_cast<duration>(clock::now() - began);
    const auto subject = check_id_token(*token, {settings_.issuer, settings_.client_id, a.nonce}, judged_at);
    if (!subject) return subject.error();

    if ((*of)->userinfo_endpoint.empty()) return read_account(token->claims(), nullptr, *subject, settings_.groups_claim);
    const auto text = get((*of)->userinfo_endpoint, secret("Bearer " + std::string(given->access_token.reveal())), deadline, "userinfo");
    if (!text) return text.error();
    const auto userinfo = json::document::parse(*text);
    if (!userinfo) return refused("the provider's userinfo is not JSON");
    return read_account(token->claims(), &userinfo->root(), *subject, settings_.groups_claim);
}

}  // namespace sallyport::openid
