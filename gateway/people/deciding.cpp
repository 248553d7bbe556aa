#include "gateway/people/deciding.hpp"

#include "gateway/canonical/jcs.hpp"
#include "gateway/jose/random.hpp"
#include "gateway/people/pace.hpp"
#include "gateway/people/resources.hpp"
#include "gateway/people/statement.hpp"
#include "gateway/people/views.hpp"
#include "gateway/release/grants.hpp"
#include "gateway/release/hold_moves.hpp"
#include "storage/audit_store.hpp"
#include "workflows/eligibility.hpp"
#include "workflows/encoding.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace sallyport::people {
namespace {

constexpr std::size_t longest_reason = 2000;
constexpr std::size_t nonce_bytes = 16;

boost::json::object evidence_json(const decision& d, const storage::evidence& e)
{
    boost::json::object data{
        {"decision", d.id.text()},  {"verdict", name_of(d.kind)},
        {"reason", d.reason},       {"assurance", name_of(d.assurance)},
        {"statement", e.statement}, {"workflows", boost::json::array(d.counts_in.begin(), d.counts_in.end())},
    };
    if (!d.in_place_of.empty()) data["in_place_of"] = boost::json::array(d.in_place_of.begin(), d.in_place_of.end());
    if (d.break_glass) data["break_glass"] = true;
    if (d.assurance == assurance::passkey) {
        data["authenticatorData"] = base64url(e.authenticator_data);
        data["clientDataJSON"] = base64url(e.client_data_json);
        data["signature"] = base64url(e.signature);
        data["credential"] = base64url(e.credential_id);
        data["key"] = base64(e.public_key);  // SubjectPublicKeyInfo
    }
    data["fast"] = d.fast ? boost::json::value(*d.fast) : boost::json::value(nullptr);
    if (e.channel != "inbox") {
        data["channel"] = e.channel;
        data["evidence"] = e.channel_evidence;
    }
    return data;
}

}  // namespace

reply expired_meanwhile(const storage::stored_hold& h)
{
    reply r = problem_reply(fail(problem::hold_closed, "This hold has expired."));
    r.closed.push_back(h.hold);
    return r;
}

void record_decision(storage::transaction& tx, const call& c, const storage::stored_hold& h, const boost::json::object& data)
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

// Session and hold were looked at; then in this order: is it open, may this person.
result<void> may_decide(const call& c, const storage::stored_hold& h)
{
    if (h.hold.status != hold_status::held) return fail(problem::hold_closed, "This hold is " + std::string(name_of(h.hold.status)) + ".");
    if (h.now >= h.hold.expires_at) return fail(problem::hold_closed, "This hold has expired.");
    if (auto why = why_not(h.hold, c.directory(), *c.person, h.now)) return fail(problem::not_eligible, std::move(*why));
    return {};
}

result<void> may_break(const call& c, const storage::stored_hold& h)
{
    if (h.hold.status != hold_status::held) return fail(problem::hold_closed, "This hold is " + std::string(name_of(h.hold.status)) + ".");
    if (h.now >= h.hold.expires_at) return fail(problem::hold_closed, "This hold has expired.");
    if (auto broken = may_break_glass(h.hold, c.directory(), *c.person, h.now); !broken.why_not.empty())
        return fail(problem::not_eligible, std::move(broken.why_not));
    return {};
}

result<void> check_reason(std::string_view text)
{
    if (text.size() > longest_reason) return fail(problem::malformed_request, "\"reason\" is longer than 2000 bytes.");
    // It is shown to agents, on pages and in terminals.
    const bool controls = std::any_of(text.begin(), text.end(),
                                      [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f; });
    if (controls) return fail(problem::malformed_request, "\"reason\" has control characters other than line ends and tabs.");
    return {};
}

result<std::string> read_reason(const message& m)
{
    auto reason = m.text("reason");
    if (!reason) return reason.error();
    std::string text = reason->value_or("");
    if (const auto fine = check_reason(text); !fine) return fine.error();
    return text;
}

std::string statement_for(const call& c, const storage::stored_hold& held, decision_kind kind, const std::string& reason,
                          const besides& also)
{
    const agent* who = c.directory().find(held.hold.agent);
    statement_request request;
    request.decision = kind;
    request.reason = reason;
    request.break_glass = also.break_glass;
    request.grant = also.grant;
    request.issued_at = held.now;
    request.expires_at = std::min(held.now + c.config().limits.statement, held.hold.expires_at);
    request.random = random_bytes(nonce_bytes);
    return write_statement(held, who ? who->name : std::string(), *c.person, request, c.around->statement_key.reveal());
}

// The attempt is in the record, and nothing else of it.
reply refused_attempt(storage::transaction& tx, const call& c, const storage::stored_hold& h, const failure& why)
{
    record_decision(tx, c, h, {{"refused", facts(why.what).name}, {"detail", why.detail}});
    return problem_reply(why);
}

result<reply> take_decision(storage::transaction& tx, const call& c, storage::stored_hold held, decision given, storage::evidence evidence)
{
    given.id = decision_id::make(held.now, random10());
    given.by = c.person->id;
    given.fast = decided_fast(tx, c, held);
    const duration window = c.config().limits.release_window;
    event what = happened::decided{given, window};
    if (given.break_glass) what = happened::glass_broken{given, window};
    auto moved = release::apply(tx, std::move(held), what, c.directory());
    if (!moved) return moved.error();
    const storage::stored_hold& now = moved->hold;
    const decision* written = now.hold.decided_by(c.person->id);
    if (!written) return expired_meanwhile(now);

    evidence.decision = written->id;
    storage::evidence_store::put(tx, evidence);
    record_decision(tx, c, now, evidence_json(*written, evidence));
    release::leave_grant(tx, now, c.person->id);
    reply r = json_reply(201, {{"decision", decision_json(*written, c.directory())}, {"hold", shown(tx, c, now)}});
    r.decided = *written;
    if (written->break_glass) r.glass_broken = now.hold;
    if (now.hold.status == hold_status::approved) r.approved = now.hold.id;
    if (closed(now.hold.status)) r.closed.push_back(now.hold);
    return r;
}

}  // namespace sallyport::people
