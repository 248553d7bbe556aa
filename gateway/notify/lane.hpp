// One channel's part of the dispatcher: its threads, and what they do with its messages.
//
// One thread at a time claims a batch, in one transaction, and composes it in a second; all of them deliver from it, each one
// message; what became of them one writes down for all that have ended meanwhile. A batch grows while its channel keeps up, and
// what waits in it for too long is given back, so that a slow channel keeps nothing from another replica.
#pragma once

#include "gateway/notify/dispatcher.hpp"
#include "gateway/notify/notices.hpp"
#include "notifiers/channel.hpp"
#include "storage/outbox_store.hpp"

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sallyport::notify {

class dispatcher::lane {
public:
    lane(dispatcher&, std::string name, std::shared_ptr<notifiers::channel>);
    /// Waits for its threads; what was claimed and not begun is due again at once.
    ~lane();
    lane(const lane&) = delete;
    lane& operator=(const lane&) = delete;

    void start();
    /// Another configuration's channel of the same name; deliveries that run go on with the one they began with.
    void change(std::shared_ptr<notifiers::channel>);
    void wake() noexcept;
    /// Gives back what has waited here for too long. Once a second, by the watcher: the threads may all be delivering.
    void give_back_stale();
    /// Asks its threads to end, and cuts what they deliver; the destructor waits for them.
    void end() noexcept;

private:
    using clock = std::chrono::steady_clock;
    struct claimed {
        storage::outbox_entry message;
        std::optional<composition> what;  // none: to be composed by itself
        clock::time_point since;
    };
    struct finished {
        storage::outbox_entry message;
        std::variant<notifiers::delivery, not_needed, too_early> how;
    };

    void run();
    /// Until then nothing is taken: the channel's own wish, for all of its messages.
    void rest(duration);
    /// False: nothing was due, or nothing more than others have at hand.
    bool deliver_next();
    bool needs_claim();
    void claim(duration lease);
    /// There is one to deliver. `mutex_` is held.
    bool ready() const;
    std::optional<claimed> next();
    void give_back(const std::deque<claimed>&);
    composition composed(storage::transaction&, const storage::outbox_entry&) const;
    void address(storage::transaction&, const storage::outbox_entry&, composition&) const;
    result<composition> composed_alone(const storage::outbox_entry&);
    void deliver(claimed, notifiers::channel&);
    void finish(finished);
    void write_down(const std::vector<finished>&);
    std::string_view write_one(storage::transaction&, const finished&) const;
    void report(const finished&, std::string_view result);
    std::shared_ptr<notifiers::channel> channel() const;
    bool ending() const;

    dispatcher& of_;
    const std::string name_;
    mutable std::mutex mutex_;  // for the members below
    std::condition_variable wake_;
    std::shared_ptr<notifiers::channel> channel_;
    std::vector<std::weak_ptr<notifiers::channel>> earlier_;  // by which somebody may still be delivering
    clock::time_point rests_until_{};                         // the channel asked for a pause
    std::deque<claimed> queue_;
    std::size_t batch_;  // so many are claimed next
    bool more_ = true;   // the last claim was a full one
    bool claiming_ = false;
    std::vector<finished> finished_;
    bool writing_ = false;
    bool ending_ = false;
    bool news_ = true;
    std::vector<std::thread> threads_;
};

}  // namespace sallyport::notify
