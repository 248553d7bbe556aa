#include "gateway/notify/notices.hpp"

#include "gateway/identity/decision_token.hpp"
#include "workflows/eligibility.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace sallyport::notify {
namespace {

using storage::message_kind;
using storage::outbox_state;

constexpr duration end_waits = std::chrono::seconds(1);

// Who may not decide any more is not asked, and who may not read it is told nothing.
std::optional<not_needed> superfluous(message_kind what, const hold& h, const person* who, const directory& people, time_point now)
{
    if (what == message_kind::ended || what == message_kind::glass_broken) {
        if (who && !may_read(h, people, *who, now)) return not_needed{"the person may not read it any more"};
        return std::nullopt;
    }
    if (h.status != hold_status::held) return not_needed{"it was over before it could be told"};
    if (who && h.decided_by(who->id)) return not_needed{"the person has decided already"};
    if (who && why_not(h, people, *who, now)) return not_needed{"the person may not decide it any more"};
    return std::nullopt;
}

notifiers::notice::kind kind_of(message_kind what)
{
    switch (what) {
    case message_kind::asked: return notifiers::notice::kind::asked;
    case message_kind::reminded: return notifiers::notice::kind::reminded;
    case message_kind::ended: return notifiers::notice::kind::ended;
    case message_kind::glass_broken: return notifiers::notice::kind::glass_broken;
    }
    return notifiers::notice::kind::asked;
}

std::vector<std::string> names_of_deciders(const hold& h, const directory& people)
{
    std::vector<std::string> names;
    for (const decision& d : h.decisions) {
        // Of a denial, who denied; the approvals before it decided nothing.
        if (h.denied() && d.kind != decision_kind::deny) continue;
        const person* who = people.find(d.by);
        names.push_back((who ? who->name : d.by.text()) + (d.break_glass ? " (break-glass)" : ""));
    }
    return names;
}

notifiers::notice notice_of(const storage::stored_hold& stored, const directory& people, std::string_view public_url)
{
    const hold& h = stored.hold;
    notifiers::notice n;
    n.hold = h.id;
    n.action = h.action;
    n.status = h.status;
    for (const reason& r : h.reasons) n.reasons.push_back({r.rule, r.summary});
    const agent* by = people.find(h.agent);
    n.agent = by ? by->name : h.agent.text();
    n.owner = h.owner.text();
    n.route = h.route;
    n.method = stored.action.method;
    n.authority = stored.action.authority;
    n.target = stored.action.target;
    for (const demand& d : h.demands) n.workflows.push_back(d.asks.name);
    n.approvals_needed = h.approvals_needed();
    n.approvals_given = h.approvals_given();
    n.assurance = h.assurance_needed();
    n.created_at = h.created_at;
    n.expires_at = h.expires_at;
    n.closed_at = h.closed_at;
    n.decided_by = names_of_deciders(h, people);
    n.reason = h.reason_given();
    if (const decision* broken = h.glass_broken()) {
        const person* who = people.find(broken->by);
        n.glass_broken_by = who ? who->name : broken->by.text();
        n.reason = broken->reason;
    }
    if (h.outcome) n.upstream_status = h.outcome->status;
    n.link.append(public_url).append("/holds/").append(h.id.text());
    return n;
}

}  // namespace

composition compose(const storage::outbox_entry& message, const std::optional<storage::outbox_entry>& asked,
                    const std::optional<storage::stored_hold>& stored, const directory& people, const composing& with)
{
    if (!stored) return not_needed{"its hold is not there"};
    const person* who = message.person ? people.find(*message.person) : nullptr;
    if (message.person && !who) return not_needed{"the person is not there"};
    if (const auto no = superfluous(message.what, stored->hold, who, people, with.now)) return *no;
    // That the glass was broken is told to those who were never asked, too, and does not wait for anything.
    if (message.what != message_kind::asked && message.what != message_kind::glass_broken) {
        if (!asked || asked->state == outbox_state::skipped || asked->state == outbox_state::dead) return not_needed{"nobody was asked"};
        if (asked->state == outbox_state::pending && message.what == message_kind::reminded)
            return not_needed{"the question is still on its way"};
        if (asked->state == outbox_state::pending) return too_early{std::max(with.now, asked->next_at) + end_waits};
    }
    notifiers::notice n = notice_of(*stored, people, with.public_url);
    n.key = message.key;
    n.told_at = with.now;
    n.what = kind_of(message.what);
    if (who) n.to = notifiers::recipient{who->id, who->handle, who->name, who->email, {}};
    if (asked) n.earlier_ref = asked->message_ref;
    // More than a click is asked for on the page alone.
    const bool answers = message.channel == "email" || (message.channel == "slack" && with.slack_answers);
    if (who && answers && (message.what == message_kind::asked || message.what == message_kind::reminded) &&
        n.assurance == assurance::click && !with.decision_key.empty()) {
        n.decision_token = identity::write_decision_token({n.hold, who->id, n.expires_at, message.channel}, with.decision_key);
        if (message.channel == "email") n.link = std::string(with.public_url) + "/d/" + n.decision_token;
    }
    return n;
}

}  // namespace sallyport::notify
