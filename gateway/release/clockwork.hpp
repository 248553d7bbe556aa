// Time's part: holds whose wake_at has come, claims that a dead replica left, what is no longer kept; and this replica's own
// heartbeat. Threads of their own, because the driver blocks: two, because others take a replica whose heart is late for
// dead, and what it sends for lost. Every replica runs them, and SKIP LOCKED keeps them apart.
#pragma once

#include "gateway/identity/standing.hpp"
#include "gateway/metrics/metrics.hpp"
#include "gateway/release/releaser.hpp"
#include "gateway/release/row_by_row.hpp"
#include "storage/database.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace sallyport::release {

class clockwork {
public:
    clockwork(storage::database&, const identity::standings&, releaser&, metrics::registry&, std::string replica);
    ~clockwork();
    clockwork(const clockwork&) = delete;
    clockwork& operator=(const clockwork&) = delete;

    void start();
    void stop() noexcept;

private:
    /// Until the stop, `act` now and again after each pause; it says how long that is.
    void repeat(const std::function<std::chrono::milliseconds()>& act);
    void run();
    void beat();
    bool wake_due();
    void settle_abandoned();
    void clean_up();

    storage::database& db_;
    const identity::standings& standings_;
    releaser& releaser_;
    metrics::registry& registry_;
    std::string replica_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    // Of the first thread.
    set_aside bad_due_{"hold could not be woken"};
    set_aside bad_abandoned_{"abandoned hold could not be settled"};
    std::thread thread_, heart_;
};

}  // namespace sallyport::release
