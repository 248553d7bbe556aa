// A notice as the dispatcher makes them: one hold that a click may decide.
#pragma once

#include "notifiers/notice.hpp"

#include <chrono>
#include <string>

namespace sallyport::notifiers {

inline notice example_notice()
{
    using namespace std::chrono_literals;
    const time_point created = time_point(1'767'603'600s);  // 2026-01-05T09:00:00Z
    notice n;
    n.key = "hld_01JGT0000000000000000000H1/per_01JGT0000000000000000000P1/asked";
    n.to = recipient{person_id::make(created, {1}), "ada", "Ada Lovelace", "ada@example.com", ""};
    n.hold = hold_id::make(created, {2});
    n.action = action_id::make(created, {3});
    n.reasons = {{"refunds-over-500", "Refund 900 EUR to c_17"}};
    n.agent = "refund-bot";
    n.owner = "team:finance";
    n.route = "payments";
    n.method = "POST";
    n.authority = "api.payments.example";
    n.target = "/v1/refunds";
    n.workflows = {"finance"};
    n.approvals_needed = 2;
    n.assurance = assurance::click;
    n.decision_token = "c29tZS10b2tlbg";
    n.created_at = created;
    n.expires_at = created + 30min;
    n.link = "https://gate.example/holds/" + n.hold.text();
    return n;
}

inline notice ended_notice(hold_status status)
{
    using namespace std::chrono_literals;
    notice n = example_notice();
    n.key += "/ended";
    n.what = notice::kind::ended;
    n.status = status;
    n.closed_at = n.created_at + 5min;
    n.decided_by = {"Ada Lovelace", "Grace Hopper"};
    n.earlier_ref = "D0123456789/1767603601.000200";
    return n;
}

}  // namespace sallyport::notifiers
