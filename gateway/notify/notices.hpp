// What a message of the outbox says at the moment of its delivery. Pure: the message, the hold and the directory of the moment
// go in.
#pragma once

#include "notifiers/notice.hpp"
#include "storage/hold_store.hpp"
#include "storage/outbox_store.hpp"
#include "workflows/directory.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace sallyport::notify {

/// Nobody needs to be told any more; `why` for whoever looks at the outbox.
struct not_needed {
    std::string_view why;
};
/// The message that asked is still on its way: word of the end comes after it, or not at all.
struct too_early {
    time_point until;
};

using composition = std::variant<notifiers::notice, not_needed, too_early>;

/// What is the same for every message of a moment.
struct composing {
    std::string_view public_url;    // without its final slash
    std::string_view decision_key;  // by which decision tokens are written; empty: none are
    bool slack_answers = false;     // what is pressed in Slack comes back, and can be believed
    time_point now;
};

/// `asked`: of a message that follows another, that one (outbox_store::asked_before).
composition compose(const storage::outbox_entry&, const std::optional<storage::outbox_entry>& asked,
                    const std::optional<storage::stored_hold>&, const directory&, const composing&);

}  // namespace sallyport::notify
