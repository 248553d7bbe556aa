// Deciding a hold: the statement to sign, the decision over it, and taking it back (semantics.md, "Deciding").
#include "gateway/canonical/jcs.hpp"
#include "gateway/canonical/sha256.hpp"
#include "gateway/jose/random.hpp"
#include "gateway/people/request.hpp"
#include "gateway/people/resources.hpp"
#include "gateway/people/statement.hpp"
#include "gateway/people/views.hpp"
#include "gateway/people/webauthn.hpp"
#include "gateway/release/hold_moves.hpp"
#include "storage/audit_store.hpp"
#include "storage/evidence_store.hpp"
#include "storage/passkey_store.hpp"
#include "workflows/eligibility.hpp"
#include "workflows/encoding.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>

namespace sallyport::people {
namespace {

constexpr std::string_view statement_purpose = "statement";
constexpr std::size_t longest_reason = 2000;
constexpr std::size_t nonce_bytes = 16;
constexpr std::chrono::minutes signing_time{5};

webauthn::relying_party party(const call& c) { return {c.config().public_host, origin_of(c.config().public_url)}; }

// Session and hold were looked at; then in this order: is it open, may this person.
result<void> may_decide(const call& c, const storage::stored_hold& h)
{
    if (h.hold.status != hold_status::held) return fail(problem::hold_closed, "This hold is " + std::string(name_of(h.hold.status)) + ".");
    if (h.now >= h.hold.expires_at) return fail(problem::hold_closed, "This hold has expired.");
    if (auto why = why_not(h.hold, c.directory(), *c.person)) return fail(problem::not_eligible, std::move(*why));
    return {};
}

void record(storage::transaction& tx, const call& c, const storage::stored_hold& h, const boost::json::object& data)
{
    storage::audit_entry entry;
    entry.at = h.now;
    entry.kind = "decision";
    entry.action = h.hold.action;
    entry.hold = h.hold.id;
    entry.agent = h.hold.agent;
    entry.person = c.person->id;
    entry.data = jcs(data);
    storage::audit_store::append(tx, entry);
}

// The attempt is in the record, and nothing else of it.
reply refused_attempt(storage::transaction& tx, const call& c, const storage::stored_hold& h, const failure& why)
{
    record(tx, c, h, {{"refused", facts(why.what).name}, {"detail", why.detail}});
    return problem_reply(why);
}

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

result<std::string> read_reason(const message& m)
{
    auto reason = m.text("reason");
    if (!reason) return reason.error();
    const std::string text = reason->value_or("");
    if (text.size() > longest_reason) return fail(problem::malformed_request, "\"reason\" is longer than 2000 bytes.");
    // It is shown to agents, on pages and in terminals.
    const bool controls = std::any_of(text.begin(), text.end(),
                                      [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f; });
    if (controls) return fail(problem::malformed_request, "\"reason\" has control characters other than line ends and tabs.");
    return text;
}

boost::json::object evidence_json(const decision& d, const storage::evidence& e)
{
    boost::json::object data{
        {"decision", d.id.text()},  {"verdict", name_of(d.kind)},
        {"reason", d.reason},       {"assurance", name_of(d.assurance)},
        {"statement", e.statement}, {"workflows", boost::json::array(d.counts_in.begin(), d.counts_in.end())},
    };
    if (d.assurance == assurance::passkey) {
        data["authenticatorData"] = base64url(e.authenticator_data);
        data["clientDataJSON"] = base64url(e.client_data_json);
        data["signature"] = base64url(e.signature);
        data["credential"] = base64url(e.credential_id);
        data["key"] = base64(e.public_key);  // SubjectPublicKeyInfo
    }
    return data;
}

// The step found its time over and closed it: that is committed, and the answer is no.
reply expired_meanwhile(const storage::stored_hold& h)
{
    reply r = problem_reply(fail(problem::hold_closed, "This hold has expired."));
    r.closed.push_back(h.hold);
    return r;
}

}  // namespace

result<reply> make_statement(storage::transaction& tx, const call& c)
{
    const auto asked = message::read(c.body, {"decision", "reason", "grant"});
    if (!asked) return asked.error();
    const auto verb = asked->text("decision");
    if (!verb) return verb.error();
    const auto reason = read_reason(*asked);
    if (!reason) return reason.error();
    const auto decision = decision_named(verb->value_or(""));
    if (!decision) return fail(problem::malformed_request, "\"decision\" is approve or deny.");
    if (asked->find("grant")) return fail(problem::malformed_request, "Grants are not part of this release: leave \"grant\" out.");

    const auto held = readable_hold(tx, c, c.path[1], false);
    if (!held) return held.error();
    if (const auto may = may_decide(c, *held); !may) return may.error();

    const agent* who = c.directory().find(held->hold.agent);
    statement_request request;
    request.decision = *decision;
    request.reason = *reason;
    request.issued_at = held->now;
    request.expires_at = std::min(held->now + c.config().limits.statement, held->hold.expires_at);
    request.random = random_bytes(nonce_bytes);
    const std::string text = write_statement(*held, who ? who->name : std::string(), *c.person, request, c.around->statement_key.reveal());
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
    if (const auto may = may_decide(c, *held); !may) return may.error();

    const auto issued = read_statement(**text, c.around->statement_key.reveal());
    if (!issued) return refused_attempt(tx, c, *held, issued.error());
    if (issued->hold != held->hold.id || issued->approver != c.person->id)
        return refused_attempt(tx, c, *held, fail(problem::bad_assertion, "The statement is for another hold or another person."));
    const digest hash = sha256(**text);
    if (held->now >= issued->expires_at || storage::passkey_store::used(tx, hash.view()))
        return fail(problem::statement_stale, "The statement has expired or was used.");
    if (issued->slot && *issued->slot != next_slot(held->hold))
        return fail(problem::statement_stale, "Somebody else decided meanwhile: read the hold again.");

    const auto needed = held->hold.assurance_needed();
    if (!given->find("assertion") && needed > assurance::session)
        return fail(problem::assurance_too_low, "This decision needs " + std::string(name_of(needed)) + ": sign the statement.");
    // Before the proof: an answer that does not verify has used the challenge too.
    const storage::challenge once{std::string(hash.view()), std::string(statement_purpose), c.person->id, issued->expires_at};
    if (storage::passkey_store::use(tx, once) == storage::race::lost) return fail(problem::statement_stale, "The statement was used.");
    const auto proof = prove(tx, c, *given, **text);
    if (!proof) return refused_attempt(tx, c, *held, proof.error());

    decision made;
    made.id = decision_id::make(held->now, random10());
    made.by = c.person->id;
    made.kind = issued->decision;
    made.reason = issued->reason;
    made.assurance = proof->by;
    auto moved = release::apply(tx, std::move(*held), happened::decided{made, c.config().limits.release_window}, c.directory());
    if (!moved) return moved.error();
    const storage::stored_hold& now = moved->hold;
    const decision* written = now.hold.decided_by(c.person->id);
    if (!written) return expired_meanwhile(now);

    storage::evidence evidence = proof->evidence;
    evidence.decision = written->id;
    storage::evidence_store::put(tx, evidence);
    record(tx, c, now, evidence_json(*written, evidence));
    reply r = json_reply(201, {{"decision", decision_json(*written, c.directory())}, {"hold", shown(tx, c, now)}});
    if (now.hold.status == hold_status::approved) r.approved = now.hold.id;
    if (closed(now.hold.status)) r.closed.push_back(now.hold);
    return r;
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
    record(tx, c, moved->hold, {{"decision", which->text()}, {"taken_back", true}});
    return json_reply(200, {{"hold", shown(tx, c, std::move(moved->hold))}});
}

}  // namespace sallyport::people
