#include "workflows/person.hpp"

#include "workflows/named.hpp"

#include <algorithm>

namespace sallyport {
namespace {

constexpr word_table<role, 3> roles_by_word{{{role::approver, "approver"}, {role::operator_, "operator"}, {role::auditor, "auditor"}}};
static_assert(in_order(roles_by_word));

constexpr word_table<person_status, 2> statuses{{{person_status::active, "active"}, {person_status::disabled, "disabled"}}};
static_assert(in_order(statuses));

}  // namespace

std::string_view name_of(role r) noexcept { return word_of(roles_by_word, r); }
std::string_view name_of(person_status s) noexcept { return word_of(statuses, s); }
std::optional<role> role_named(std::string_view word) noexcept { return of_word(roles_by_word, word); }
std::optional<person_status> person_status_named(std::string_view word) noexcept { return of_word(statuses, word); }

bool person::has(role r) const noexcept { return std::find(roles.begin(), roles.end(), r) != roles.end(); }

bool person::in_team(std::string_view team) const noexcept { return std::find(teams.begin(), teams.end(), team) != teams.end(); }

}  // namespace sallyport
