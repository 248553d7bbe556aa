#include "workflows/hold.hpp"

#include "workflows/names.hpp"
#include "workflows/quorum.hpp"

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

std::string place_entry(const std::string& workflow, const target& of) { return workflow + '/' + of.text(); }
std::string glass_entry(const std::string& workflow) { return workflow + "/break-glass"; }

std::size_t demand::steps_begun() const noexcept { return std::min(waits_until ? step : step + 1, asks.steps.size()); }

bool demand::excludes_last_approver() const noexcept
{
    return std::any_of(asks.not_.begin(), asks.not_.end(), [](const target& t) { return t.kind == target::kind::last_approver; });
}

namespace {

bool counts_for(const decision& d, const std::string& entry)
{
    return std::find(d.counts_in.begin(), d.counts_in.end(), entry) != d.counts_in.end();
}

// What each approval could fill. Of distinct people, even if a row were there twice.
quorum quorum_of(const hold& h, const demand& asked)
{
    quorum q(asked.asks);
    for (auto d = h.decisions.begin(); d != h.decisions.end(); ++d) {
        if (d->kind != decision_kind::approve) continue;
        if (std::any_of(h.decisions.begin(), d, [&](const decision& before) { return before.by == d->by; })) continue;
        q.add([&](const target* place) { return counts_for(*d, place ? place_entry(asked.asks.name, *place) : asked.asks.name); });
    }
    return q;
}

}  // namespace

int hold::given(const demand& asked) const { return quorum_of(*this, asked).given(); }

bool hold::satisfied(const demand& asked) const
{
    const bool broken = std::any_of(decisions.begin(), decisions.end(), [&](const decision& d) {
        return d.break_glass && d.kind == decision_kind::approve && counts_for(d, glass_entry(asked.asks.name));
    });
    return broken || given(asked) >= asked.asks.approvals;
}

std::vector<missing_approvals> hold::missing(const demand& asked) const
{
    if (satisfied(asked)) return {};
    return quorum_of(*this, asked).missing();
}

std::vector<int> hold::filled(const demand& asked) const { return quorum_of(*this, asked).filled(); }

const decision* hold::glass_broken() const noexcept
{
    const auto found = std::find_if(decisions.begin(), decisions.end(), [](const decision& d) { return d.break_glass; });
    return found == decisions.end() ? nullptr : &*found;
}

const demand& hold::current() const
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

int hold::approvals_given() const { return given(current()); }

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
