#include "workflows/agent.hpp"

#include "workflows/named.hpp"

#include <algorithm>

namespace sallyport {
namespace {

constexpr word_table<agent_class, 4> classes{{{agent_class::personal, "personal"},
                                              {agent_class::consumer, "consumer"},
                                              {agent_class::workforce, "workforce"},
                                              {agent_class::digital_worker, "digital-worker"}}};
static_assert(in_order(classes));

constexpr word_table<agent_status, 3> statuses{
    {{agent_status::active, "active"}, {agent_status::suspended, "suspended"}, {agent_status::revoked, "revoked"}}};
static_assert(in_order(statuses));

constexpr std::string_view team_prefix = "team:";

}  // namespace

std::string_view name_of(agent_class c) noexcept { return word_of(classes, c); }
std::string_view name_of(agent_status s) noexcept { return word_of(statuses, s); }
std::optional<agent_class> agent_class_named(std::string_view word) noexcept { return of_word(classes, word); }
std::optional<agent_status> agent_status_named(std::string_view word) noexcept { return of_word(statuses, word); }

std::optional<owner_name> owner_name::parse(std::string_view text)
{
    owner_name owner;
    if (text.starts_with(team_prefix)) {
        owner.kind = kind::team;
        text.remove_prefix(team_prefix.size());
    }
    if (!valid_name(text)) return std::nullopt;
    owner.name = text;
    return owner;
}

bool valid_name(std::string_view name) noexcept
{
    const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    if (name.empty() || name.size() > 64 || !alphanumeric(name.front())) return false;
    return std::all_of(name.begin(), name.end(), [&](char c) { return alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

}  // namespace sallyport
