// People and teams: humans who own, approve or operate (contract.md, "Vocabulary").
#pragma once

#include "workflows/ids.hpp"
#include "workflows/time.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

enum class role { approver, operator_, auditor };
enum class person_status { active, disabled };

std::string_view name_of(role) noexcept;  // `approver`, `operator`, `auditor`
std::string_view name_of(person_status) noexcept;
std::optional<role> role_named(std::string_view) noexcept;
std::optional<person_status> person_status_named(std::string_view) noexcept;

/// Somebody is away: nobody tells them, and their deputy decides in their place.
struct absence {
    time_point from;
    time_point until;    // not included
    std::string deputy;  // a handle; empty: nobody stands in
    friend bool operator==(const absence&, const absence&) = default;
};

struct person {
    person_id id;
    std::string handle;  // unique for ever
    std::string name;
    std::string email;
    std::vector<role> roles;
    std::vector<std::string> teams;  // names, in order
    person_status status = person_status::active;
    bool has_passkey = false;  // enrolled: the inbox can reach this person
    bool has_account = false;  // at an identity provider, linked: they can sign in, and sign nothing
    time_point created_at;
    std::map<std::string, std::string> labels;  // by whoever administers; what `where:` reads
    std::optional<absence> away;                // the present one or the next

    bool is_away(time_point) const noexcept;
    bool has(role) const noexcept;
    bool in_team(std::string_view team) const noexcept;
};

}  // namespace sallyport
