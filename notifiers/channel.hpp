// A channel besides the inbox: it turns one notice into one delivery. Slack, email and webhooks are each one class that
// knows its protocol and nothing of databases, retries or who is to be told: those are the dispatcher's (gateway/notify).
#pragma once

#include "notifiers/notice.hpp"
#include "workflows/time.hpp"

#include <optional>
#include <string>
#include <variant>

namespace sallyport::notifiers {

/// The channel has it. `message_ref` is what the channel calls the message, for whoever updates or answers it later; empty
/// where there is no such thing.
struct delivered {
    std::string message_ref;
};

/// It has it not, as far as is known: where an answer was lost it may have, and `notice::key` tells it that this is the same.
struct not_delivered {
    /// `later`: the channel's trouble, try again. `never`: this message will never be taken. `address`: nothing will reach this
    /// recipient here, until somebody changes the address.
    enum class kind { later, never, address } what = kind::later;
    std::string why;                     // for operators: no secret, no text of an agent's
    std::optional<duration> not_before;  // the channel asked for a pause (`Retry-After`)
    bool tried = true;                   // false: nothing was sent, it is too early; no attempt
};

using delivery = std::variant<delivered, not_delivered>;

class channel {
public:
    channel() = default;
    virtual ~channel() = default;
    channel(const channel&) = delete;
    channel& operator=(const channel&) = delete;

    /// Blocks, for a bounded time. Any thread, several at once. Throws nothing that the channel could have foreseen.
    virtual delivery deliver(const notice&) = 0;
    /// No delivery takes longer: for so long nobody else may take its message.
    virtual duration longest_delivery() const noexcept = 0;
    /// A pause that it asks for (`not_before`) is for all of its messages: it is one service. False: for that message.
    virtual bool pauses_as_one() const noexcept { return true; }
    /// Ends what is being delivered, and what would be, soon: `later`. Any thread, while others deliver; does not block.
    virtual void cut() noexcept = 0;
};

}  // namespace sallyport::notifiers
