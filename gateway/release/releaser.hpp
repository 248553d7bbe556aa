// Sends what people have approved, at most once (blueprint, "Deciding and releasing"): claims, checks again that
// everything still stands behind it, commits `releasing`, sends, commits the outcome. Any replica may do it; the claim in
// the database says which one does.
#pragma once

#include "gateway/forward/pool.hpp"
#include "gateway/http/async.hpp"
#include "gateway/identity/signing_keys.hpp"
#include "gateway/identity/standing.hpp"
#include "gateway/jose/sealing.hpp"
#include "gateway/metrics/metrics.hpp"
#include "gateway/release/payload.hpp"
#include "storage/database.hpp"
#include "storage/hold_store.hpp"
#include "workflows/hold_step.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace sallyport::release {

/// A core that sends, with the pool that is its own.
struct lane {
    http::core* core = nullptr;
    forward::upstream_pool* pool = nullptr;
};

class releaser {
public:
    /// `replica` is this process's, as told to replica_store. Everything referred to outlives it.
    releaser(storage::database&, keyring, const identity::standings&, const identity::signing_keys&, metrics::registry&,
             std::string replica, std::vector<lane>);
    ~releaser();
    releaser(const releaser&) = delete;
    releaser& operator=(const releaser&) = delete;

    /// Once, from any thread.
    void start();
    /// Something may have been approved. Any thread, cheap.
    void wake() noexcept;
    /// Claims nothing more; returns when everything that was being sent has its outcome, or the time has passed and it was
    /// given up: that is `unknown` after the next start. Blocks; not on a core.
    void stop(http::steady_time deadline);

private:
    struct ready;  // one claimed hold, with its action and what it is sent under
    struct worker;

    http::awaitable<void> run();
    http::awaitable<void> all_sent(http::steady_time deadline);
    http::awaitable<void> release_one(worker&, std::shared_ptr<ready>);
    result<std::vector<std::shared_ptr<ready>>> claim(storage::transaction&);
    result<hold> record(storage::transaction&, const ready&, const event&, const answer*);

    storage::database& db_;
    keyring keys_;
    const identity::standings& standings_;
    const identity::signing_keys& signing_;
    metrics::histogram& release_seconds_;
    metrics::registry& registry_;
    std::string replica_;
    std::vector<std::unique_ptr<worker>> workers_;
    http::signal woken_;  // the first core's
    std::atomic<bool> wake_posted_{false};
    std::atomic<bool> stopping_{false};
    std::atomic<std::size_t> sending_{0};
    std::size_t next_worker_ = 0;
};

/// `sallyport_hold_seconds{outcome}`: how long it was from making to closing.
void count_closed(metrics::registry&, const hold&);

}  // namespace sallyport::release
