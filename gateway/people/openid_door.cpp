#include "gateway/people/openid_door.hpp"

#include "gateway/canonical/sha256.hpp"
#include "gateway/log/log.hpp"
#include "gateway/people/challenge.hpp"
#include "gateway/people/request.hpp"
#include "gateway/people/sessions.hpp"
#include "gateway/release/hold_moves.hpp"
#include "storage/directory_store.hpp"
#include "storage/identity_store.hpp"
#include "storage/passkey_store.hpp"
#include "storage/person_store.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

namespace sallyport::people {
namespace {

constexpr std::string_view attempt_purpose = "oidc";
constexpr std::size_t longest_code = 4096;
constexpr int attempts = 2;  // of a transaction that lost a race

bool secure(const call& c) { return c.config().public_url.starts_with("https:"); }

// Sent along when another site leads here, for that is what the provider does. Empty ends it.
std::string set_attempt_cookie(std::string_view value, bool https)
{
    std::string line(attempt_cookie);
    line += '=';
    line += value;
    line += "; Path=/login; HttpOnly; SameSite=Lax; Max-Age=";
    line += std::to_string(value.empty() ? 0 : std::chrono::seconds(openid::attempt_life).count());
    if (https) line += "; Secure";
    return line;
}

reply redirect(std::string to)
{
    reply r;
    r.status = 303;
    r.media_type.clear();
    r.headers.emplace_back("Location", std::move(to));
    return r;
}

// What the sign-in page has words for.
std::string_view name_for_page(problem what)
{
    if (what == problem::expired) return "expired";
    if (what == problem::denied_by_person) return "declined";
    if (what == problem::not_permitted) return "unknown";
    if (what == problem::upstream_unreachable || what == problem::upstream_timeout) return "unreachable";
    if (what == problem::overloaded || what == problem::storage_unavailable) return "busy";
    return "failed";
}

reply to_login(const call& c, const failure& why)
{
    const std::string_view name = name_for_page(why.what);
    log::warning("sign-in refused", {{"by", "oidc"}, {"answer", name}, {"cause", why.cause.empty() ? why.detail : why.cause}});
    reply r = redirect("/login?error=" + std::string(name));
    r.headers.emplace_back("Set-Cookie", set_attempt_cookie({}, secure(c)));
    return r;
}

// The session's cookie is SameSite=Strict: it would not go along with a redirect in a chain that another site began. So this
// page is the end of that chain, and what it leads to is asked for by us.
reply goes_on(const std::string& path)
{
    std::string escaped;
    for (const char ch : path) {
        if (ch == '&')
            escaped += "&amp;";
        else if (ch == '"')
            escaped += "&quot;";
        else if (ch == '<')
            escaped += "&lt;";
        else
            escaped += ch;
    }
    reply r;
    r.media_type = "text/html; charset=utf-8";
    r.body = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Signed in - Sallyport</title>\n"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
             "<meta http-equiv=\"refresh\" content=\"0; url=" +
             escaped + "\"></head>\n<body><main><h1>You are signed in</h1><p><a href=\"" + escaped +
             "\">Go on</a></p></main></body></html>\n";
    return r;
}

// Whose account it is; linked now, if it was not before.
result<person> person_of(storage::transaction& tx, const std::string& issuer, const openid::account& account)
{
    const auto nobody = [](std::string cause) { return fail(problem::not_permitted, {}, std::move(cause)); };
    if (const auto known = storage::identity_store::find(tx, issuer, account.subject)) {
        auto who = storage::person_store::by_id(tx, *known);
        if (!who || who->status != person_status::active) return nobody("the person of this account is disabled");
        storage::identity_store::used(tx, issuer, account.subject);
        return std::move(*who);
    }
    if (account.email.empty()) return nobody("the provider vouches for no e-mail address of this account");
    auto found = storage::person_store::active_by_email(tx, account.email);
    if (found.empty()) return nobody("nobody here has the account's e-mail address");
    if (found.size() > 1) return nobody("several people here have the account's e-mail address");
    person& who = found.front();
    if (storage::identity_store::linked(tx, who.id, issuer)) return nobody(who.handle + " is linked to another account of this provider");
    if (storage::identity_store::link(tx, issuer, account.subject, who.id) == storage::race::lost)
        return fail(problem::conflict, {}, "the account was linked meanwhile");
    record_act(tx, who, "identity.link", {{"issuer", issuer}, {"subject", account.subject}, {"email", account.email}});
    return std::move(who);
}

// In the mapped teams as the provider says; in others as before. Whether anything changed.
result<bool> set_teams(storage::transaction& tx, const config::oidc_sign_in& oidc, const person& who, const openid::account& account)
{
    std::set<std::string, std::less<>> mapped, wanted;
    for (const auto& [group, team] : oidc.groups) {
        mapped.insert(team);
        if (std::find(account.groups.begin(), account.groups.end(), group) != account.groups.end()) wanted.insert(team);
    }
    if (!mapped.empty() && !account.has_groups)
        log::warning("no groups",
                     {{"person", who.handle},
                      {"detail", "the provider sent no claim " + oidc.groups_claim + ": they are in none of the mapped teams"}});
    bool changed = false;
    for (const std::string& team : mapped) {
        const bool in = wanted.contains(team);
        const auto set =
            in ? storage::person_store::join_team(tx, team, who.handle) : storage::person_store::leave_team(tx, team, who.handle);
        if (!set && set.error().what == problem::not_found) {
            log::warning("no such team", {{"team", team}, {"detail", "sign_in.oidc.groups names it: sallyport team add"}});
            continue;
        }
        if (!set) return set.error();
        if (!*set) continue;
        changed = true;
        record_act(tx, who, in ? "team.join" : "team.leave", {{"name", team}, {"by", "oidc"}, {"issuer", oidc.issuer}});
    }
    return changed;
}

}  // namespace

result<reply> enter(storage::transaction& tx, const call& c, const openid::attempt& a, const openid::account& account)
{
    const auto who = person_of(tx, a.issuer, account);
    if (!who) return who.error();
    // Only now: who is nobody here cannot fill the table.
    if (storage::passkey_store::use(tx, {std::string(sha256(a.state).view()), std::string(attempt_purpose), who->id, a.expires_at}) ==
        storage::race::lost)
        return fail(problem::expired, {}, "this sign-in was finished before");
    const auto changed = set_teams(tx, *c.config().oidc, *who, account);
    if (!changed) return changed.error();
    reply r = goes_on(openid::local_path(a.next));
    if (*changed) r.closed = release::void_orphans(tx);
    // What was changed here is known to this replica before the first page asks.
    if (*changed || !who->has_account) r.directory_generation = storage::directory_store::current_generation(tx);
    add_session(tx, c, *who, storage::session_by::oidc, r);
    record_act(tx, *who, "login", {{"by", name_of(storage::session_by::oidc)}, {"issuer", a.issuer}});
    return r;
}

http::awaitable<result<time_point>> openid_door::now(http::core& core)
{
    auto ask = [](storage::transaction& tx) { return tx.now(); };
    return context_.db.run(core.get_executor(), ask);
}

http::awaitable<reply> openid_door::begin(http::core& core, const call& c)
{
    if (!context_.openid || !c.config().oidc) co_return redirect("/login");
    const auto& oidc = *c.config().oidc;
    const auto began = co_await now(core);
    if (!began) co_return to_login(c, began.error());
    auto config = c.standing->config;
    const auto of = co_await context_.openid->describe(core, std::move(config));
    if (!of) co_return to_login(c, of.error());
    const auto attempt = openid::begin_attempt(oidc, openid::local_path(find(c.query, "next").value_or("/")), *began);
    const std::string back = c.config().public_url + std::string(openid_callback_path);
    reply r = redirect(openid::authorization_url((*of)->authorization_endpoint, attempt, oidc, back));
    r.status = 302;
    r.headers.emplace_back("Set-Cookie", set_attempt_cookie(openid::seal(attempt, context_.keys), secure(c)));
    co_return r;
}

http::awaitable<reply> openid_door::finish(http::core& core, const call& c, std::string attempt)
{
    auto done = co_await signed_in(core, c, std::move(attempt));
    if (!done) co_return to_login(c, done.error());
    done->headers.emplace_back("Set-Cookie", set_attempt_cookie({}, secure(c)));
    co_return std::move(*done);
}

http::awaitable<result<reply>> openid_door::signed_in(http::core& core, const call& c, std::string sealed)
{
    const auto failed = [](std::string cause) { return fail(problem::unauthenticated, {}, std::move(cause)); };
    if (!context_.openid || !c.config().oidc) co_return failed("no provider is configured");
    const auto& oidc = *c.config().oidc;
    const auto arrived = co_await now(core);
    if (!arrived) co_return arrived.error();
    const auto a = openid::open_attempt(sealed, context_.keys, *arrived);
    if (!a) co_return a.error();
    // Before anything else is believed of the answer (RFC 6749 §10.12).
    if (!same_tag(find(c.query, "state").value_or(""), a->state))
        co_return fail(problem::expired, {}, "the answer is to another attempt (\"state\")");
    if (a->issuer != oidc.issuer || a->client_id != oidc.client_id) co_return failed("the provider was changed meanwhile");
    for (const std::string_view once : {"state", "code", "iss", "error"})
        if (std::count_if(c.query.begin(), c.query.end(), [&](const parameter& p) { return p.name == once; }) > 1)
            co_return failed("the answer says \"" + std::string(once) + "\" twice");
    const auto issuer = find(c.query, "iss");
    if (issuer && *issuer != oidc.issuer) co_return failed("the answer is of another provider (\"iss\")");
    if (const auto error = find(c.query, "error")) {
        const bool declined = *error == "access_denied" || *error == "login_required" || *error == "interaction_required";
        co_return fail(declined ? problem::denied_by_person : problem::unauthenticated, {},
                       "the provider answered " + std::string(error->substr(0, 64)));
    }
    const auto code = find(c.query, "code");
    if (!code || code->empty() || code->size() > longest_code) co_return failed("the answer has no code");
    auto config = c.standing->config;
    const auto of = co_await context_.openid->describe(core, config);
    if (!of) co_return of.error();
    if ((*of)->names_itself && !issuer) co_return failed("the provider says that it names itself in answers, and this one does not");

    std::string back = c.config().public_url + std::string(openid_callback_path);
    openid::attempt with = *a;
    std::string given(*code);
    const auto account = co_await context_.openid->redeem(core, config, std::move(with), std::move(given), std::move(back), *arrived);
    if (!account) co_return account.error();
    for (int attempt = 1;; ++attempt) {
        auto work = [asked = std::make_shared<call>(c), a = *a, who = *account](storage::transaction& tx) {
            return enter(tx, *asked, a, who);
        };
        auto entered = co_await context_.db.run(core.get_executor(), std::move(work));
        if (!entered && entered.error().what == problem::conflict && attempt < attempts) continue;
        co_return entered;
    }
}

}  // namespace sallyport::people
