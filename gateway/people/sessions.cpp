#include "gateway/people/sessions.hpp"

#include "gateway/canonical/jcs.hpp"
#include "gateway/canonical/sha256.hpp"
#include "gateway/jose/random.hpp"
#include "gateway/people/request.hpp"
#include "gateway/people/resources.hpp"
#include "storage/audit_store.hpp"
#include "storage/person_store.hpp"
#include "workflows/encoding.hpp"

#include <boost/json/array.hpp>

#include <chrono>
#include <string>
#include <utility>

namespace sallyport::people {
namespace {

constexpr std::size_t session_bytes = 32, shown_bytes = 16;

std::string hash_of(std::string_view token) { return std::string(sha256(token).view()); }

// Names a session to people. Neither its token nor the hash that the token is looked up by can be had from it.
std::string shown_id(const storage::session& s) { return base64url(sha256("session " + s.token_hash).view().substr(0, shown_bytes)); }

boost::json::array sessions_json(storage::transaction& tx, const call& c, person_id of)
{
    const std::string current = hash_of(c.session);
    boost::json::array all;
    for (const storage::session& s : storage::session_store::list(tx, of))
        all.push_back(boost::json::object{
            {"id", shown_id(s)},
            {"created_at", format_rfc3339(s.created_at)},
            {"expires_at", format_rfc3339(s.expires_at)},
            {"how", name_of(s.made_by)},
            {"user_agent", s.user_agent.empty() ? boost::json::value(nullptr) : boost::json::value(s.user_agent)},
            {"current", s.token_hash == current},
        });
    return all;
}

result<reply> end_one(storage::transaction& tx, const call& c, const person& of, std::string_view id)
{
    for (const storage::session& s : storage::session_store::list(tx, of.id)) {
        if (shown_id(s) != id || !storage::session_store::remove(tx, s.token_hash)) continue;
        record_act(tx, *c.person, "session.end", {{"of", of.handle}, {"session", id}});
        reply r;
        r.status = 204;
        r.media_type.clear();
        if (s.token_hash == hash_of(c.session))
            r.headers.emplace_back("Set-Cookie", set_cookie({}, {}, c.config().public_url.starts_with("https:")));
        return r;
    }
    return fail(problem::not_found, "There is no such session.");
}

result<person> person_named(storage::transaction& tx, std::string_view id_or_handle)
{
    const auto id = person_id::parse(id_or_handle);
    auto found = id ? storage::person_store::by_id(tx, *id) : storage::person_store::by_handle(tx, id_or_handle);
    if (!found) return fail(problem::not_found, "There is no such person.");
    return std::move(*found);
}

}  // namespace

void add_session(storage::transaction& tx, const call& c, const person& p, storage::session_by by, reply& r)
{
    const std::string token = random_text(session_bytes);
    const auto life = c.config().limits.session;
    storage::session_store::create(tx, {hash_of(token), p.id, {}, tx.now() + life, by, c.user_agent});
    r.headers.emplace_back("Set-Cookie", set_cookie(token, std::chrono::duration_cast<std::chrono::seconds>(life),
                                                    c.config().public_url.starts_with("https:")));
}

void record_act(storage::transaction& tx, const person& p, std::string_view act, boost::json::object more)
{
    more["act"] = act;
    more["handle"] = p.handle;
    storage::audit_entry entry;
    entry.at = tx.now();
    entry.kind = "admin";
    entry.person = p.id;
    entry.data = jcs(more);
    storage::audit_store::append(tx, entry);
}

result<reply> login_methods(storage::transaction&, const call& c)
{
    if (const auto known = check_query(c.query, {}); !known) return known.error();
    boost::json::value oidc;
    if (c.config().oidc) oidc = boost::json::object{{"name", c.config().oidc->name}};
    return json_reply(200, {{"passkey", true}, {"oidc", std::move(oidc)}});
}

result<reply> list_sessions(storage::transaction& tx, const call& c)
{
    if (const auto known = check_query(c.query, {}); !known) return known.error();
    return json_reply(200, {{"sessions", sessions_json(tx, c, c.person->id)}});
}

result<reply> end_session(storage::transaction& tx, const call& c) { return end_one(tx, c, *c.person, c.path[1]); }

result<reply> list_sessions_of(storage::transaction& tx, const call& c)
{
    if (const auto known = check_query(c.query, {}); !known) return known.error();
    const auto who = person_named(tx, c.path[1]);
    if (!who) return who.error();
    // Auditors read all.
    if (who->id != c.person->id && !c.person->has(role::operator_) && !c.person->has(role::auditor))
        return fail(problem::not_permitted, "Operators and auditors see the sessions of others.");
    return json_reply(200, {{"sessions", sessions_json(tx, c, who->id)}});
}

result<reply> end_session_of(storage::transaction& tx, const call& c)
{
    const auto who = person_named(tx, c.path[1]);
    if (!who) return who.error();
    if (who->id != c.person->id && !c.person->has(role::operator_))
        return fail(problem::not_permitted, "Operators end the sessions of others.");
    return end_one(tx, c, *who, c.path[3]);
}

}  // namespace sallyport::people
