// Time's part: holds whose wake_at has come, claims that a dead replica left, this replica's own heartbeat, and what is
// no longer kept. A thread of its own, because the driver blocks; every replica runs one, and SKIP LOCKED keeps them apart.
#pragma once

#include "gateway/identity/standing.hpp"
#include "gateway/metrics/metrics.hpp"
#include "gateway/release/releaser.hpp"
#include "storage/database.hpp"

#include <condition_variable>
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
    void run();
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
    std::thread thread_;
};

}  // namespace sallyport::release
