// A hold: an action that waits for people, and everything its state machine (hold_step.hpp) needs to know of it.
// Plain data: the store reads and writes it whole, under its version.
#pragma once

#include "workflows/agent.hpp"
#include "workflows/ids.hpp"
#include "workflows/time.hpp"
#include "workflows/workflow.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

/// `held → approved → releasing → released`, and the ways to end otherwise (contract.md, "status").
enum class hold_status { held, approved, releasing, released, denied, expired, withdrawn, undeliverable, void_, unknown };

std::string_view name_of(hold_status) noexcept;  // `void` for void_
std::optional<hold_status> hold_status_named(std::string_view) noexcept;
/// Nothing moves it any more (an `unknown` one may still be settled by a person, in a later version).
bool closed(hold_status) noexcept;

enum class verdict_kind { allow, hold, deny };  // the strictest last: the greatest wins
std::string_view name_of(verdict_kind) noexcept;
std::optional<verdict_kind> verdict_named(std::string_view) noexcept;

/// A rule that decided the verdict, in the words that people are shown: inert text, controls escaped.
struct reason {
    std::string rule;
    std::string summary;
    friend bool operator==(const reason&, const reason&) = default;
};

/// A rule that was asked about the action, whether it matched or not.
struct spoken_rule {
    std::string rule;
    std::string team;  // empty: nobody's in particular
    verdict_kind verdict = verdict_kind::deny;
    std::string summary;
    bool matched = false;
    std::string error;  // why it could not be evaluated; empty otherwise
};

enum class decision_kind { approve, deny };
std::string_view name_of(decision_kind) noexcept;
std::optional<decision_kind> decision_named(std::string_view) noexcept;

/// One person's decision of one hold.
struct decision {
    decision_id id;
    person_id by;
    decision_kind kind = decision_kind::approve;
    std::string reason;  // empty: none was given
    sallyport::assurance assurance = sallyport::assurance::passkey;
    time_point at;
    /// What this decision counts for, as this person was eligible at that moment: the name of a workflow of the hold, or where that
    /// has places `NAME/TARGET` for each that this person could fill; `NAME/break-glass` where they broke the glass.
    std::vector<std::string> counts_in;
    /// Who was away, and gave this person the right to that; handles. Theirs is used up by it.
    std::vector<std::string> in_place_of{};
    bool break_glass = false;
    /// The terms of a grant that this approval signed besides, as RFC 8785 JSON; empty: none.
    std::string grant{};
    /// Made sooner after it was first shown than its text can be read (reading.hpp). None: when it was shown is not known.
    std::optional<bool> fast{};
};
std::string place_entry(const std::string& workflow, const target&);
std::string glass_entry(const std::string& workflow);

/// Somebody whom a step reaches was not told, because they had been asked too often within the hour. They may decide all the same.
struct passed_over {
    person_id who;
    std::size_t step = 0;  // from 0
    int asked = 0;         // within the hour before
    friend bool operator==(const passed_over&, const passed_over&) = default;
};

/// One workflow that the hold must satisfy, as it was when the hold was made, and how far it has come.
struct demand {
    workflow asks;
    std::size_t step = 0;       // the step that has begun last, from 0
    time_point step_ends_at{};  // when the next one begins, or the last one is over
    /// When each step up to that one began, those skipped too. Shorter in a hold that an earlier release made: its steps
    /// count as begun with the hold.
    std::vector<time_point> begun{};
    /// `step` has not begun, and does then: it is outside its hours.
    std::optional<time_point> waits_until{};
    /// Whoever came on call up to then has been told; later shifts will be.
    time_point told_until{};
    bool reached = false;  // somebody who may decide was told by one of the steps begun
    int reminders = 0;     // given by the step that has begun last
    std::vector<passed_over> passed{};
    /// For `not: [last-approver]`, read anew with the hold and never kept with it: not known, it excludes everybody.
    struct precedent {
        std::optional<person_id> approver;  // none: nothing was approved before
    };
    std::optional<precedent> last_approval{};

    /// How many of its steps have begun.
    std::size_t steps_begun() const noexcept;
    bool excludes_last_approver() const noexcept;
};

/// Approvals that a demand still needs: of each so many, from people of any of these.
struct missing_approvals {
    int more = 0;
    std::vector<target> of;  // empty: of anybody who is asked
};

struct hold_outcome {
    int status = 0;  // of the upstream's answer
    time_point at;
};

struct hold {
    hold_id id;
    action_id action;
    agent_id agent;
    owner_name owner;  // of the agent, when the hold was made
    std::string route;
    /// The same for all that are alike, to be looked at together; empty: made by a release that did not know.
    std::string alike{};
    hold_status status = hold_status::held;
    std::int64_t version = 1;
    std::vector<reason> reasons;
    std::vector<demand> demands;  // at least one
    std::vector<decision> decisions;
    time_point created_at;
    time_point expires_at;
    std::optional<time_point> decided_at;  // when it became approved or denied
    std::optional<time_point> closed_at;
    std::optional<time_point> wake_at;     // when time moves it next; none when closed
    std::optional<time_point> release_by;  // approved: nothing can be sent after that
    int attempts = 0;                      // how often sending was tried in vain
    bool maybe_sent = false;               // a byte of it was or may have been sent: without an answer it ends `unknown`
    std::string detail;                    // why it is void, or what is not known
    std::optional<hold_outcome> outcome;
    /// The grant that it was approved by when it was made, in place of decisions of its own.
    std::optional<grant_id> grant;

    const decision* decided_by(person_id) const noexcept;
    bool denied() const noexcept;
    /// Approvals that count in that demand: of one with places, as many as can be filled by distinct people, each in one.
    int given(const demand&) const;
    bool satisfied(const demand&) const;
    std::vector<missing_approvals> missing(const demand&) const;
    /// How the approvals fill the demand's places, in one of the best ways; in their order.
    std::vector<int> filled(const demand&) const;
    /// Who broke the glass; null: nobody.
    const decision* glass_broken() const noexcept;
    /// The first demand that is not satisfied, else the last.
    const demand& current() const;
    /// wire.md `approvals`: `needed` is the largest of the demands', `given` what the current one has.
    int approvals_needed() const noexcept;
    int approvals_given() const;
    sallyport::assurance assurance_needed() const noexcept;  // the strictest
    /// What the person who decided wrote, of the denial where there is one.
    std::string_view reason_given() const noexcept;
};

}  // namespace sallyport
