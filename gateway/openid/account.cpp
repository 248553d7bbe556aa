#include "gateway/openid/account.hpp"

namespace sallyport::openid {
namespace {

constexpr std::size_t longest_email = 254;  // RFC 5321 §4.5.3.1.3
constexpr std::size_t most_groups = 10'000;

failure refused(std::string cause) { return fail(problem::unauthenticated, {}, std::move(cause)); }

// Address and mark come from one place: a mark in the one says nothing of an address in the other.
std::string verified_email(const json::value& claims)
{
    const json::value* email = claims.find("email");
    const json::value* verified = claims.find("email_verified");
    const bool good = email && verified && verified->boolean() && email->string().size() <= longest_email;
    return good ? std::string(email->string()) : std::string();
}

result<std::vector<std::string>> read_groups(const json::value& claim)
{
    std::vector<std::string> groups;
    if (claim.is(json::kind::string)) {
        groups.emplace_back(claim.string());
        return groups;
    }
    if (!claim.is(json::kind::array) || claim.size() > most_groups) return refused("the groups that the provider names are no list");
    for (std::size_t i = 0; i < claim.size(); ++i) {
        if (!claim.at(i).is(json::kind::string)) return refused("a group that the provider names is no text");
        groups.emplace_back(claim.at(i).string());
    }
    return groups;
}

}  // namespace

result<account> read_account(const json::value& id_token, const json::value* userinfo, std::string_view subject,
                             std::string_view groups_claim)
{
    account who;
    who.subject = subject;
    // Token substitution: an access token of somebody else would bring somebody else's claims (§5.3.2).
    if (userinfo) {
        const json::value* sub = userinfo->find("sub");
        if (!sub || !sub->is(json::kind::string) || sub->string() != subject) return refused("userinfo is about somebody else");
        who.email = verified_email(*userinfo);
    }
    // Providers differ in where they put what: userinfo first, then the ID token, which is signed.
    if (!userinfo || !userinfo->find("email")) who.email = verified_email(id_token);
    const json::value* claim = userinfo ? userinfo->find(groups_claim) : nullptr;
    if (!claim) claim = id_token.find(groups_claim);
    if (!claim || claim->is(json::kind::null)) return who;
    auto groups = read_groups(*claim);
    if (!groups) return groups.error();
    who.groups = std::move(*groups);
    who.has_groups = true;
    return who;
}

}  // namespace sallyport::openid
