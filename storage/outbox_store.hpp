// Messages that are to reach people by channels besides the inbox: written with what they tell of, delivered at least
// once, a dead letter when that cannot be.
#pragma once

#include "storage/transaction.hpp"
#include "workflows/ids.hpp"
#include "workflows/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::storage {

/// `skipped`: nobody needs to be told any more, or the channel is not configured.
enum class outbox_state { pending, sent, dead, skipped };

/// What a message tells: that its person is asked, that they still are, that what was asked has ended, or that somebody broke the
/// glass.
enum class message_kind { asked, reminded, ended, glass_broken };
std::string_view name_of(message_kind) noexcept;

struct outbox_entry {
    std::int64_t id = 0;  // given by the database
    std::string key;      // unique as long as it is kept: enqueuing it again does nothing
    std::string channel;  // `slack`, `email`, a webhook's id…
    std::optional<hold_id> hold;
    std::optional<person_id> person;  // none: the channel tells of the hold, not to a person
    std::string browser;              // of `push`: the subscription (push_store.hpp); given by enqueue()
    message_kind what = message_kind::asked;
    outbox_state state = outbox_state::pending;
    int attempts = 0;         // begun
    std::string message_ref;  // what the channel calls the message, for later updates
    std::string last_error;
    time_point next_at;  // when it is due
    time_point created_at;
};

namespace outbox_store {

/// `key`, `channel`, `hold`, `person` and `what` count; due at once. How many are new. Of `push` becomes one for each browser of the
/// person's, with the browser behind its key; none where there is no browser.
std::size_t enqueue(transaction&, std::span<const outbox_entry>);
/// For whoever was asked about that hold, on the same channel: that it has ended. How many are new.
std::size_t enqueue_ended(transaction&, hold_id);

/// Takes what is due: it counts one attempt more and is due again after `lease`, so that a delivery whose replica dies
/// is tried by another. Two replicas never get the same one within the lease.
std::vector<outbox_entry> due(transaction&, std::string_view channel, std::size_t limit, duration lease);

/// Delivered: `message_ref` may be empty. Lost: marked otherwise meanwhile.
race sent(transaction&, std::int64_t id, std::string_view message_ref);
struct sent_message {
    std::int64_t id = 0;
    std::string message_ref;
};
/// The same of many. How many were still pending.
std::size_t sent(transaction&, std::span<const sent_message>);
/// Taken and not begun: due at once, and this attempt was none.
std::size_t give_back(transaction&, std::span<const std::int64_t> ids);
race again(transaction&, std::int64_t id, time_point next_at, std::string_view error);
/// It was taken too early: this attempt was none.
race put_off(transaction&, std::int64_t id, time_point next_at);
race dead(transaction&, std::int64_t id, std::string_view error);
race skip(transaction&, std::int64_t id, std::string_view why);
/// Skips what has waited since `before` for channels other than these. How many.
std::size_t skip_all_but(transaction&, std::span<const std::string> channels, time_point before);
/// A dead letter is due again, at once, as if it were made now.
race revive(transaction&, std::int64_t id);

/// The newest that asked the same recipient of the hold on the same channel as this one.
std::optional<outbox_entry> asked_before(transaction&, const outbox_entry&);

std::vector<outbox_entry> of_hold(transaction&, hold_id);                 // in the order of their making
std::vector<outbox_entry> dead_letters(transaction&, std::size_t limit);  // newest first

struct channel_counts {
    std::int64_t pending = 0;
    std::int64_t dead = 0;
    std::optional<time_point> oldest;         // of those pending
    std::optional<time_point> failing_since;  // none of its messages could be delivered since; none: the last one could
    std::string last_error;                   // while it fails
    std::optional<time_point> last_sent_at;   // to within ten seconds
};
/// What the channel did with the last of its messages, for every replica and page.
void note_sent(transaction&, std::string_view channel);
void note_failed(transaction&, std::string_view channel, std::string_view error);
/// Of each channel that was ever used, or for which something waits or died.
std::map<std::string, channel_counts> counts(transaction&);
/// At most so many of those that were sent, skipped or given up, and whose hold is closed.
std::size_t remove_over(transaction&, time_point before, std::size_t limit);

}  // namespace outbox_store
}  // namespace sallyport::storage
