#include "gateway/identity/push_subscription.hpp"

#include "gateway/canonical/jcs.hpp"
#include "gateway/canonical/json.hpp"
#include "gateway/canonical/sha256.hpp"
#include "gateway/jose/jwt.hpp"
#include "workflows/encoding.hpp"
#include "workflows/loopback.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <optional>
#include <utility>

namespace sallyport::identity {
namespace {

constexpr std::size_t id_bytes = 16;
constexpr std::chrono::hours token_life{12};  // 24 hours are the most (RFC 8292 §2)

std::string associated(std::string_view id) { return "push subscription:" + std::string(id); }

// RFC 8292 §2.1 wants a way to reach whoever sends: a page, or an address. Without https there is no page to give, and the host
// is this machine.
std::string contact(std::string_view public_url)
{
    if (public_url.starts_with("https://")) return std::string(public_url);
    const auto host = public_url.substr(public_url.find("//") + 2);
    return "mailto:sallyport@" + std::string(host.substr(0, host.find_first_of(":/")));
}

}  // namespace

std::string push_subscription_id(std::string_view endpoint) { return base64url(sha256(endpoint).view().substr(0, id_bytes)); }

std::string seal_push_target(const keyring& keys, const notifiers::push_target& to)
{
    const secret text(jcs(
        boost::json::object{{"auth", base64url(to.keys.auth)}, {"endpoint", to.endpoint.reveal()}, {"p256dh", base64url(to.keys.p256dh)}}));
    return keys.seal(text.reveal(), associated(to.id));
}

result<notifiers::push_target> open_push_target(const keyring& keys, std::string_view id, std::string_view sealed)
{
    auto opened = keys.open(sealed, associated(id));
    if (!opened) return opened.error();
    const secret text(std::move(*opened));
    const auto read = json::document::parse(text.reveal());
    if (!read) return fail(problem::internal_error, "A push subscription cannot be read.");
    const auto member = [&](std::string_view name) -> std::string {
        const json::value* v = read->root().find(name);
        return v ? std::string(v->string()) : std::string();
    };
    const auto auth = read_base64url(member("auth")), p256dh = read_base64url(member("p256dh"));
    if (!auth || !p256dh) return fail(problem::internal_error, "A push subscription cannot be read.");
    return notifiers::push_target{std::string(id), secret(member("endpoint")), {*p256dh, *auth}};
}

bool push_by_loopback(std::string_view public_host) { return is_loopback(public_host); }

std::string push_public_key(const jose::private_key& key) { return base64url(key.public_half().p256_point()); }

std::string push_authorization(const jose::private_key& key, std::string_view origin, std::string_view public_url, time_point now)
{
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now + token_life).time_since_epoch().count();
    const std::string claims = jcs(boost::json::object{{"aud", origin}, {"exp", seconds}, {"sub", contact(public_url)}});
    return "vapid t=" + jose::sign_compact(key, "JWT", claims) + ", k=" + push_public_key(key);
}

}  // namespace sallyport::identity
