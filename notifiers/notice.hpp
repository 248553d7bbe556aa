// What a channel tells: one hold, as it stands at the moment of telling, to one recipient. Plain values. Text that an agent
// wrote has been made inert already (controls, line breaks and bidirectional overrides shown escaped); each channel
// escapes what its own markup would read.
#pragma once

#include "workflows/hold.hpp"
#include "workflows/ids.hpp"
#include "workflows/secret.hpp"
#include "workflows/time.hpp"
#include "workflows/workflow.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::notifiers {

struct recipient {
    person_id id;
    std::string handle;
    std::string name;
    std::string email;
    std::string slack_user;  // Slack's id of this person (`U…`); empty: found by the email
};

/// The `keys` of a PushSubscription (Push API §7.1): 65 bytes, a point of P-256, and 16 bytes.
struct push_keys {
    std::string p256dh;
    std::string auth;
};

/// A browser, as its push service knows it.
struct push_target {
    std::string id;   // ours
    secret endpoint;  // whoever knows it may send there
    push_keys keys;
};

/// A rule that asks for people.
struct notice_reason {
    std::string rule;
    std::string summary;
};

struct notice {
    enum class kind {
        asked,         // this recipient may decide from now on
        reminded,      // was asked, has not decided, and it is still open
        ended,         // what was asked needs no decision any more: `status` says how it ended
        glass_broken,  // somebody approved it alone, without the approvals that its workflows ask for
    };

    std::string key;  // the same for each attempt, and for no other notice; visible ASCII, at most 128 characters
    kind what = kind::asked;
    std::optional<recipient> to;                 // none: a webhook, which tells of the hold, not to a person
    std::shared_ptr<const push_target> browser;  // of `to`; push alone
    time_point told_at;                          // when this was composed: another with each attempt

    hold_id hold;
    action_id action;
    hold_status status = hold_status::held;
    std::vector<notice_reason> reasons;  // at least one
    std::string agent;                   // its name
    std::string owner;                   // a handle, or `team:NAME`
    std::string route;
    std::string method, authority, target;  // of what will be sent
    std::vector<std::string> workflows;     // by name
    int approvals_needed = 1;
    int approvals_given = 0;
    sallyport::assurance assurance = sallyport::assurance::passkey;  // what a decision needs, the strictest of the demands
    std::string decision_token;  // what a click in the channel brings back, made by the gateway; empty: no click decides
    time_point created_at;
    time_point expires_at;

    // Of what has ended.
    std::optional<time_point> closed_at;
    std::vector<std::string> decided_by;  // names, in the order of deciding
    std::string reason;                   // what the person wrote, of a denial or a broken glass
    std::string glass_broken_by;          // a name; empty: nobody broke it
    std::optional<int> upstream_status;

    std::string link;         // to the page of this hold
    std::string earlier_ref;  // `delivered::message_ref` of the notice that asked this recipient; empty when there was none
};

/// It asks for a decision.
constexpr bool is_question(notice::kind what) noexcept { return what == notice::kind::asked || what == notice::kind::reminded; }

/// `asked`, `reminded`, `ended`, `glass_broken`.
std::string_view name_of(notice::kind) noexcept;

/// What will happen, or what was asked, in one sentence: the first reason's summary, or the request line where that says nothing.
std::string sentence(const notice&);

/// How it ended, in one sentence for people: `Approved by Ada Lovelace and sent; the upstream answered 201.` Of a
/// notice that is no question.
std::string outcome_sentence(const notice&);

}  // namespace sallyport::notifiers
