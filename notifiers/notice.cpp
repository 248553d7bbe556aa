#include "notifiers/notice.hpp"

namespace sallyport::notifiers {
namespace {

// `Ada`, `Ada and Grace`, `Ada, Grace and Alan`.
std::string listed(const std::vector<std::string>& names)
{
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
        text += names[i];
    }
    return text;
}

std::string by(const notice& n) { return n.decided_by.empty() ? std::string() : " by " + listed(n.decided_by); }

}  // namespace

std::string_view name_of(notice::kind what) noexcept
{
    switch (what) {
    case notice::kind::asked: return "asked";
    case notice::kind::reminded: return "reminded";
    case notice::kind::ended: return "ended";
    case notice::kind::glass_broken: return "glass_broken";
    }
    return {};
}

std::string sentence(const notice& n)
{
    if (!n.reasons.empty() && !n.reasons.front().summary.empty()) return n.reasons.front().summary;
    return n.method + ' ' + n.target;
}

std::string outcome_sentence(const notice& n)
{
    if (n.what == notice::kind::glass_broken)
        return n.glass_broken_by + " broke the glass: approved alone, without the approvals that are asked for. Their reason: " + n.reason;
    switch (n.status) {
    case hold_status::held: return "It waits for a decision.";
    case hold_status::approved:
    case hold_status::releasing: return "Approved" + by(n) + "; it is being sent.";
    case hold_status::released:
        return "Approved" + by(n) + " and sent" +
               (n.upstream_status ? "; the upstream answered " + std::to_string(*n.upstream_status) + "." : std::string("."));
    case hold_status::denied: return "Denied" + by(n) + (n.reason.empty() ? "." : ": " + n.reason);
    case hold_status::expired: return "Expired: nobody decided in time. It was not sent.";
    case hold_status::withdrawn: return "Withdrawn by its agent. It was not sent.";
    case hold_status::undeliverable: return "Nobody who may decide could be reached. It was not sent.";
    case hold_status::void_: return "Void: what stood behind it no longer does. It was not sent.";
    case hold_status::unknown: return "Approved" + by(n) + " and sent, but no answer was seen: whether it happened is not known.";
    }
    return {};
}

}  // namespace sallyport::notifiers
