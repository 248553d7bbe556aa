#include "workflows/person.hpp"

#include "workflows/names.hpp"

#include <algorithm>

namespace sallyport {
namespace {

constexpr names::table<3> roles_in_words{"approver", "operator", "auditor"};
constexpr names::table<2> statuses{"active", "disabled"};
static_assert(names::complete(roles_in_words, role::auditor) && names::complete(statuses, person_status::disabled));

}  // namespace

std::string_view name_of(role r) noexcept { return names::of(roles_in_words, r); }
std::string_view name_of(person_status s) noexcept { return names::of(statuses, s); }
std::optional<role> role_named(std::string_view word) noexcept { return names::find<role>(roles_in_words, word); }
std::optional<person_status> person_status_named(std::string_view word) noexcept { return names::find<person_status>(statuses, word); }

bool person::is_away(time_point at) const noexcept { return away && away->from <= at && at < away->until; }
bool person::has(role r) const noexcept { return std::find(roles.begin(), roles.end(), r) != roles.end(); }
bool person::in_team(std::string_view team) const noexcept { return std::find(teams.begin(), teams.end(), team) != teams.end(); }

}  // namespace sallyport
