#include "gateway/notify/dispatcher.hpp"

#include "gateway/log/log.hpp"
#include "gateway/notify/lane.hpp"
#include "storage/outbox_store.hpp"

#include <pthread.h>

#include <exception>
#include <utility>
#include <vector>

namespace sallyport::notify {
namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 1s;
constexpr auto clean_every = 600;  // looks
constexpr duration keep_over = std::chrono::hours(24 * 30);
constexpr std::size_t removed_at_once = 5000;
// Another replica may know a channel that this one does not, while configurations are being rolled out.
constexpr duration unknown_for = std::chrono::minutes(15);

void complain(const char* doing, const failure& why)
{
    if (why.what != problem::storage_unavailable) log::error(doing, {{"cause", why.detail + " " + why.cause}});
}

}  // namespace

dispatcher::dispatcher(storage::database& db, const identity::standings& all, metrics::registry& registry, dispatcher_options options)
    : db_(db),
      standings_(all),
      registry_(registry),
      options_(std::move(options))
{
}

dispatcher::~dispatcher() { stop(); }

void dispatcher::start()
{
    watcher_ = std::thread([this] { watch(); });
}

void dispatcher::wake() noexcept
{
    const std::lock_guard lock(mutex_);
    for (auto& [name, one] : lanes_) one->wake();
}

void dispatcher::stop() noexcept
{
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        for (auto& [name, one] : lanes_) one->end();
    }
    wake_.notify_all();
    if (watcher_.joinable()) watcher_.join();
    lanes_.clear();
}

// Another configuration may have other channels; and what has been over for long is forgotten.
void dispatcher::watch()
{
    ::pthread_setname_np(::pthread_self(), "notify");
    for (int looks = 0;; ++looks) {
        try {
            adopt(standings_.current()->config);
            // Only this thread changes what lanes there are.
            for (const auto& [name, one] : lanes_) one->give_back_stale();
            if (looks % clean_every == clean_every - 1) clean_up();
        } catch (const std::exception& e) {
            log::error("channels not adopted", {{"cause", e.what()}});
        }
        std::unique_lock lock(mutex_);
        if (wake_.wait_for(lock, look_every, [this] { return stopping_; })) return;
    }
}

void dispatcher::clean_up()
{
    for (;;) {
        const auto removed = db_.run_blocking(
            [](storage::transaction& tx) { return storage::outbox_store::remove_over(tx, tx.now() - keep_over, removed_at_once); });
        if (!removed) return complain("messages not removed", removed.error());
        if (*removed < removed_at_once) return;
    }
}

void dispatcher::adopt(const config::snapshot& next)
{
    if (next != adopted_) {
        channel_map channels = options_.make(*next);
        std::vector<std::unique_ptr<lane>> gone;  // ends outside of the lock: a delivery may take its time
        const std::lock_guard lock(mutex_);
        if (stopping_) return;
        for (auto at = lanes_.begin(); at != lanes_.end();) {
            const auto found = channels.find(at->first);
            if (found == channels.end()) {
                gone.push_back(std::move(at->second));
                at = lanes_.erase(at);
                continue;
            }
            at->second->change(std::move(found->second));
            channels.erase(found);
            ++at;
        }
        for (auto& [name, to] : channels) {
            auto made = std::make_unique<lane>(*this, name, std::move(to));
            made->start();
            lanes_.emplace(name, std::move(made));
        }
        adopted_ = next;
    }
    // Rules may name a channel before it is set up (`check` warns): nothing piles up for it.
    std::vector<std::string> names;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [name, one] : lanes_) names.push_back(name);
    }
    const auto skipped =
        db_.run_blocking([&](storage::transaction& tx) { storage::outbox_store::skip_all_but(tx, names, tx.now() - unknown_for); });
    if (!skipped) complain("messages of unknown channels not skipped", skipped.error());
}

}  // namespace sallyport::notify
