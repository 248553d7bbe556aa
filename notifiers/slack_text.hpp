// Text of others in Slack's messages: on one line, as it is, countable.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sallyport::notifiers {

/// `text` as valid UTF-8 on one line: line breaks show as `↵`, other controls and what turns the direction of writing as
/// `\u202E`, bytes that are no UTF-8 as `\xFF`. What a notice brings is inert already, but for what people wrote; here
/// that is made sure of, for a line break would be enough to forge a line of the card.
std::string slack_line(std::string_view text);

/// For `mrkdwn`, and wherever Slack looks for `<!channel>` and `<@U…>`.
std::string escaped_for_mrkdwn(std::string_view text);

/// How long Slack may take valid UTF-8 to be, at worst: UTF-16 units, with `&`, `<` and `>` as the entities that it keeps.
std::size_t slack_length(std::string_view text) noexcept;

struct fitted_text {
    std::string text;
    bool cut = false;
};

/// Valid UTF-8, cut behind a character and marked so where it is longer than `limit` (by `slack_length`).
fitted_text fit(std::string_view text, std::size_t limit);

}  // namespace sallyport::notifiers
