// One channel's part of the dispatcher: its threads, and what they do with a message.
#pragma once

#include "gateway/notify/dispatcher.hpp"
#include "gateway/notify/notices.hpp"
#include "notifiers/channel.hpp"
#include "storage/outbox_store.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sallyport::notify {

class dispatcher::lane {
public:
    lane(dispatcher&, std::string name, std::shared_ptr<notifiers::channel>);
    ~lane();
    lane(const lane&) = delete;
    lane& operator=(const lane&) = delete;

    void start();
    /// Another configuration's channel of the same name; deliveries that run go on with the one they began with.
    void change(std::shared_ptr<notifiers::channel>);
    void wake() noexcept;
    /// Asks its threads to end, and cuts what they deliver; the destructor waits for them.
    void end() noexcept;

private:
    using clock = std::chrono::steady_clock;
    void run();
    /// Until then nothing is taken: the channel's own wish, for all of its messages.
    void rest(duration);
    /// False: nothing was due.
    bool deliver_next();
    result<std::optional<storage::outbox_entry>> take(duration lease);
    result<composition> composed(const storage::outbox_entry&);
    void deliver(const storage::outbox_entry&, const composition&, notifiers::channel&);
    void write_down(const storage::outbox_entry&, const notifiers::delivery&);
    void count(std::string_view result);
    std::shared_ptr<notifiers::channel> channel() const;
    bool ending() const;

    dispatcher& of_;
    const std::string name_;
    mutable std::mutex mutex_;  // for the members below
    std::condition_variable wake_;
    std::shared_ptr<notifiers::channel> channel_;
    std::vector<std::weak_ptr<notifiers::channel>> earlier_;  // by which somebody may still be delivering
    clock::time_point rests_until_{};                         // the channel asked for a pause
    bool ending_ = false;
    bool news_ = true;
    std::vector<std::thread> threads_;
};

}  // namespace sallyport::notify
