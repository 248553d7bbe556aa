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
    message_kind what = message_kind::asked;
    outbox_state state = outbox_state::pending;
    int attempts = 0;         // begun
    std::string message_ref;  // what the channel calls the message, for later updates
    std::string last_error;
    time_point next_at;  // when it is due
    time_point created_at;
};

namespace outbox_store {

/// `key`, `channel`, `hold`, `person` and `what` count; due at once. How many are new.
std::size_t enqueue(transaction&, std::span<const outbox_entry>);
/// For whoever was asked about that hold, on the same channel: that it has ended. How many are new.
std::size_t enqueue_ended(transaction&, hold_id);

/// Takes what is due: it counts one attempt more and is due again after `lease`, so that a delivery whose replica dies
/// is tried by another. Two replicas never get the same one within the lease.
std::vector<outbox_entry> due(transaction&, std::string_view channel, std::size_t limit, duration lease);

/// Delivered: `message_ref` may be empty. Lost: marked otherwise meanwhile.
race sent(transaction&, std::int64_t id, std::string_view message_ref);
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
    std::optional<time_point> oldest;  // of those pending
};
/// Of each channel for which something waits or died.
std::map<std::string, channel_counts> counts(transaction&);
/// At most so many of those that were sent, skipped or given up, and whose hold is closed.
std::size_t remove_over(transaction&, time_point before, std::size_t limit);

}  // namespace outbox_store
}  // namespace sallyport::storage
