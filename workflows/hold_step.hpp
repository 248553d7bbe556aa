// The hold's state machine: what happened goes in, the hold as it is then and what must be done come out. Pure: no
// clock, no database, no randomness. The shell reads the hold, steps, and writes state and effects in one transaction
// under the hold's version; whoever loses that race reads and steps again.
//
//     ┌────granted────┐
//   held ──decided──→ approved ──claimed──→ releasing ──answered──→ released
//    │                   ↑  └─ sent_nothing ──┘  └──── lost ──────→ unknown
//    └→ denied, expired, withdrawn, undeliverable, void (approved too: withdrawn, void)
//
// `lost` of an idempotent upstream is `approved` once more. What may have been sent is never void or withdrawn: each of its
// ends without an answer is `unknown` (semantics.md, "Approved, but nothing could be sent").
#pragma once

#include "workflows/directory.hpp"
#include "workflows/hold.hpp"
#include "workflows/problem.hpp"
#include "workflows/recent_asks.hpp"

#include <string>
#include <variant>
#include <vector>

namespace sallyport {

namespace happened {

/// It was made: the first steps begin. Once, before the hold is stored.
struct opened {};
/// A grant covers it, and was used for it: nobody is asked. In place of `opened`.
struct granted {
    grant_id by;
    duration release_window = std::chrono::seconds(60);  // limits.release_window
};
/// Its `wake_at` has come: a step begins, a shift changes, or it is over.
struct woke {};
/// `given` has id, by, kind, reason and assurance; the step fills in the rest. Who calls this has proved
/// the assurance.
struct decided {
    decision given;
    duration release_window = std::chrono::seconds(60);  // limits.release_window
};
/// Somebody who is named for that approves alone: `given` as in `decided`, with a reason, by passkey. Neither steps nor quorum nor
/// `not` count; a denial and the deadline do.
struct glass_broken {
    decision given;
    duration release_window = std::chrono::seconds(60);  // limits.release_window
};
/// The person who decided takes it back.
struct taken_back {
    decision_id which;
    person_id by;
};
/// By its agent.
struct withdrawn {};
/// Policy, agent, owner, budget or credential no longer stand behind it; `why` becomes the hold's detail.
struct voided {
    std::string why;
};
/// A releaser has it and is about to send.
struct claimed {};
/// Not a byte was sent, this time.
struct sent_nothing {
    std::string why;
};
/// A whole well-formed answer came.
struct answered {
    int status = 0;
};
/// Something was or may have been sent, and no whole answer was seen.
struct lost {
    std::string why;
    bool again = false;  // the upstream is idempotent: it may be sent once more
};
/// The local administrator denies it from a terminal.
struct denied_by_operator {
    std::string reason;
};

}  // namespace happened

using event = std::variant<happened::opened, happened::granted, happened::woke, happened::decided, happened::glass_broken,
                           happened::taken_back, happened::withdrawn, happened::voided, happened::claimed, happened::sent_nothing,
                           happened::answered, happened::lost, happened::denied_by_operator>;

namespace effects {

/// A step has begun, or a schedule that it names has changed hands: these people are to know by its channels. Some may know already,
/// by this channel or another: nobody is told twice by one, which the key of a message sees to.
struct tell_people {
    hold_id hold;
    std::vector<person_id> people;
    std::vector<std::string> via;  // channels besides the inbox
};
/// These people were told, and have not decided.
struct remind_people {
    hold_id hold;
    std::vector<person_id> people;
    std::vector<std::string> via;  // channels besides the inbox
};
/// They would have been told, and were asked too often already.
struct pass_over {
    hold_id hold;
    std::vector<passed_over> people;
};
/// Somebody has approved alone: everybody whom it concerns is told, by every channel of the workflows.
struct tell_glass_broken {
    hold_id hold;
    std::vector<person_id> people;
    std::vector<std::string> via;  // channels besides the inbox
};
/// Whoever looks at it (agent, pages, messages sent before) should look again.
struct tell_changed {
    hold_id hold;
};
/// It is approved and may be sent now.
struct release_action {
    hold_id hold;
};

}  // namespace effects

using effect = std::variant<effects::tell_people, effects::remind_people, effects::pass_over, effects::tell_glass_broken,
                            effects::tell_changed, effects::release_action>;

struct moved {
    hold next;  // with the next version
    std::vector<effect> effects;
};
struct refused {
    problem what = problem::hold_closed;
    std::string detail;
};
struct unchanged {};

using outcome = std::variant<moved, refused, unchanged>;

/// Whether a hold ever goes from one to the other; no status follows itself here.
bool may_follow(hold_status from, hold_status to) noexcept;

/// A new hold, before `opened`. `expires_at` = `created_at` + the sum of every `for` of its workflow; of several
/// workflows the smallest sum, because one that has expired can no longer be satisfied. Where a step says `within`, `opened`
/// gives what the calendar does.
hold make_hold(hold_id, action_id, const agent&, std::string route, std::vector<reason>, std::vector<workflow> demanded, time_point now);

/// The place, from 1, that the next approval would fill (wire.md "The statement's members": `slot`).
int next_slot(const hold&) noexcept;

/// A step goes past whoever is tired, as long as others who are not told yet remain, in it or in a later one that is open now, and the
/// workflow can be satisfied without those it goes past. Else it tells everybody: a cap never leaves a hold without people.
outcome step(const hold&, const event&, const directory&, time_point now, const recent_asks& = {});

}  // namespace sallyport
