// Links in mails: `/d/{token}`. Whoever has the token is the person whom it was sent to, for that hold, and for a `click` alone; a GET
// changes nothing, and it decides once (contract.md, "The people's side").
#include "gateway/canonical/sha256.hpp"
#include "gateway/identity/decision_token.hpp"
#include "gateway/people/deciding.hpp"
#include "gateway/people/pace.hpp"
#include "gateway/people/request.hpp"
#include "gateway/people/resources.hpp"
#include "gateway/people/views.hpp"
#include "storage/passkey_store.hpp"
#include "storage/person_store.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <utility>

namespace sallyport::people {
namespace {

constexpr std::string_view link_purpose = "decision link";

struct opened {
    identity::decision_token token;
    call as;  // the call, by the token's person
    storage::stored_hold held;
    bool over = false;  // used, or its time has passed
};

result<opened> open_link(storage::transaction& tx, const call& c, bool lock)
{
    const auto token = identity::read_decision_token(c.path[1], c.around->decision_key.reveal());
    if (!token || token->channel != "email") return fail(problem::not_found, "This link is none that Sallyport has sent.");
    opened o{*token, c, {}, false};
    o.as.person = storage::person_store::by_id(tx, token->person);
    if (!o.as.person || o.as.person->status != person_status::active)
        return fail(problem::not_found, "This link is none that Sallyport has sent.");
    auto held = readable_hold(tx, o.as, token->hold.text(), lock);
    if (!held) return held.error();
    o.held = std::move(*held);
    o.over = o.held.now >= token->expires_at || storage::passkey_store::used(tx, sha256(c.path[1]).view());
    return o;
}

}  // namespace

result<reply> show_link(storage::transaction& tx, const call& c)
{
    if (const auto known = check_query(c.query, {}); !known) return known.error();
    auto o = open_link(tx, c, false);
    if (!o) return o.error();
    // Once over, it tells whose it was and where to look, and no more: it may have been passed on.
    boost::json::value hold;
    if (!o->over) {
        remember_shown(tx, o->as, {&o->held, 1});
        hold = shown(tx, o->as, std::move(o->held));
    }
    return json_reply(200, {{"hold", std::move(hold)}, {"id", o->token.hold.text()}, {"name", o->as.person->name}, {"over", o->over}});
}

result<reply> decide_by_link(storage::transaction& tx, const call& c)
{
    const auto asked = message::read(c.body, {"decision", "reason"});
    if (!asked) return asked.error();
    const auto verb = asked->text("decision");
    if (!verb) return verb.error();
    const auto kind = decision_named(verb->value_or(""));
    if (!kind) return fail(problem::malformed_request, "\"decision\" is approve or deny.");
    const auto reason = read_reason(*asked);
    if (!reason) return reason.error();

    auto o = open_link(tx, c, true);
    if (!o) return o.error();
    if (o->over) return fail(problem::statement_stale, "This link has expired or was used.");
    if (const auto may = may_decide(o->as, o->held); !may) return may.error();
    // A hold's demands do not change; should they ever, a click is not enough for more.
    const auto needed = o->held.hold.assurance_needed();
    if (needed > assurance::click)
        return refused_attempt(
            tx, o->as, o->held,
            fail(problem::assurance_too_low, "This decision needs " + std::string(name_of(needed)) + ": sign in to decide."));
    const digest hash = sha256(c.path[1]);
    const storage::challenge once{std::string(hash.view()), std::string(link_purpose), o->as.person->id, o->token.expires_at};
    if (storage::passkey_store::use(tx, once) == storage::race::lost) return fail(problem::statement_stale, "This link was used.");

    decision given;
    given.kind = *kind;
    given.reason = *reason;
    given.assurance = assurance::click;
    storage::evidence evidence;
    evidence.statement = statement_for(o->as, o->held, *kind, *reason);
    evidence.channel = o->token.channel;
    evidence.channel_evidence = "link sha-256 " + hash.base64url();
    return take_decision(tx, o->as, std::move(o->held), std::move(given), std::move(evidence));
}

}  // namespace sallyport::people
