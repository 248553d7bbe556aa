// What Slack is told of a hold: a notice as the arguments of `chat.postMessage` and `chat.update`, the dialog that asks why
// one denies as those of `views.open`. Pure. All are JSON.
//
// What an agent wrote stands in `plain_text`, which knows no markup, no mention and no emoji, below words of ours that say
// whose it is. Where anything had to be cut there is no button to approve: nothing can be approved where it is cut.
#pragma once

#include "notifiers/notice.hpp"
#include "workflows/ids.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::notifiers {

// What comes back of a click, an answered dialog.
inline constexpr std::string_view slack_approve_action = "sallyport_approve";
inline constexpr std::string_view slack_deny_action = "sallyport_deny";
inline constexpr std::string_view slack_open_action = "sallyport_open";  // a link: Slack tells of it, nothing is to be done
inline constexpr std::string_view slack_deny_dialog = "sallyport_deny_dialog";
inline constexpr std::string_view slack_reason_block = "sallyport_reason_block";
inline constexpr std::string_view slack_reason_action = "sallyport_reason";

/// Of a reason, in UTF-16 units, as the dialog takes it. Each is at most three bytes, and people may write 2,000 bytes.
inline constexpr std::size_t slack_longest_reason = 660;

/// What the buttons carry, and the dialog passes on: which hold, and the notice's `decision_token`.
struct slack_decision {
    hold_id hold;
    std::string token;

    std::string text() const;
    static std::optional<slack_decision> parse(std::string_view);
    /// 1 to 1,900 of A-Z a-z 0-9 . _ ~ -: what Slack gives back as it got it.
    static bool valid_token(std::string_view) noexcept;
};

/// `chat.postMessage`. Buttons that decide are there only where a click is enough, nothing is cut and there is a token; else
/// a link to the page. `thread_ts`: the message that this one follows; may be empty.
std::string slack_post(const notice&, std::string_view channel, std::string_view thread_ts = {});

/// `chat.update` of the message `ts`: all of it is written anew.
std::string slack_update(const notice&, std::string_view channel, std::string_view ts);

/// `views.open`. `summary` is the agent's text, as in `sentence`.
std::string slack_open_deny_dialog(const slack_decision&, std::string_view summary, std::string_view trigger_id);

/// One sentence of ours, and perhaps where to go: a button of that label.
struct slack_note {
    std::string text;
    std::string link{};
    std::string label = "Open";
};

/// `chat.postEphemeral`: a note that only `user` sees.
std::string slack_whisper(std::string_view channel, std::string_view user, const slack_note&);

}  // namespace sallyport::notifiers
