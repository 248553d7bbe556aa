// Notices for tests: one that asks Ada, and one that tells her of its end.
#pragma once

#include "notifiers/notice.hpp"

#include <chrono>
#include <string>

namespace sallyport::notifiers {

inline notice asked()
{
    notice n;
    n.key = "hld_01J00000000000000000000001/per_01J00000000000000000000002/asked";
    n.to = recipient{*person_id::parse("per_01J00000000000000000000002"), "ada", "Ada Lovelace", "ada@example.com", {}};
    n.hold = *hold_id::parse("hld_01J00000000000000000000001");
    n.action = *action_id::parse("act_01J00000000000000000000003");
    n.reasons = {{"refunds-over-500", "Refund 900 EUR to c_17"}};
    n.agent = "refund-bot";
    n.owner = "team:finance";
    n.route = "payments";
    n.method = "POST";
    n.authority = "api.example.com";
    n.target = "/v1/refunds";
    n.workflows = {"finance"};
    n.approvals_needed = 2;
    n.told_at = n.created_at = std::chrono::sys_days(std::chrono::January / 5 / 2026) + std::chrono::hours(9);
    n.expires_at = n.created_at + std::chrono::minutes(30);
    n.link = "https://gate.example.com/holds/" + n.hold.text();
    return n;
}

inline notice ended()
{
    notice n = asked();
    n.key = "hld_01J00000000000000000000001/per_01J00000000000000000000002/ended";
    n.what = notice::kind::ended;
    n.status = hold_status::denied;
    n.closed_at = n.created_at + std::chrono::minutes(7);
    n.decided_by = {"Grace Hopper"};
    n.reason = "Twice the amount of the order.";
    return n;
}

}  // namespace sallyport::notifiers
