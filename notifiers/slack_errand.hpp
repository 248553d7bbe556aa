// What is to be said in Slack after a click was answered: calls of Slack's Web API, which block, so that somebody else makes them.
#pragma once

#include "notifiers/slack_message.hpp"

#include <string>
#include <variant>

namespace sallyport::notifiers {

struct slack_whispering {
    std::string conversation, user;
    slack_note note;
};

/// The dialog that asks why. It has three seconds from the click on; `otherwise` is said where it cannot be opened.
struct slack_asking {
    slack_decision decision;
    std::string summary;
    std::string trigger_id;
    slack_whispering otherwise;
};

using slack_errand = std::variant<slack_whispering, slack_asking>;

}  // namespace sallyport::notifiers
