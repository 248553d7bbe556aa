// The state machine of a hold: step(hold, event, …) says what the hold becomes and who must be told. It reads no clock
// and touches nothing; whoever calls it writes hold and effects in one transaction, under the version that it read.
#pragma once

#include "workflows/directory.hpp"
#include "workflows/hold.hpp"
#include "workflows/result.hpp"

#include <span>
#include <string>
#include <variant>
#include <vector>

namespace sallyport {

namespace hold_event {
/// It was made: the first step begins.
struct opened {};
/// Its wake_at has come, or later.
struct woke {};
/// A person decided; `decided.counts_in` is ignored and made here. `release_window` bounds how long sending is tried.
struct decided {
    decision made;
    duration release_window{};
};
/// Somebody takes their own decision back.
struct taken_back {
    decision_id which;
    person_id by;
};
/// The agent does not want it any more.
struct withdrawn {};
/// The administrator of the machine refuses it.
struct denied_by_operator {
    decision_id id;
    std::string reason;
};
/// Policy, agent, owner, route or credential no longer stand behind it.
struct voided {
    std::string why;
};
/// The releaser takes it: from here on something may have been sent.
struct claimed {};
/// Nothing could be sent.
struct sent_nothing {
    std::string why;
};
/// The upstream gave a whole, well-formed answer.
struct answered {
    int status = 0;
};
/// Something was sent, and no such answer came.
struct lost {
    std::string why;
};
}  // namespace hold_event

using any_hold_event = std::variant<hold_event::opened, hold_event::woke, hold_event::decided, hold_event::taken_back,
                                    hold_event::withdrawn, hold_event::denied_by_operator, hold_event::voided, hold_event::claimed,
                                    hold_event::sent_nothing, hold_event::answered, hold_event::lost>;

namespace hold_effect {
/// These people are asked from now on, and were not before.
struct ask {
    std::vector<person_id> people;
};
/// The releaser has something to do.
struct release {};
}  // namespace hold_effect

using any_hold_effect = std::variant<hold_effect::ask, hold_effect::release>;

/// The hold as it becomes; its version is still the one that was read.
struct moved {
    hold next;
    std::vector<any_hold_effect> effects;
};
/// The event is nothing to this hold, in its state: an answer, not a mistake.
struct unchanged {};
/// Whoever caused the event must be told no.
struct refused {
    failure why;
};
using step_outcome = std::variant<moved, unchanged, refused>;

step_outcome step(const hold&, const any_hold_event&, const directory&, time_point now);

/// A hold that has not been opened yet. `expires_at` is `now` and the sum of every `for`, of the shortest of its
/// workflows: when that one's time has passed it can no longer be satisfied.
struct new_hold_facts {
    hold_id id;
    action_id action;
    agent_id agent;
    owner_name owner;
    std::string route;
    std::vector<reason> reasons;
    std::vector<workflow> workflows;
};
hold make_hold(new_hold_facts, time_point now);

/// At release: whether the decisions given satisfy what these workflows demand now. People disabled since count no
/// more; who left a team since still does.
bool still_satisfied(const hold&, std::span<const workflow> now_demanded, const directory&);

}  // namespace sallyport
