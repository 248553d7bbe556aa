#include "workflows/eligibility.hpp"

#include <algorithm>

namespace sallyport {
namespace {

bool named_by_step(const directory& all, const workflow_step& step, const person& p, const owner_name& owner) noexcept
{
    return std::any_of(step.notify.begin(), step.notify.end(), [&](const target& t) { return names(all, t, p, owner); });
}

bool named_later(const directory& all, const hold& h, const person& p) noexcept
{
    return std::any_of(h.demands.begin(), h.demands.end(), [&](const demand& d) {
        return std::any_of(d.asks.steps.begin(), d.asks.steps.end(),
                           [&](const workflow_step& s) { return named_by_step(all, s, p, h.owner); });
    });
}

}  // namespace

bool names(const directory& all, const target& t, const person& p, const owner_name& owner) noexcept
{
    switch (t.kind) {
    case target::kind::owner: return all.owns(p, owner);
    case target::kind::person: return p.handle == t.name;
    case target::kind::team: return p.in_team(t.name);
    case target::kind::schedule: return false;
    }
    return false;
}

bool excluded(const directory& all, const hold& h, const person& p) noexcept
{
    return std::any_of(h.demands.begin(), h.demands.end(), [&](const demand& d) {
        return std::any_of(d.asks.not_.begin(), d.asks.not_.end(), [&](const target& t) { return names(all, t, p, h.owner); });
    });
}

bool eligible(const directory& all, const hold& h, const demand& d, const person& p) noexcept
{
    if (p.status != person_status::active || !p.has(role::approver) || excluded(all, h, p)) return false;
    const auto begun = std::min(d.step + 1, d.asks.steps.size());
    return std::any_of(d.asks.steps.begin(), d.asks.steps.begin() + static_cast<std::ptrdiff_t>(begun),
                       [&](const workflow_step& s) { return named_by_step(all, s, p, h.owner); });
}

std::vector<std::string> counts_in(const directory& all, const hold& h, const person& p)
{
    std::vector<std::string> workflows;
    for (const demand& d : h.demands)
        if (eligible(all, h, d, p)) workflows.push_back(d.asks.name);
    return workflows;
}

std::optional<std::string> why_not(const directory& all, const hold& h, const person& p)
{
    if (h.status != hold_status::held) return "This hold is " + std::string(name_of(h.status)) + "; it takes no more decisions.";
    if (h.decided_by(p.id)) return "You have decided this hold already.";
    if (p.status != person_status::active) return "Your account is disabled.";
    if (!p.has(role::approver)) return "Your role reads holds, and decides none.";
    if (excluded(all, h, p)) {
        if (all.owns(p, h.owner)) return "You own the agent that asks, and this rule wants somebody else to decide.";
        return "The rule excludes you from deciding.";
    }
    if (!counts_in(all, h, p).empty()) return std::nullopt;
    if (named_later(all, h, p)) return "You will be asked in a later step, if nobody decides before.";
    return "You are not among those who are asked.";
}

bool may_read(const directory& all, const hold& h, const person& p) noexcept
{
    if (p.status != person_status::active) return false;
    return p.has(role::auditor) || p.has(role::operator_) || all.owns(p, h.owner) || h.decided_by(p.id) != nullptr ||
           named_later(all, h, p);
}

bool reachable(const person& p) noexcept { return p.status == person_status::active && p.has_passkey; }

}  // namespace sallyport
