#include "workflows/hold.hpp"

#include "workflows/names.hpp"

#include <algorithm>

namespace sallyport {
namespace {

constexpr names::table<10> statuses{"held",    "approved",  "releasing",     "released", "denied",
                                    "expired", "withdrawn", "undeliverable", "void",     "unknown"};
constexpr names::table<3> verdicts{"allow", "hold", "deny"};
constexpr names::table<2> decisions_in_words{"approve", "deny"};
static_assert(names::complete(statuses, hold_status::unknown) && names::complete(verdicts, verdict_kind::deny) &&
              names::complete(decisions_in_words, decision_kind::deny));

}  // namespace

std::string_view name_of(hold_status s) noexcept { return names::of(statuses, s); }
std::optional<hold_status> hold_status_named(std::string_view word) noexcept { return names::find<hold_status>(statuses, word); }
std::string_view name_of(verdict_kind v) noexcept { return names::of(verdicts, v); }
std::optional<verdict_kind> verdict_named(std::string_view word) noexcept { return names::find<verdict_kind>(verdicts, word); }
std::string_view name_of(decision_kind d) noexcept { return names::of(decisions_in_words, d); }
std::optional<decision_kind> decision_named(std::string_view word) noexcept { return names::find<decision_kind>(decisions_in_words, word); }

bool closed(hold_status s) noexcept
{
    switch (s) {
    case hold_status::held:
    case hold_status::approved:
    case hold_status::releasing: return false;
    case hold_status::released:
    case hold_status::denied:
    case hold_status::expired:
    case hold_status::withdrawn:
    case hold_status::undeliverable:
    case hold_status::void_:
    case hold_status::unknown: return true;
    }
    return true;
}

const decision* hold::decided_by(person_id who) const noexcept
{
    const auto found = std::find_if(decisions.begin(), decisions.end(), [&](const decision& d) { return d.by == who; });
    return found == decisions.end() ? nullptr : &*found;
}

bool hold::denied() const noexcept
{
    return status == hold_status::denied ||
           std::any_of(decisions.begin(), decisions.end(), [](const decision& d) { return d.kind == decision_kind::deny; });
}

int hold::given(const demand& asked) const noexcept
{
    int count = 0;
    for (auto d = decisions.begin(); d != decisions.end(); ++d) {
        if (d->kind != decision_kind::approve) continue;
        if (std::find(d->counts_in.begin(), d->counts_in.end(), asked.asks.name) == d->counts_in.end()) continue;
        // Distinct people, even if a row were there twice.
        if (std::none_of(decisions.begin(), d, [&](const decision& before) { return before.by == d->by; })) ++count;
    }
    return count;
}

bool hold::satisfied(const demand& asked) const noexcept { return given(asked) >= asked.asks.approvals; }

const demand& hold::current() const noexcept
{
    static const demand none;
    if (demands.empty()) return none;
    for (const demand& d : demands)
        if (!satisfied(d)) return d;
    return demands.back();
}

int hold::approvals_needed() const noexcept
{
    if (grant) return 0;  // people have answered this before
    int most = 0;
    for (const demand& d : demands) most = std::max(most, d.asks.approvals);
    return most;
}

int hold::approvals_given() const noexcept { return given(current()); }

assurance hold::assurance_needed() const noexcept
{
    auto strictest = sallyport::assurance::click;
    for (const demand& d : demands) strictest = std::max(strictest, d.asks.assurance);
    return strictest;
}

std::string_view hold::reason_given() const noexcept
{
    for (const decision& d : decisions)
        if (d.kind == decision_kind::deny) return d.reason;
    // Denied from the gateway's own terminal: nobody's decision, so the words are kept in `detail`.
    if (status == hold_status::denied) return detail;
    for (auto d = decisions.rbegin(); d != decisions.rend(); ++d)
        if (!d->reason.empty()) return d->reason;
    return {};
}

}  // namespace sallyport
