// Who may decide a hold, who may read it, and why somebody may not: semantics.md, "Holding".
#pragma once

#include "workflows/directory.hpp"
#include "workflows/hold.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

/// Whether that word names this person, for a hold whose agent has that owner. A schedule names nobody yet.
bool names(const directory&, const target&, const person&, const owner_name&) noexcept;

/// Excluded by the `not` of any of the demands.
bool excluded(const directory&, const hold&, const person&) noexcept;

/// Whether this person could decide in that demand now: active, an approver, named by a step that has begun, not
/// excluded. Says nothing of what they have decided already.
bool eligible(const directory&, const hold&, const demand&, const person&) noexcept;

/// The demands in which this person's decision would count now, by name.
std::vector<std::string> counts_in(const directory&, const hold&, const person&);

/// One sentence, said to that person; none when they may decide.
std::optional<std::string> why_not(const directory&, const hold&, const person&);

/// Those whom any step names, the agent's owners, those who decided; auditors and operators read all.
bool may_read(const directory&, const hold&, const person&) noexcept;

/// Whether the inbox reaches this person: active, and with a passkey to sign in by.
bool reachable(const person&) noexcept;

}  // namespace sallyport
