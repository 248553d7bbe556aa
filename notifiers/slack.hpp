// Slack as a channel: each notice is a direct message of the app's bot, later brought up to date where it stands.
//
// Delivery is at least once, and Slack has no key that would make posting the same again harmless. Where the answer of
// `chat.postMessage` is lost, the next attempt posts a second message: its metadata holds the same `notice::key`, its buttons
// the same token, so that either of the two decides once. Of the first nobody knows the place; when the hold has ended it
// keeps its buttons, and whoever clicks there is told that it has.
#pragma once

#include "notifiers/channel.hpp"
#include "notifiers/slack_message.hpp"
#include "workflows/secret.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace sallyport::notifiers {

struct slack_options {
    std::string api_url = "https://slack.com/api/";  // with its final slash; http only to this machine
    std::function<secret()> bot_token;               // asked before each call: it may be rotated
    std::string ca_file;                             // PEM; empty: the system's
    std::chrono::milliseconds connect_timeout = std::chrono::seconds(5);
    std::chrono::milliseconds timeout = std::chrono::seconds(15);          // of each call; a delivery is at most six
    std::chrono::milliseconds remember_addresses = std::chrono::hours(1);  // who is which user, and where they are written to
};

class slack_channel final : public channel {
public:
    explicit slack_channel(slack_options);
    ~slack_channel() override;

    /// `delivered::message_ref` is `CHANNEL/TS`. What has ended is written into the message that asked, where there is one;
    /// if that is gone, below it, else as a new one.
    delivery deliver(const notice&) override;
    duration longest_delivery() const noexcept override;
    void cut() noexcept override;

    // Answers to a click (slack_request.hpp); none: it is done.

    /// Asks why. Within three seconds of the click, by Slack's rule.
    std::optional<not_delivered> ask_why(const slack_decision&, std::string_view summary, std::string_view trigger_id);
    /// Tells a note of ours to one who clicked, and to nobody else there.
    std::optional<not_delivered> whisper(std::string_view conversation, std::string_view user, const slack_note&);

    /// Where what people do is fetched: the socket's URL, good for one connection, soon. The options' token is the app's for that,
    /// with `connections:write`.
    std::variant<std::string, not_delivered> open_socket();

private:
    class web_api;
    class address_book;
    std::unique_ptr<web_api> api_;
    std::unique_ptr<address_book> addresses_;
};

}  // namespace sallyport::notifiers
