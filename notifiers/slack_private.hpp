// What one person alone is answered in Slack: a note, the list of what waits, what is wrong with a dialog. Pure; all are JSON.
// Text of agents stands in `plain_text`, as in slack_message.hpp.
#pragma once

#include "notifiers/slack_message.hpp"
#include "workflows/time.hpp"

#include <boost/json/fwd.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace sallyport::notifiers {

/// `text`, and `blocks` where there is a link.
boost::json::object slack_ephemeral(const slack_note&);

/// The answer to a slash command.
std::string slack_answer_note(const slack_note&);

/// Of a hold that waits.
struct slack_waiting {
    std::string sentence;  // the agent's text
    std::string agent;     // its name
    duration left{};
    std::string link;
};

inline constexpr std::size_t slack_longest_list = 20;

/// The answer to a slash command: at most `slack_longest_list` are shown, and it says where there are `more`.
std::string slack_answer_list(std::span<const slack_waiting>, bool more, std::string_view inbox);

/// The answer to a submission that is not taken: stands below the dialog's field.
std::string slack_dialog_error(std::string_view text);

}  // namespace sallyport::notifiers
