// Who may decide a hold and who may read it (semantics.md "Holding", "Who may decide"). Pure: the hold, the directory
// and the time of the moment and one person go in.
//
// Whoever is away is represented by their deputy, and where that one is away too by theirs, up to one who is no active approver or
// may not decide this hold: through such a one nobody gains anything. The right to decide that a deputy used is used up.
//
// A `schedule:` in a step means whoever was on call at any time since the step began: who was told, when it began or when
// the shift changed, may decide, though their own shift has ended since. One in `not` excludes who is on call now.
#pragma once

#include "workflows/directory.hpp"
#include "workflows/hold.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

/// When it is asked who is on call: at any time from one to the other, both included.
struct shifts {
    time_point since;
    time_point until;
};

/// Whether the target means that person; `owner` is whom it was when the hold was made. A schedule that is not known
/// names nobody, and so does an expression that errs. Who is represented is not asked.
bool means(const target&, const hold&, const directory&, const person&, const shifts&);

/// Whether a `not` of any demand means that person: separation of duties is the union, and has no exemption. A schedule
/// that is not known excludes everybody, and so does an expression that errs.
bool excluded(const hold&, const directory&, const person&, time_point now);

/// What a person's decision would count for (decision::counts_in), and in whose place (decision::in_place_of). Nothing: they may
/// not decide.
struct entitlement {
    std::vector<std::string> counts_in;
    std::vector<std::string> in_place_of;  // of them whose right is needed, not of all who are represented
};

/// As of an active approver whom a step that has begun names, or who represents such a one, not excluded; of a workflow with
/// places, one who can fill one. Whether the hold is open, or this person has decided, is not asked here.
entitlement entitled(const hold&, const directory&, const person&, time_point now);
inline std::vector<std::string> counts_in(const hold& h, const directory& d, const person& p, time_point now)
{
    return entitled(h, d, p, now).counts_in;
}

/// Those whom this person represents in deciding that hold: active approvers who are away and not excluded. Handles' owners.
std::vector<const person*> represented_by(const hold&, const directory&, const person&, time_point now);

/// Everybody whom that step reaches: those it names who may decide, or whoever represents them while they are away, and who can do
/// so by the inbox: with a passkey, or where the hold asks for a session only, with an account at a provider.
std::vector<person_id> reached_by(const hold&, const workflow&, std::size_t step, const directory&, const shifts&);

/// What their decision counts for when they break the glass, or why they may not: one sentence. The hold must be open and have no
/// decision of theirs, and each of its workflows that has not what it needs must name them, themselves.
struct glass {
    std::vector<std::string> counts_in;
    std::string why_not;  // empty: they may
};
glass may_break_glass(const hold&, const directory&, const person&, time_point now);
/// Whom that concerns: all whom any step names, the agent's owners, all who may break the glass, those who decided. Active ones.
std::vector<person_id> concerned(const hold&, const directory&, time_point now);

/// Those whom any step names, begun or not, and who represents them, the agent's owners, those who decided, who may break the
/// glass; auditors and operators read all.
bool may_read(const hold&, const directory&, const person&, time_point now);

/// Why this person may not decide this hold now: one sentence for the page. None: they may.
std::optional<std::string> why_not(const hold&, const directory&, const person&, time_point now);

/// Whether the approvals that a hold has satisfy what is demanded now, when it is judged again at release. Eligibility
/// is that of the moment of deciding, so a workflow and a `not` that the hold knew count as they did then; those that
/// are new or changed are asked of today's directory. Decisions of people disabled since do not count, nor do those in the place of
/// somebody who is. A broken glass counts where the workflow of now still names that person.
bool satisfied_by_new_demands(const hold&, std::span<const workflow> demanded, const directory&, time_point now);

/// The same of a call that a grant let pass: `granted` is the hold whose approvals left the grant behind, and only those who
/// signed its terms (`grant_terms`, as decisions keep them) count. Stricter, because nobody looked at this call: a signer must
/// still be an approver, and whom a `not` of today excludes, by this call's owner, does not count.
bool satisfied_by_grant(const hold& granted, std::string_view grant_terms, const hold& call, std::span<const workflow> demanded,
                        const directory&, time_point now);

}  // namespace sallyport
