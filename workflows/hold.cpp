#include "workflows/hold.hpp"

#include "workflows/named.hpp"

#include <algorithm>

namespace sallyport {
namespace {

constexpr word_table<hold_status, 10> statuses{{{hold_status::held, "held"},
                                                {hold_status::approved, "approved"},
                                                {hold_status::releasing, "releasing"},
                                                {hold_status::released, "released"},
                                                {hold_status::denied, "denied"},
                                                {hold_status::expired, "expired"},
                                                {hold_status::withdrawn, "withdrawn"},
                                                {hold_status::undeliverable, "undeliverable"},
                                                {hold_status::void_, "void"},
                                                {hold_status::unknown, "unknown"}}};
static_assert(in_order(statuses));

constexpr word_table<verdict_kind, 3> verdicts{
    {{verdict_kind::allow, "allow"}, {verdict_kind::hold, "hold"}, {verdict_kind::deny, "deny"}}};
static_assert(in_order(verdicts));

constexpr word_table<decision_kind, 2> decisions_by_word{{{decision_kind::approve, "approve"}, {decision_kind::deny, "deny"}}};
static_assert(in_order(decisions_by_word));

}  // namespace

std::string_view name_of(hold_status s) noexcept { return word_of(statuses, s); }
std::optional<hold_status> hold_status_named(std::string_view word) noexcept { return of_word(statuses, word); }
std::string_view name_of(verdict_kind v) noexcept { return word_of(verdicts, v); }
std::optional<verdict_kind> verdict_named(std::string_view word) noexcept { return of_word(verdicts, word); }
std::string_view name_of(decision_kind d) noexcept { return word_of(decisions_by_word, d); }
std::optional<decision_kind> decision_named(std::string_view word) noexcept { return of_word(decisions_by_word, word); }

bool closed(hold_status s) noexcept { return s != hold_status::held && s != hold_status::approved && s != hold_status::releasing; }

const decision* hold::decided_by(person_id who) const noexcept
{
    const auto found = std::find_if(decisions.begin(), decisions.end(), [&](const decision& d) { return d.by == who; });
    return found == decisions.end() ? nullptr : &*found;
}

bool hold::denied() const noexcept
{
    return std::any_of(decisions.begin(), decisions.end(), [](const decision& d) { return d.kind == decision_kind::deny; });
}

int hold::given(const demand& d) const noexcept
{
    return static_cast<int>(std::count_if(decisions.begin(), decisions.end(), [&](const decision& made) {
        return made.kind == decision_kind::approve &&
               std::find(made.counts_in.begin(), made.counts_in.end(), d.asks.name) != made.counts_in.end();
    }));
}

bool hold::satisfied(const demand& d) const noexcept { return given(d) >= d.asks.approvals; }

const demand& hold::current() const noexcept
{
    const auto open = std::find_if(demands.begin(), demands.end(), [&](const demand& d) { return !satisfied(d); });
    return open == demands.end() ? demands.back() : *open;
}

int hold::approvals_needed() const noexcept
{
    int most = 0;
    for (const demand& d : demands) most = std::max(most, d.asks.approvals);
    return most;
}

int hold::approvals_given() const noexcept { return demands.empty() ? 0 : given(current()); }

assurance hold::assurance_needed() const noexcept
{
    auto strictest = assurance::click;
    for (const demand& d : demands) strictest = std::max(strictest, d.asks.assurance);
    return strictest;
}

std::string_view hold::reason_given() const noexcept
{
    // The denial that closed it, else what was written last.
    for (const decision& d : decisions)
        if (d.kind == decision_kind::deny) return d.reason;
    for (auto d = decisions.rbegin(); d != decisions.rend(); ++d)
        if (!d->reason.empty()) return d->reason;
    return {};
}

}  // namespace sallyport
