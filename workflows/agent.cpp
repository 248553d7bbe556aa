#include "workflows/agent.hpp"

#include "workflows/names.hpp"

namespace sallyport {
namespace {

constexpr names::table<4> classes{"personal", "consumer", "workforce", "digital-worker"};
constexpr names::table<3> statuses{"active", "suspended", "revoked"};
static_assert(names::complete(classes, agent_class::digital_worker) && names::complete(statuses, agent_status::revoked));

constexpr std::size_t longest_name = 64;
constexpr std::string_view team_prefix = "team:";

constexpr bool letter_or_digit(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

std::string_view name_of(agent_class c) noexcept { return names::of(classes, c); }
std::string_view name_of(agent_status s) noexcept { return names::of(statuses, s); }
std::optional<agent_class> agent_class_named(std::string_view word) noexcept { return names::find<agent_class>(classes, word); }
std::optional<agent_status> agent_status_named(std::string_view word) noexcept { return names::find<agent_status>(statuses, word); }

std::optional<owner_name> owner_name::parse(std::string_view text)
{
    const bool team = text.starts_with(team_prefix);
    if (team) text.remove_prefix(team_prefix.size());
    if (!valid_name(text)) return std::nullopt;
    return owner_name{team ? kind::team : kind::person, std::string(text)};
}

bool valid_name(std::string_view name) noexcept
{
    if (name.empty() || name.size() > longest_name || !letter_or_digit(name.front())) return false;
    for (const char c : name)
        if (!letter_or_digit(c) && c != '.' && c != '_' && c != '-') return false;
    return true;
}

}  // namespace sallyport
