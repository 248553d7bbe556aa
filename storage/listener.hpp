// Hears what other transactions, on any replica, have told (transaction::notify). One thread and one connection of its
// own. Notifications only make things quicker: one that is lost costs the time until the next poll and nothing else,
// and after each reconnection `reconnected` asks for such a poll.
#pragma once

#include "storage/database.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::storage {

struct listener_options {
    std::string uri;  // as in database_options
    secret password;
    std::chrono::seconds connect_timeout{5};
    std::vector<std::string> channels{std::string(hold_channel), std::string(directory_channel)};
    /// One call for each word. Called on the listener's thread, like the others; must not block or throw.
    std::function<void(std::string_view channel, std::string_view word)> heard;
    /// It listens, for the first time or again: what was told before may have been missed.
    std::function<void()> reconnected;
    std::function<void(std::string_view event, std::string_view detail)> on_event;  // for the operator's log; may be empty
};

class listener {
public:
    /// Returns at once; the thread connects, and connects again with back-off whenever it must.
    explicit listener(listener_options);
    ~listener();
    listener(const listener&) = delete;
    listener& operator=(const listener&) = delete;

    /// Asks it to end, and cuts its connection: a server that says nothing does not keep it. Returns at once.
    void end() noexcept;
    /// end(); no callback runs any more when this returns, at most `connect_timeout` later.
    void stop() noexcept;

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace sallyport::storage
