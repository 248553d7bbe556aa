// What people do in Slack: a click that decides, a dialog that denies, a command that asks what waits. Inside a transaction. Who it
// was is what Slack signed and both sides have confirmed (slack_links.cpp); which decision it is says the token of the card.
#pragma once

#include "gateway/people/call.hpp"
#include "notifiers/slack_errand.hpp"
#include "notifiers/slack_request.hpp"
#include "storage/transaction.hpp"
#include "workflows/encoding.hpp"
#include "workflows/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::people {

/// A request that is Slack's: signed, or fetched from a socket of Slack's. What is kept of a signed one says so to whoever has
/// the signing secret and the body; of the other there is only our word.
struct from_slack {
    notifiers::slack_request what;
    std::optional<time_point> signed_at;
    std::string timestamp, signature;  // as they came
    std::string envelope;              // of a socket's
    digest body;                       // SHA-256 of its bytes
};

struct slack_outcome {
    reply answer;  // to Slack, within three seconds
    std::vector<notifiers::slack_errand> errands{};
};

/// `unauthenticated` where it was signed too long ago, by the database's clock.
result<slack_outcome> answer_slack(storage::transaction&, const call&, const from_slack&);

// The link by which an account of Slack is connected: slack_links.cpp.

/// An account as a signed request named it. The names are for people to read.
struct slack_account {
    std::string team, user;
    std::string team_domain, user_name;
};

/// PUBLIC_URL/slack/TOKEN, good for ten minutes from `now` on.
std::string slack_link(const call&, const slack_account&, time_point now);

}  // namespace sallyport::people
