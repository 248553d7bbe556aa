// Delivers the outbox: takes what is due for each channel, a batch at a time, composes it as the hold stands now, hands it to the
// channel, and writes down what became of it, again many at a time. At least once: a replica that dies between the channel's word and its own commit leaves the message to
// another, under the same key.
//
// Each channel has threads of its own, for its calls block: one that is slow holds up no other. Every replica delivers, and
// SKIP LOCKED keeps them apart.
#pragma once

#include "gateway/identity/standing.hpp"
#include "gateway/jose/sealing.hpp"
#include "gateway/metrics/metrics.hpp"
#include "gateway/notify/channels.hpp"
#include "storage/database.hpp"
#include "workflows/secret.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace sallyport::notify {

struct dispatcher_options {
    secret decision_key;                                                            // identity/decision_token.hpp
    std::optional<keyring> keys;                                                    // opens addresses of browsers; none: push is skipped
    std::size_t threads = 4;                                                        // of each channel
    std::chrono::milliseconds poll{1000};                                           // when nothing wakes it
    std::function<double()> chance;                                                 // in [0, 1), any thread: jitter
    std::function<channel_map(const config::configuration&)> make = make_channels;  // tests put others in
};

class dispatcher {
public:
    dispatcher(storage::database&, const identity::standings&, metrics::registry&, dispatcher_options);
    /// stop().
    ~dispatcher();
    dispatcher(const dispatcher&) = delete;
    dispatcher& operator=(const dispatcher&) = delete;

    void start();
    /// There may be something to deliver. Any thread; does not block.
    void wake() noexcept;
    /// Nothing more is begun; what is being delivered is cut, and tried again by whoever is there.
    void stop() noexcept;

private:
    class lane;

    void watch();
    void clean_up();
    void adopt(const config::snapshot&);

    storage::database& db_;
    const identity::standings& standings_;
    metrics::registry& registry_;
    const dispatcher_options options_;
    config::snapshot adopted_;

    std::mutex mutex_;  // for the members below
    std::condition_variable wake_;
    std::map<std::string, std::unique_ptr<lane>, std::less<>> lanes_;
    bool stopping_ = false;
    std::thread watcher_;
};

}  // namespace sallyport::notify
