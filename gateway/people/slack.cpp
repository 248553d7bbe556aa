#include "gateway/people/slack.hpp"

#include "gateway/canonical/jcs.hpp"
#include "gateway/canonical/sha256.hpp"
#include "gateway/identity/decision_token.hpp"
#include "gateway/people/deciding.hpp"
#include "gateway/people/resources.hpp"
#include "notifiers/slack_private.hpp"
#include "storage/passkey_store.hpp"
#include "storage/person_store.hpp"
#include "storage/slack_store.hpp"
#include "workflows/eligibility.hpp"

#include <boost/json/object.hpp>

#include <utility>
#include <variant>

namespace sallyport::people {
namespace {

using notifiers::slack_note;

constexpr std::string_view click_purpose = "slack click";
constexpr std::string_view channel_name = "slack";
// A list is an answer, not a search: so many open holds are looked at.
constexpr std::size_t rows_at_once = 100;
constexpr int most_readings = 10;

reply silence()
{
    reply r;
    r.media_type.clear();
    return r;
}

reply json_text(std::string text)
{
    reply r;
    r.body = std::move(text);
    return r;
}

std::string page_of(const call& c, const hold_id& id) { return c.config().public_url + "/holds/" + id.text(); }

slack_note connect_first(const call& c, const slack_account& who, time_point now)
{
    if (who.team.empty()) return {"Slack did not say of which workspace you are, so nothing can be done from here."};
    return {"Your Slack account is not connected to you in Sallyport yet. Open this within ten minutes, and sign in.",
            slack_link(c, who, now), "Connect"};
}

// --- deciding ---------------------------------------------------------------------------------------------------------------

/// What stands between a button and a decision, in the order in which it is asked.
struct pressed {
    call as;  // the call, by the person
    storage::stored_hold held;
    std::string token;
    time_point token_ends;
};

/// Whoever may not is told why in one sentence.
using pressed_or_not = std::variant<pressed, slack_note>;

// As the card says it (notify/notices.cpp): for a copy of it that nobody could bring up to date.
std::string how_it_ended(const hold& h, const directory& people)
{
    notifiers::notice n;
    n.status = h.status;
    n.reason = h.reason_given();
    if (h.outcome) n.upstream_status = h.outcome->status;
    for (const decision& d : h.decisions) {
        if (h.denied() && d.kind != decision_kind::deny) continue;
        const person* by = people.find(d.by);
        n.decided_by.push_back(by ? by->name : d.by.text());
    }
    return outcome_sentence(n);
}

pressed_or_not look(storage::transaction& tx, const call& c, const slack_account& who, std::string_view button, bool lock)
{
    const slack_note foreign{"This is none of Sallyport's buttons, or not one of this gateway."};
    const auto meant = notifiers::slack_decision::parse(button);
    const auto token = meant ? identity::read_decision_token(meant->token, c.around->decision_key.reveal()) : std::nullopt;
    if (!token || token->channel != channel_name || token->hold != meant->hold) return foreign;

    const auto known = storage::slack_store::find(tx, who.team, who.user);
    if (!known) return connect_first(c, who, tx.now());
    if (known->person != token->person) return slack_note{"This request was sent to somebody else."};
    pressed p{c, {}, meant->token, token->expires_at};
    p.as.person = storage::person_store::by_id(tx, known->person);
    if (!p.as.person || p.as.person->status != person_status::active) return slack_note{"Your account in Sallyport is disabled."};
    auto held = readable_hold(tx, p.as, meant->hold.text(), lock);
    if (!held) return slack_note{"There is no such request any more."};
    p.held = std::move(*held);
    if (p.held.hold.status != hold_status::held) return slack_note{how_it_ended(p.held.hold, c.directory()), page_of(c, p.held.hold.id)};
    return p;
}

slack_note in_words(const failure& why, const call& c, const hold_id& id)
{
    return {why.detail.empty() ? std::string(facts(why.what).title) : why.detail, page_of(c, id)};
}

struct decided {
    reply http;  // for what is to be done once it is committed
    std::optional<slack_note> no;
    hold now;
};

// Locked, and may be pressed as far as `look` asks.
result<decided> decide_by_click(storage::transaction& tx, pressed p, decision_kind kind, const std::string& reason,
                                std::string evidence_text)
{
    const hold_id id = p.held.hold.id;
    const auto refused = [&](const failure& why) { return decided{{}, in_words(why, p.as, id), p.held.hold}; };
    if (const auto may = may_decide(p.as, p.held); !may) return refused(may.error());
    const digest hash = sha256(p.token);
    if (p.held.now >= p.token_ends || storage::passkey_store::used(tx, hash.view()))
        return refused(fail(problem::statement_stale, "This button was used, or its time is over."));
    const auto needed = p.held.hold.assurance_needed();
    if (needed > assurance::click) {
        const failure why =
            fail(problem::assurance_too_low, "This decision needs more than a click: " + std::string(name_of(needed)) + ".");
        refused_attempt(tx, p.as, p.held, why);
        return refused(why);
    }
    const storage::challenge once{std::string(hash.view()), std::string(click_purpose), p.as.person->id, p.token_ends};
    if (storage::passkey_store::use(tx, once) == storage::race::lost)
        return refused(fail(problem::statement_stale, "This button was used."));

    decision given;
    given.kind = kind;
    given.reason = reason;
    given.assurance = assurance::click;
    storage::evidence evidence;
    evidence.statement = statement_for(p.as, p.held, kind, reason);
    evidence.channel = channel_name;
    evidence.channel_evidence = std::move(evidence_text);
    auto done = take_decision(tx, p.as, p.held, std::move(given), std::move(evidence));
    if (!done) return done.error();
    const auto now = storage::hold_store::get(tx, id);
    decided d{std::move(*done), std::nullopt, now ? now->hold : p.held.hold};
    // Its time was over by the time of the step: that is committed.
    if (d.http.status != 201) d.no = slack_note{"This request has expired.", page_of(p.as, id)};
    return d;
}

// The signature is a MAC: it tells nothing of its key.
boost::json::object evidence_of(const from_slack& r, const slack_account& who)
{
    boost::json::object o{{"team", who.team}, {"user", who.user}, {"body_sha256", r.body.base64url()}};
    if (r.envelope.empty()) {
        o["signed_at"] = r.timestamp;
        o["signature"] = r.signature;
    } else {
        o["envelope"] = r.envelope;
    }
    return o;
}

slack_outcome answered(reply to_slack, reply&& done)
{
    to_slack.approved = done.approved;
    to_slack.closed = std::move(done.closed);
    to_slack.decided = std::move(done.decided);
    return {std::move(to_slack)};
}

// --- clicks, dialogs, commands ------------------------------------------------------------------------------------------------

result<slack_outcome> on_click(storage::transaction& tx, const call& c, const from_slack& r, const notifiers::slack_click& click)
{
    const bool approves = click.action_id == notifiers::slack_approve_action;
    if (!approves && click.action_id != notifiers::slack_deny_action) return slack_outcome{silence()};
    const slack_account who{click.team, click.user, click.team_domain, click.user_name};
    const auto whisper = [&](slack_note note) { return notifiers::slack_whispering{click.channel, click.user, std::move(note)}; };
    auto looked = look(tx, c, who, click.value, approves);
    if (auto* no = std::get_if<slack_note>(&looked)) return slack_outcome{silence(), {whisper(std::move(*no))}};
    auto& p = std::get<pressed>(looked);

    if (!approves) {
        if (const auto may = may_decide(p.as, p.held); !may)
            return slack_outcome{silence(), {whisper(in_words(may.error(), c, p.held.hold.id))}};
        const auto& reasons = p.held.hold.reasons;
        const bool said = !reasons.empty() && !reasons.front().summary.empty();
        notifiers::slack_asking ask{
            *notifiers::slack_decision::parse(click.value),
            said ? reasons.front().summary : p.held.action.method + ' ' + p.held.action.target, click.trigger_id,
            whisper({"The dialog could not be opened. Press again, or deny it on its page.", page_of(c, p.held.hold.id)})};
        return slack_outcome{silence(), {std::move(ask)}};
    }

    boost::json::object evidence = evidence_of(r, who);
    evidence["action"] = click.action_id;
    evidence["action_ts"] = click.action_ts;
    evidence["channel"] = click.channel;
    evidence["message_ts"] = click.message_ts;
    auto done = decide_by_click(tx, std::move(p), decision_kind::approve, {}, jcs(evidence));
    if (!done) return done.error();
    slack_outcome out = answered(silence(), std::move(done->http));
    // The card itself tells of an end; until then this is all that the person sees of it.
    if (done->no)
        out.errands.emplace_back(whisper(std::move(*done->no)));
    else if (done->now.status == hold_status::held)
        out.errands.emplace_back(whisper({"Your approval is in: " + std::to_string(done->now.approvals_given()) + " of " +
                                          std::to_string(done->now.approvals_needed()) + "."}));
    return out;
}

result<slack_outcome> on_submission(storage::transaction& tx, const call& c, const from_slack& r, const notifiers::slack_submission& given)
{
    if (given.callback_id != notifiers::slack_deny_dialog) return slack_outcome{silence()};
    const auto no = [](const slack_note& note) {
        return slack_outcome{json_text(notifiers::slack_dialog_error(note.link.empty() ? note.text : note.text + ' ' + note.link))};
    };
    if (given.reason.empty()) return no({"Say why: the agent is told this."});
    if (const auto fine = check_reason(given.reason); !fine) return no({fine.error().detail});
    const slack_account who{given.team, given.user, {}, {}};
    auto looked = look(tx, c, who, given.private_metadata, true);
    if (const auto* why = std::get_if<slack_note>(&looked)) return no(*why);

    boost::json::object evidence = evidence_of(r, who);
    evidence["action"] = given.callback_id;
    auto done = decide_by_click(tx, std::move(std::get<pressed>(looked)), decision_kind::deny, given.reason, jcs(evidence));
    if (!done) return done.error();
    if (done->no) {
        slack_outcome out = no(*done->no);
        return answered(std::move(out.answer), std::move(done->http));
    }
    return answered(silence(), std::move(done->http));  // which closes the dialog
}

result<slack_outcome> on_command(storage::transaction& tx, const call& c, const notifiers::slack_command& command)
{
    const auto say = [](const slack_note& note) { return slack_outcome{json_text(notifiers::slack_answer_note(note))}; };
    const auto known = storage::slack_store::find(tx, command.team, command.user);
    if (!known) return say(connect_first(c, {command.team, command.user, command.team_domain, command.user_name}, tx.now()));
    const auto who = storage::person_store::by_id(tx, known->person);
    if (!who || who->status != person_status::active) return say({"Your account in Sallyport is disabled."});

    std::vector<notifiers::slack_waiting> all;
    bool more = true;
    std::optional<hold_id> after;
    for (int reading = 0; more && reading < most_readings && all.size() <= notifiers::slack_longest_list; ++reading) {
        const auto rows = storage::hold_store::open(tx, rows_at_once, after);
        more = rows.size() == rows_at_once;
        for (const auto& row : rows) {
            after = row.hold.id;
            if (row.now >= row.hold.expires_at || why_not(row.hold, c.directory(), *who, row.now)) continue;
            const agent* by = c.directory().find(row.hold.agent);
            const auto& reasons = row.hold.reasons;
            const bool said = !reasons.empty() && !reasons.front().summary.empty();
            all.push_back({said ? reasons.front().summary : row.action.method + ' ' + row.action.target,
                           by ? by->name : std::string("an agent"), row.hold.expires_at - row.now, page_of(c, row.hold.id)});
        }
    }
    return slack_outcome{json_text(notifiers::slack_answer_list(all, more, c.config().public_url + "/"))};
}

}  // namespace

result<slack_outcome> answer_slack(storage::transaction& tx, const call& c, const from_slack& r)
{
    if (r.signed_at && !notifiers::slack_recent(*r.signed_at, tx.now()))
        return fail(problem::unauthenticated, "This was not signed by Slack just now.");
    if (const auto* click = std::get_if<notifiers::slack_click>(&r.what)) return on_click(tx, c, r, *click);
    if (const auto* given = std::get_if<notifiers::slack_submission>(&r.what)) return on_submission(tx, c, r, *given);
    if (const auto* command = std::get_if<notifiers::slack_command>(&r.what)) return on_command(tx, c, *command);
    return slack_outcome{silence()};
}

}  // namespace sallyport::people
