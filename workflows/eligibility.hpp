// Who may decide a hold and who may read it (semantics.md "Holding", "Who may decide"). Pure: the hold, the directory
// and the time of the moment and one person go in.
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
/// names nobody.
bool means(const target&, const owner_name& owner, const directory&, const person&, const shifts&);

/// Whether a `not` of any demand means that person: separation of duties is the union, and has no exemption. A schedule
/// that is not known excludes everybody.
bool excluded(const hold&, const directory&, const person&, time_point now);

/// The workflows of the hold in which this person's decision counts now, by name: an active approver whom a step that
/// has begun names, not excluded. Whether the hold is open, or this person has decided, is not asked here.
std::vector<std::string> counts_in(const hold&, const directory&, const person&, time_point now);

/// Everybody whom that step reaches: those it names who may decide and can do so by the inbox: with a
/// passkey, or where the hold asks for a session only, with an account at a provider.
std::vector<person_id> reached_by(const hold&, const workflow_step&, const directory&, const shifts&);
/// When the demand's step began, or will if nothing is skipped.
time_point beginning(const hold&, const demand&, std::size_t step);

/// Those whom any step names, begun or not, the agent's owners, those who decided; auditors and operators read all.
bool may_read(const hold&, const directory&, const person&, time_point now);

/// Why this person may not decide this hold now: one sentence for the page. None: they may.
std::optional<std::string> why_not(const hold&, const directory&, const person&, time_point now);

/// Whether the approvals that a hold has satisfy what is demanded now, when it is judged again at release. Eligibility
/// is that of the moment of deciding, so a workflow and a `not` that the hold knew count as they did then; those that
/// are new or changed are asked of today's directory. Decisions of people disabled since do not count.
bool satisfied_by_new_demands(const hold&, std::span<const workflow> demanded, const directory&, time_point now);

/// The same of a call that a grant let pass: `granted` is the hold whose approvals left the grant behind, and only those who
/// signed its terms (`grant_terms`, as decisions keep them) count. Stricter, because nobody looked at this call: a signer must
/// still be an approver, and whom a `not` of today excludes, by this call's owner, does not count.
bool satisfied_by_grant(const hold& granted, std::string_view grant_terms, const hold& call, std::span<const workflow> demanded,
                        const directory&, time_point now);

}  // namespace sallyport
