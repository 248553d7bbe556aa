// sign_in: how people may sign in beside their passkeys.
#include "gateway/config/draft.hpp"
#include "gateway/config/url.hpp"
#include "workflows/agent.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace sallyport::config {
namespace {

constexpr std::size_t longest_word = 255;
constexpr std::size_t most_groups = 1'000;

bool loopback(const url& u) noexcept { return u.host == "localhost" || u.host == "::1" || (u.address && u.host.starts_with("127.")); }

// VSCHAR of RFC 6749, appendix A.
bool visible(std::string_view text) noexcept
{
    return !text.empty() && text.size() <= longest_word &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

// NQCHAR without the space, which parts them (RFC 6749 §3.3).
bool scope_token(std::string_view text) noexcept { return visible(text) && text.find_first_of("\"\\") == std::string_view::npos; }

void read_issuer(draft& d, const value& at, oidc_sign_in& to)
{
    const auto text = d.read.text(at, "`issuer`");
    if (!text) return;
    std::string wrong;
    const auto u = read_url(*text, "http", "https", wrong);
    if (!u) return d.read.error(at, "`issuer` " + wrong);
    // Whoever can speak for the issuer can be anybody here.
    if (u->scheme == "http" && !loopback(*u)) return d.read.error(at, "`issuer` must be https; without it only on this machine");
    to.issuer = *text;
    to.name = u->authority;
}

void read_scopes(draft& d, const value& at, oidc_sign_in& to)
{
    const auto items = d.read.list(at, "`scopes`");
    if (!items) return;
    to.scopes.clear();
    for (const auto& item : *items) {
        auto one = d.read.text(item, "a scope");
        if (!one) continue;
        if (!scope_token(*one)) d.read.error(item, "a scope is one word, such as email");
        to.scopes.push_back(*std::move(one));
    }
    if (std::find(to.scopes.begin(), to.scopes.end(), "openid") == to.scopes.end())
        d.read.error(at, "`scopes` must have openid, without which there is no identity");
}

void read_groups(draft& d, const value& at, oidc_sign_in& to)
{
    const auto entries = d.read.members(at, "`groups`");
    if (!entries) return;
    if (entries->size() > most_groups) return d.read.error(at, "`groups` may have at most 1000 members");
    for (const auto& e : *entries)
        if (auto team = d.read.name(e.value, "the team of a group")) to.groups.emplace(e.key, *std::move(team));
}

void read_oidc(draft& d, const value& v)
{
    constexpr std::string_view keys[] = {"issuer", "client_id", "client_secret", "scopes", "groups_claim", "groups", "ca"};
    const section s(d.read, v, "`oidc`", keys);
    if (!s) return;
    oidc_sign_in oidc;
    if (const auto at = s.need("issuer")) read_issuer(d, *at, oidc);
    if (const auto at = s.need("client_id"); at && s.take(oidc.client_id, "client_id", &reading::text) && !visible(oidc.client_id))
        d.read.error(*at, "`client_id` must be at most 255 visible characters without spaces");
    s.take(oidc.client_secret, "client_secret", &reading::secret);
    if (const auto at = s.find("scopes")) read_scopes(d, *at, oidc);
    if (const auto at = s.find("groups_claim"); at && s.take(oidc.groups_claim, "groups_claim", &reading::text) &&
                                                (oidc.groups_claim.empty() || oidc.groups_claim.size() > longest_word))
        d.read.error(*at, "`groups_claim` must be the name of a claim");
    if (const auto at = s.find("groups")) read_groups(d, *at, oidc);
    s.take(oidc.ca, "ca", &reading::path);
    d.config.oidc = std::move(oidc);
}

}  // namespace

void read_sign_in(draft& d, const value& v)
{
    constexpr std::string_view keys[] = {"oidc"};
    const section s(d.read, v, "`sign_in`", keys);
    if (const auto oidc = s.find("oidc")) read_oidc(d, *oidc);
}

}  // namespace sallyport::config
