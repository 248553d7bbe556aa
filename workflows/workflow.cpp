#include "workflows/workflow.hpp"

#include "workflows/agent.hpp"
#include "workflows/names.hpp"

namespace sallyport {
namespace {

constexpr names::table<3> assurances{"click", "session", "passkey"};
constexpr names::table<3> controls{"none", "confirm", "four-eyes"};
constexpr names::table<4> kinds_of_target{"owner", "person", "team", "schedule"};
static_assert(names::complete(assurances, assurance::passkey) && names::complete(controls, control::four_eyes) &&
              names::complete(kinds_of_target, target::kind::schedule));

}  // namespace

std::string_view name_of(assurance a) noexcept { return names::of(assurances, a); }
std::optional<assurance> assurance_named(std::string_view word) noexcept { return names::find<assurance>(assurances, word); }

std::string_view name_of(control c) noexcept { return names::of(controls, c); }
std::optional<control> control_named(std::string_view word) noexcept { return names::find<control>(controls, word); }

std::string target::text() const
{
    std::string text(names::of(kinds_of_target, kind));
    if (kind != kind::owner) text.append(":").append(name);
    return text;
}

std::optional<target> target::parse(std::string_view text)
{
    const std::size_t colon = text.find(':');
    const auto found = names::find<enum kind>(kinds_of_target, text.substr(0, colon));
    if (!found) return std::nullopt;
    if (*found == kind::owner) return colon == std::string_view::npos ? std::optional<target>(target{}) : std::nullopt;
    if (colon == std::string_view::npos) return std::nullopt;
    const std::string_view name = text.substr(colon + 1);
    if (!valid_name(name)) return std::nullopt;
    return target{*found, std::string(name)};
}

duration workflow::length() const noexcept
{
    duration sum{};
    for (const workflow_step& s : steps) sum += s.for_;
    return sum;
}

}  // namespace sallyport
