// What Slack sends: whether it is Slack's, and what it says. Pure; `now` is an argument. Whoever listens passes the header
// fields as they came, each of which must have come once, and the body's exact bytes.
#pragma once

#include "workflows/result.hpp"
#include "workflows/secret.hpp"
#include "workflows/time.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace sallyport::notifiers {

inline constexpr std::size_t slack_longest_request = 1 << 20;

enum class slack_signature {
    right,
    malformed,
    stale,  // more than 300 s from `now`, either way: sent again by somebody, or a clock is wrong
    wrong,
};

/// What `X-Slack-Request-Timestamp` says; none where it is no number of seconds.
std::optional<time_point> slack_signed_at(std::string_view timestamp) noexcept;
/// Within 300 s of `now`, either way.
bool slack_recent(time_point signed_at, time_point now) noexcept;

/// Signature v0 (https://docs.slack.dev/authentication/verifying-requests-from-slack). `timestamp` is the field
/// `X-Slack-Request-Timestamp`, `signature` is `X-Slack-Signature`. With an empty secret nothing is right.
slack_signature verify_slack_signature(const secret& signing_secret, std::string_view timestamp, std::string_view signature,
                                       std::string_view body, time_point now) noexcept;

// Ids are as `slack_id` has them; what Slack did not send is empty. Texts are valid UTF-8 without U+0000.

/// A button of a message.
struct slack_click {
    std::string user, team;
    std::string action_id;
    std::string value;  // at most 2,000 bytes
    std::string channel, message_ts;
    std::string action_ts;  // when, by Slack's clock
    std::string trigger_id;
    std::string response_url;            // empty where it is no https URL
    std::string user_name, team_domain;  // what people call them: to be shown, proves nothing; at most 255 bytes
};

/// A dialog's answer.
struct slack_submission {
    std::string user, team;
    std::string callback_id;
    std::string private_metadata;
    std::string reason;  // of slack_reason_block; blanks at both ends are gone, so it may be empty
};

/// A slash command.
struct slack_command {
    std::string user, team, channel;
    std::string command, text;
    std::string trigger_id;
    std::string response_url;
    std::string user_name, team_domain;  // as of a click
};

/// Well-formed, and nothing that the app asked for (a dialog was closed, `ssl_check`): 200 is the answer.
struct slack_other {
    std::string type;
};

using slack_request = std::variant<slack_click, slack_submission, slack_command, slack_other>;

/// Of a body that `verify_slack_signature` found right. Failures are `malformed_request`.
result<slack_request> read_slack_request(std::string_view body);

/// What came over a socket of Slack's (https://docs.slack.dev/apis/events-api/using-socket-mode).
struct slack_envelope {
    std::string type;      // `hello`, `disconnect`, `interactive`, `slash_commands`…
    std::string id;        // to be acknowledged by; empty where nothing is
    slack_request what{};  // `slack_other` where it asks nothing of us
};

result<slack_envelope> read_slack_envelope(std::string_view text);

/// `answer`: JSON that a request by HTTP would be answered with; may be empty.
std::string slack_acknowledgement(std::string_view envelope, std::string_view answer);

}  // namespace sallyport::notifiers
