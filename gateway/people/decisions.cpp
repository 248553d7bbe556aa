// Deciding a hold: the statement to sign, the decision over it, and taking it back (semantics.md, "Deciding").
#include "gateway/canonical/grant_text.hpp"
#include "gateway/canonical/sha256.hpp"
#include "gateway/people/deciding.hpp"
#include "gateway/people/request.hpp"
#include "gateway/people/resources.hpp"
#include "gateway/people/statement.hpp"
#include "gateway/people/views.hpp"
#include "gateway/people/webauthn.hpp"
#include "gateway/release/hold_moves.hpp"
#include "storage/passkey_store.hpp"
#include "workflows/eligibility.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>

namespace sallyport::people {
namespace {

constexpr std::string_view statement_purpose = "statement";
constexpr std::chrono::minutes signing_time{5};

webauthn::relying_party party(const call& c) { return {c.config().public_host, origin_of(c.config().public_url)}; }

struct proved {
    assurance by = assurance::session;
    storage::evidence evidence;
};

// What the passkey says of the statement; none given is a session's word.
result<proved> prove(storage::transaction& tx, const call& c, const message& m, std::string_view statement)
{
    proved p;
    p.evidence.statement = statement;
    p.evidence.channel = "inbox";
    const json::value* assertion = m.find("assertion");
    if (!assertion) return p;
    const auto read = webauthn::read_assertion(*assertion);
    if (!read) return read.error();
    const auto passkey = storage::passkey_store::find(tx, read->credential_id);
    if (!passkey || passkey->person != c.person->id) return fail(problem::bad_assertion, "The passkey is not one of yours.");
    if (read->user_handle && *read->user_handle != passkey->user_handle)
        return fail(problem::bad_assertion, "The passkey names somebody else.");
    const auto counter = webauthn::verify_assertion(*read, party(c), sha256(statement).view(), passkey->public_key);
    if (!counter) return counter.error();
    if (storage::passkey_store::count_up(tx, passkey->credential_id, *counter) == storage::race::lost)
        return fail(problem::bad_assertion, "The passkey's counter did not grow: it may have been copied.");
    p.by = assurance::passkey;
    p.evidence.authenticator_data = read->authenticator_data;
    p.evidence.client_data_json = read->client_data_json;
    p.evidence.signature = read->signature;
    p.evidence.credential_id = passkey->credential_id;
    p.evidence.public_key = passkey->public_key;
    return p;
}

}  // namespace

result<reply> make_statement(storage::transaction& tx, const call& c)
{
    const auto asked = message::read(c.body, {"decision", "reason", "grant", "break_glass"});
    if (!asked) return asked.error();
    const auto verb = asked->text("decision");
    if (!verb) return verb.error();
    const auto reason = read_reason(*asked);
    if (!reason) return reason.error();
    const auto decision = decision_named(verb->value_or(""));
    if (!decision) return fail(problem::malformed_request, "\"decision\" is approve or deny.");
    std::optional<grant_terms> terms;
    if (const json::value* grant = asked->find("grant"); grant && !grant->is(json::kind::null)) {
        auto read = read_terms(*grant);
        if (!read) return read.error();
        if (*decision == decision_kind::deny) return fail(problem::malformed_request, "A denial leaves no grant behind.");
        terms = std::move(*read);
    }

    const json::value* loud = asked->find("break_glass");
    if (loud && !loud->is(json::kind::boolean)) return fail(problem::malformed_request, "\"break_glass\" is true or false.");
    const bool break_glass = loud && loud->boolean();
    if (break_glass && (*decision != decision_kind::approve || reason->find_first_not_of(" \t\n") == std::string::npos))
        return fail(problem::malformed_request, "Breaking the glass is an approval, and needs a \"reason\".");
    if (break_glass && terms) return fail(problem::malformed_request, "A broken glass leaves no grant behind.");

    const auto held = readable_hold(tx, c, c.path[1], false);
    if (!held) return held.error();
    if (const auto may = break_glass ? may_break(c, *held) : may_decide(c, *held); !may) return may.error();

    besides also{.break_glass = break_glass, .grant = {}};
    if (terms) {
        const auto seen = grantable_hold(tx, c, *held);
        if (!seen) return seen.error();
        if (const auto fine = check_terms(*terms, *seen); !fine) return fine.error();
        also.grant = terms_text(*terms);
    }
    const std::string text = statement_for(c, *held, *decision, *reason, also);
    const digest hash = sha256(text);

    std::vector<webauthn::known_credential> mine;
    for (const auto& p : storage::passkey_store::list(tx, c.person->id)) mine.push_back({p.credential_id, p.transports});
    return json_reply(200, {{"statement", text},
                            {"sha256", hash.base64url()},
                            {"webauthn", webauthn::request_options(party(c), hash.view(), mine, signing_time)}});
}

result<reply> decide(storage::transaction& tx, const call& c)
{
    const auto given = message::read(c.body, {"statement", "assertion"});
    if (!given) return given.error();
    const auto text = given->text("statement");
    if (!text) return text.error();
    if (!*text) return fail(problem::malformed_request, "\"statement\" is missing.");
    if (const auto* assertion = given->find("assertion"); assertion && !assertion->is(json::kind::object))
        return fail(problem::malformed_request, "\"assertion\" is an object.");

    auto held = readable_hold(tx, c, c.path[1], true);
    if (!held) return held.error();
    // Who may break the glass need not be asked; only a statement of ours says that this is what it is about.
    const auto issued = read_statement(**text, c.around->statement_key.reveal());
    const bool break_glass = issued && issued->break_glass;
    if (const auto may = break_glass ? may_break(c, *held) : may_decide(c, *held); !may) return may.error();
    if (!issued) return refused_attempt(tx, c, *held, issued.error());
    if (issued->hold != held->hold.id || issued->approver != c.person->id)
        return refused_attempt(tx, c, *held, fail(problem::bad_assertion, "The statement is for another hold or another person."));
    const digest hash = sha256(**text);
    if (held->now >= issued->expires_at || storage::passkey_store::used(tx, hash.view()))
        return fail(problem::statement_stale, "The statement has expired or was used.");
    if (issued->slot && *issued->slot != next_slot(held->hold))
        return fail(problem::statement_stale, "Somebody else decided meanwhile: read the hold again.");

    // What goes on without anybody being asked is signed, whatever the workflow is content with.
    const auto needed = break_glass || !issued->grant.empty() ? assurance::passkey : held->hold.assurance_needed();
    if (!given->find("assertion") && needed > assurance::session)
        return fail(problem::assurance_too_low, "This decision needs " + std::string(name_of(needed)) + ": sign the statement.");
    // Before the proof: an answer that does not verify has used the challenge too.
    const storage::challenge once{std::string(hash.view()), std::string(statement_purpose), c.person->id, issued->expires_at};
    if (storage::passkey_store::use(tx, once) == storage::race::lost) return fail(problem::statement_stale, "The statement was used.");
    const auto proof = prove(tx, c, *given, **text);
    if (!proof) return refused_attempt(tx, c, *held, proof.error());

    decision given_now;
    given_now.kind = issued->decision;
    given_now.reason = issued->reason;
    given_now.assurance = proof->by;
    given_now.break_glass = break_glass;
    given_now.grant = issued->grant;
    return take_decision(tx, c, std::move(*held), std::move(given_now), proof->evidence);
}

result<reply> take_back(storage::transaction& tx, const call& c)
{
    auto held = readable_hold(tx, c, c.path[1], true);
    if (!held) return held.error();
    const auto which = decision_id::parse(c.path[3]);
    if (!which) return fail(problem::not_found, "This hold has no such decision.");
    auto moved = release::apply(tx, std::move(*held), happened::taken_back{*which, c.person->id}, c.directory());
    if (!moved) return moved.error();
    if (closed(moved->hold.hold.status)) return expired_meanwhile(moved->hold);
    record_decision(tx, c, moved->hold, {{"decision", which->text()}, {"taken_back", true}});
    return json_reply(200, {{"hold", shown(tx, c, std::move(moved->hold))}});
}

}  // namespace sallyport::people
