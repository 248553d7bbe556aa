// The channel by mail: a notice becomes one message to one person, in the thread of its hold.
#pragma once

#include "notifiers/channel.hpp"
#include "notifiers/mail_text.hpp"
#include "notifiers/smtp.hpp"

#include <optional>
#include <string>

namespace sallyport::notifiers {

struct email_options {
    smtp_server server;      // without `greeting`: that is the sender's domain
    std::string from;        // an address, or `Name <address>`
    std::string public_url;  // the gateway's, for people
};

/// `delivered::message_ref` is the `Message-ID`.
class email final : public channel {
public:
    explicit email(email_options);

    delivery deliver(const notice&) override;
    duration longest_delivery() const noexcept override { return sender_.longest(); }
    void cut() noexcept override { sender_.cut(); }

private:
    const std::optional<mailbox> from_;  // none: what was given is no address
    const std::string public_url_;
    smtp_sender sender_;
};

}  // namespace sallyport::notifiers
