// People, teams and how somebody becomes one of them: invitations and enrolment codes. Passkeys, challenges and
// sessions are in passkey_store.hpp and session_store.hpp. Every change here moves the directory's generation.
#pragma once

#include "storage/transaction.hpp"
#include "workflows/person.hpp"
#include "workflows/result.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::storage {

struct team {
    std::string name;
    std::vector<std::string> members;  // handles, in order
    friend bool operator==(const team&, const team&) = default;
};

struct invitation {
    person_id id;  // of a new person; a known one keeps theirs
    std::string handle;
    std::string name;         // empty: as it was
    std::string email;        // empty: as it was
    std::vector<role> roles;  // empty: as they were, `approver` for a new person
    std::string code_hash;    // SHA-256 of the code, 32 bytes: the code itself is never stored
    time_point expires_at;
    bool reset = false;  // ends every passkey, session and link to an identity provider of that person, at once
};

struct invited {
    sallyport::person person;
    bool known = false;  // was there before
};

struct enrolment {
    sallyport::person person;
    time_point expires_at;
};

namespace person_store {

/// Makes the person, or a new link for a known one; links made before are void. `conflict` when disabled.
result<invited> invite(transaction&, const invitation&);

/// By handle; those disabled too.
std::vector<person> list(transaction&);
std::optional<person> by_handle(transaction&, std::string_view handle);
std::optional<person> by_id(transaction&, person_id);
/// Those active whose address it is, in whatever case.
std::vector<person> active_by_email(transaction&, std::string_view email);

/// The person as they are now; `not_found`. Disabling ends their sessions and voids their links.
result<person> set_status(transaction&, std::string_view handle, person_status);

/// Labels given anew, and those taken away first; at most 50 are left, else `invalid_input`. `not_found`.
result<person> set_labels(transaction&, std::string_view handle, const std::map<std::string, std::string>& set,
                          const std::vector<std::string>& remove);
/// In place of the one that there was. `not_found`: no such person or deputy; `conflict`: the deputy is no active approver;
/// `invalid_input`: it ends before it begins or has ended, or they would be their own deputy.
result<person> set_absence(transaction&, std::string_view handle, const absence&);
/// `not_found`: not away, neither now nor later.
result<person> end_absence(transaction&, std::string_view handle);

result<void> add_team(transaction&, std::string_view name);  // conflict: known
/// `not_found`; `conflict` when it owns agents, named in the detail.
result<void> remove_team(transaction&, std::string_view name);
/// Whether that changed anything. `not_found`: no such team or person.
result<bool> join_team(transaction&, std::string_view team, std::string_view handle);
result<bool> leave_team(transaction&, std::string_view team, std::string_view handle);
std::vector<team> teams(transaction&);
std::optional<team> team_named(transaction&, std::string_view name);

/// None for a code that is unknown, spent, void or expired, or whose person is disabled.
std::optional<enrolment> find_enrolment(transaction&, std::string_view code_hash);
/// Lost: the code stopped being good meanwhile.
race spend_enrolment(transaction&, std::string_view code_hash);

}  // namespace person_store
}  // namespace sallyport::storage
