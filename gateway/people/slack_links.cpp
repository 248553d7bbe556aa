// Which account of Slack is which person, confirmed by both sides: a signed request of Slack's named the account, and whoever is
// signed in here says that it is theirs. The link between the two is sealed, so that nothing is stored of who only asks; it is
// used once, and passed on it connects nobody who does not press.
#include "gateway/canonical/jcs.hpp"
#include "gateway/canonical/sha256.hpp"
#include "gateway/people/request.hpp"
#include "gateway/people/resources.hpp"
#include "gateway/people/slack.hpp"
#include "gateway/people/views.hpp"
#include "storage/audit_store.hpp"
#include "storage/passkey_store.hpp"
#include "storage/slack_store.hpp"
#include "workflows/encoding.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <chrono>
#include <optional>
#include <utility>

namespace sallyport::people {
namespace {

namespace bj = boost::json;

constexpr std::string_view link_purpose = "slack link";
constexpr std::chrono::minutes link_life{10};

struct opened {
    slack_account account;
    time_point ends;
    digest hash;
};

result<opened> open_link(storage::transaction& tx, const call& c)
{
    const std::string& token = c.path[1];
    const failure none = fail(problem::not_found, "This link is none that Sallyport has given out in Slack.");
    const auto sealed = read_base64url(token);
    const auto text = sealed ? c.around->keys.open(*sealed, link_purpose) : result<std::string>(none);
    if (!text) return none;
    boost::system::error_code failed;
    const bj::value read = bj::parse(*text, failed);
    const bj::object* o = failed ? nullptr : read.if_object();
    const auto member = [&](const char* name) {
        const bj::value* v = o ? o->if_contains(name) : nullptr;
        return v && v->is_string() ? std::string(v->get_string()) : std::string();
    };
    const auto ends = parse_rfc3339(member("ends"));
    opened link{{member("team"), member("user"), member("team_domain"), member("user_name")}, ends.value_or(time_point()), sha256(token)};
    if (!ends || link.account.team.empty() || link.account.user.empty()) return none;
    if (tx.now() >= link.ends || storage::passkey_store::used(tx, link.hash.view()))
        return fail(problem::statement_stale, "This link has expired or was used: ask for another in Slack, by /sallyport.");
    return link;
}

bj::value or_null(const std::string& text) { return text.empty() ? bj::value(nullptr) : bj::value(text); }

bj::object account_json(const slack_account& a)
{
    return {{"team", a.team}, {"user", a.user}, {"team_domain", or_null(a.team_domain)}, {"user_name", or_null(a.user_name)}};
}

bj::value connected_json(const std::optional<storage::slack_identity>& i)
{
    if (!i) return nullptr;
    return bj::object{{"team", i->team}, {"user", i->user}, {"created_at", format_rfc3339(i->created_at)}};
}

void record(storage::transaction& tx, const call& c, std::string_view act, std::string_view team, std::string_view user)
{
    storage::audit_entry entry;
    entry.at = tx.now();
    entry.kind = "admin";
    entry.person = c.person->id;
    entry.data = jcs(bj::object{{"act", act}, {"handle", c.person->handle}, {"team", team}, {"user", user}});
    storage::audit_store::append(tx, entry);
}

}  // namespace

std::string slack_link(const call& c, const slack_account& who, time_point now)
{
    const std::string text = jcs(bj::object{{"team", who.team},
                                            {"user", who.user},
                                            {"team_domain", who.team_domain},
                                            {"user_name", who.user_name},
                                            {"ends", format_rfc3339(now + link_life)}});
    return c.config().public_url + "/slack/" + base64url(c.around->keys.seal(text, link_purpose));
}

result<reply> show_slack_link(storage::transaction& tx, const call& c)
{
    if (const auto known = check_query(c.query, {}); !known) return known.error();
    const auto link = open_link(tx, c);
    if (!link) return link.error();
    return json_reply(200, {{"account", account_json(link->account)},
                            {"person", person_json(*c.person)},
                            {"connected", connected_json(storage::slack_store::of_person(tx, c.person->id))}});
}

result<reply> connect_slack(storage::transaction& tx, const call& c)
{
    if (const auto nothing = message::read(c.body, {}); !nothing) return nothing.error();
    const auto link = open_link(tx, c);
    if (!link) return link.error();
    const slack_account& a = link->account;
    if (storage::passkey_store::use(tx, {std::string(link->hash.view()), std::string(link_purpose), c.person->id, link->ends}) ==
        storage::race::lost)
        return fail(problem::statement_stale, "This link was used.");
    // Whoever has one already ends that first: nobody's messages go elsewhere by one press.
    if (const auto done = storage::slack_store::connect(tx, {a.team, a.user, c.person->id, {}}); !done) return done.error();
    record(tx, c, "slack.connect", a.team, a.user);
    return json_reply(201, {{"slack", connected_json(storage::slack_store::of_person(tx, c.person->id))}});
}

result<reply> show_my_slack(storage::transaction& tx, const call& c)
{
    if (const auto known = check_query(c.query, {}); !known) return known.error();
    return json_reply(200, {{"slack", connected_json(storage::slack_store::of_person(tx, c.person->id))}});
}

result<reply> disconnect_slack(storage::transaction& tx, const call& c)
{
    const auto mine = storage::slack_store::of_person(tx, c.person->id);
    if (!mine || !storage::slack_store::disconnect(tx, c.person->id))
        return fail(problem::not_found, "No Slack account is connected to you.");
    record(tx, c, "slack.disconnect", mine->team, mine->user);
    return json_reply(200, {{"slack", nullptr}});
}

}  // namespace sallyport::people
