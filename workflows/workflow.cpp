#include "workflows/workflow.hpp"

#include "workflows/agent.hpp"
#include "workflows/names.hpp"

namespace sallyport {
namespace {

constexpr names::table<3> assurances{"click", "session", "passkey"};
constexpr names::table<3> controls{"none", "confirm", "four-eyes"};
constexpr names::table<7> kinds_of_target{"owner", "person", "team", "schedule", "initiator", "last-approver", "where"};
constexpr std::size_t longest_expression = 1000;  // bytes
static_assert(names::complete(assurances, assurance::passkey) && names::complete(controls, control::four_eyes) &&
              names::complete(kinds_of_target, target::kind::where));

}  // namespace

std::string_view name_of(assurance a) noexcept { return names::of(assurances, a); }
std::optional<assurance> assurance_named(std::string_view word) noexcept { return names::find<assurance>(assurances, word); }

std::string_view name_of(control c) noexcept { return names::of(controls, c); }
std::optional<control> control_named(std::string_view word) noexcept { return names::find<control>(controls, word); }

std::string target::text() const
{
    std::string text(names::of(kinds_of_target, kind));
    if (!name.empty()) text.append(":").append(name);
    return text;
}

std::optional<target> target::parse(std::string_view text)
{
    const std::size_t colon = text.find(':');
    const auto found = names::find<enum kind>(kinds_of_target, text.substr(0, colon));
    if (!found) return std::nullopt;
    const bool alone = *found == kind::owner || *found == kind::initiator || *found == kind::last_approver;
    if (alone != (colon == std::string_view::npos)) return std::nullopt;
    if (alone) return target{*found, {}};
    const std::string_view name = text.substr(colon + 1);
    if (*found == kind::where ? name.empty() || name.size() > longest_expression : !valid_name(name)) return std::nullopt;
    return target{*found, std::string(name)};
}

std::string in_words(const target& t)
{
    switch (t.kind) {
    case target::kind::owner: return "the owner";
    case target::kind::person: return t.name;
    case target::kind::team: return "team " + t.name;
    case target::kind::schedule: return "whoever is on call in " + t.name;
    case target::kind::initiator: return "the initiator";
    case target::kind::last_approver: return "the last approver";
    case target::kind::where: return "people of whom `" + t.name + "` is true";
    }
    return {};
}

duration workflow::length() const noexcept
{
    duration sum{};
    for (const workflow_step& s : steps) sum += s.for_;
    return sum;
}

}  // namespace sallyport
