#include "workflows/workflow.hpp"

#include "workflows/agent.hpp"
#include "workflows/named.hpp"

#include <numeric>

namespace sallyport {
namespace {

constexpr word_table<assurance, 3> assurances{
    {{assurance::click, "click"}, {assurance::session, "session"}, {assurance::passkey, "passkey"}}};
static_assert(in_order(assurances));

constexpr word_table<enum target::kind, 4> kinds_by_word{
    {{target::kind::owner, "owner"}, {target::kind::person, "person"}, {target::kind::team, "team"}, {target::kind::schedule, "schedule"}}};
static_assert(in_order(kinds_by_word));

}  // namespace

std::string_view name_of(assurance a) noexcept { return word_of(assurances, a); }
std::optional<assurance> assurance_named(std::string_view word) noexcept { return of_word(assurances, word); }

std::string target::text() const
{
    std::string text(word_of(kinds_by_word, kind));
    return kind == kind::owner ? text : text + ":" + name;
}

std::optional<target> target::parse(std::string_view text)
{
    if (text == "owner") return target{};
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto kind = of_word(kinds_by_word, text.substr(0, colon));
    const auto name = text.substr(colon + 1);
    if (!kind || *kind == kind::owner || !valid_name(name)) return std::nullopt;
    return target{*kind, std::string(name)};
}

duration workflow::length() const noexcept
{
    return std::accumulate(steps.begin(), steps.end(), duration{}, [](duration sum, const workflow_step& s) { return sum + s.for_; });
}

}  // namespace sallyport
