// Says in Slack what is left to say when a click was answered: opens dialogs, whispers. Slack waits three seconds for the answer to a
// click, and its Web API blocks, so that this has threads of its own, and a queue that ends. What is lost here decides nothing.
#pragma once

#include "gateway/identity/standing.hpp"
#include "notifiers/slack.hpp"
#include "notifiers/slack_errand.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace sallyport::notify {

class slack_desk {
public:
    explicit slack_desk(const identity::standings&);
    /// stop().
    ~slack_desk();
    slack_desk(const slack_desk&) = delete;
    slack_desk& operator=(const slack_desk&) = delete;

    void start();
    /// False: too many wait, or it has ended; nothing is said then. Any thread; does not block.
    bool take(notifiers::slack_errand) noexcept;
    /// Cuts what is being said, and forgets what waits.
    void stop() noexcept;

private:
    using clock = std::chrono::steady_clock;
    struct waiting {
        notifiers::slack_errand errand;
        clock::time_point since;
    };

    void run();
    void say(const waiting&);
    void whisper(const notifiers::slack_whispering&);
    /// By the configuration of now; null where Slack is not in it any more.
    std::shared_ptr<notifiers::slack_channel> channel();

    const identity::standings& standings_;
    std::mutex mutex_;  // for the members below
    std::condition_variable wake_;
    std::deque<waiting> queue_;
    config::snapshot adopted_;
    std::shared_ptr<notifiers::slack_channel> channel_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace sallyport::notify
