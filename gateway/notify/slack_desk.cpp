#include "gateway/notify/slack_desk.hpp"

#include "gateway/log/log.hpp"
#include "gateway/notify/channels.hpp"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <utility>
#include <variant>

namespace sallyport::notify {
namespace {

using namespace std::chrono_literals;
using kind = notifiers::not_delivered::kind;

constexpr std::size_t desk_threads = 4;
constexpr std::size_t most_waiting = 256;
constexpr auto dialog_time = 2500ms;  // of the three seconds for which a trigger is good
constexpr int most_attempts = 4;
constexpr duration longest_pause = 5s;

}  // namespace

slack_desk::slack_desk(const identity::standings& all) : standings_(all) {}

slack_desk::~slack_desk() { stop(); }

void slack_desk::start()
{
    for (std::size_t i = 0; i < desk_threads; ++i) threads_.emplace_back([this] { run(); });
}

bool slack_desk::take(notifiers::slack_errand errand) noexcept
try {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_ || queue_.size() >= most_waiting) return false;
        queue_.push_back({std::move(errand), clock::now()});
    }
    wake_.notify_all();  // some of those who wait do so for a pause to pass
    return true;
} catch (const std::exception&) {
    return false;  // no memory
}

void slack_desk::stop() noexcept
{
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        queue_.clear();
        if (channel_) channel_->cut();
    }
    wake_.notify_all();
    for (std::thread& t : threads_)
        if (t.joinable()) t.join();
}

void slack_desk::run()
{
    ::pthread_setname_np(::pthread_self(), "slack");
    for (;;) {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (stopping_) return;
        const waiting next = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        try {
            say(next);
        } catch (const std::exception& e) {
            log::error("Slack was not answered", {{"cause", e.what()}});
        }
    }
}

std::shared_ptr<notifiers::slack_channel> slack_desk::channel()
{
    const auto now = standings_.current()->config;
    const std::lock_guard lock(mutex_);
    if (stopping_) return nullptr;
    if (now != adopted_) {
        adopted_ = now;
        channel_.reset();
        if (now->notifiers.slack) {
            auto options = slack_options_of(*now->notifiers.slack);
            options.connect_timeout = options.timeout = dialog_time;
            channel_ = std::make_shared<notifiers::slack_channel>(std::move(options));
        }
    }
    return channel_;
}

void slack_desk::say(const waiting& next)
{
    if (const auto* words = std::get_if<notifiers::slack_whispering>(&next.errand)) return whisper(*words);
    const auto& ask = std::get<notifiers::slack_asking>(next.errand);
    const auto to = channel();
    if (!to) return;
    if (clock::now() - next.since < dialog_time) {
        const auto failed = to->ask_why(ask.decision, ask.summary, ask.trigger_id);
        if (!failed) return;
        log::warning("dialog not opened in Slack", {{"cause", failed->why}});
    }
    whisper(ask.otherwise);
}

void slack_desk::whisper(const notifiers::slack_whispering& words)
{
    if (words.conversation.empty()) return;
    for (int attempt = 1;; ++attempt) {
        const auto to = channel();
        if (!to) return;
        const auto failed = to->whisper(words.conversation, words.user, words.note);
        if (!failed) return;
        if (failed->what != kind::later || attempt == most_attempts) {
            log::warning("not told in Slack", {{"cause", failed->why}});
            return;
        }
        const duration pause = std::min(failed->not_before.value_or(duration(500ms) * attempt), longest_pause);
        std::unique_lock lock(mutex_);
        if (wake_.wait_for(lock, pause, [this] { return stopping_; })) return;
    }
}

}  // namespace sallyport::notify
