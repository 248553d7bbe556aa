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
#include "gateway/release/flights.hpp"
#include "gateway/release/handover.hpp"
#include "gateway/release/payload.hpp"
#include "gateway/release/row_by_row.hpp"
#include "storage/database.hpp"
#include "storage/hold_store.hpp"
#include "workflows/hold_step.hpp"

#include <atomic>
#include <functional>
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
             std::string replica, const std::vector<lane>&);
    ~releaser();
    releaser(const releaser&) = delete;
    releaser& operator=(const releaser&) = delete;

    /// Once, from any thread.
    void start();
    /// Something may have been approved. Any thread, cheap.
    void wake() noexcept;
    /// Claims nothing more; what was claimed and not begun goes back. Returns when everything that was being sent has its
    /// outcome, or the time has passed and it was given up: that is `unknown` after the next start. Blocks; not on a core.
    void stop(http::steady_time deadline);

    /// Where connections wait for answers that are too long to be kept.
    handovers& waiting() noexcept { return waiting_; }

private:
    struct ready;  // one claimed hold, with its action and what it is sent under
    struct worker;
    struct claimed {  // one hold that was approved, as the claim left it
        hold now;
        std::shared_ptr<ready> to_send;  // null: it was closed instead
    };
    struct recorded {
        hold now;
        bool moved = false;  // by this attempt to write it
    };

    http::awaitable<void> run();
    http::awaitable<bool> claim_some();
    http::awaitable<bool> settle();
    http::awaitable<void> until_idle(std::function<bool()> idle, http::steady_time deadline);
    http::awaitable<void> release_one(worker&, std::shared_ptr<ready>);
    http::awaitable<void> write_outcome(worker&, std::shared_ptr<ready>, event, std::shared_ptr<const answer>);
    void begin(claimed);
    result<std::vector<claimed>> claim(storage::transaction&, const storage::hold_store::pick&, std::vector<hold_id>& wanted);
    result<std::vector<hold>> settle_left_over(storage::transaction&, const storage::hold_store::pick&, std::vector<hold_id>& wanted);
    result<recorded> record(storage::transaction&, const ready&, const event&, const answer*);

    storage::database& db_;
    keyring keys_;
    const identity::standings& standings_;
    const identity::signing_keys& signing_;
    metrics::histogram& release_seconds_;
    metrics::registry& registry_;
    std::string replica_;
    handovers waiting_;
    flights flights_;
    std::vector<std::unique_ptr<worker>> workers_;
    std::atomic<bool> wake_posted_{false};
    std::atomic<bool> stopping_{false};
    std::atomic<http::steady_time> give_up_at_{http::steady_time::max()};

    // Touched on the first core.
    http::signal woken_;
    http::task_group claiming_;  // run() alone: it spawns into the others, and ends before them
    set_aside bad_claims_{"held action could not be claimed"};
    set_aside bad_left_overs_{"hold left over could not be settled"};
    std::size_t next_worker_ = 0;
};

/// `sallyport_hold_seconds{outcome}`: how long it was from making to closing; nothing of what is open.
void count_closed(metrics::registry&, const hold&);
void count_closed(metrics::registry&, hold_status, duration after);
/// The same of several, which are closed now, and a line of the log for each.
void tell_closed(metrics::registry&, const std::vector<hold>&);
/// `sallyport_passed_over_total`: how often people were not told of a hold, for they had been asked too often.
void count_passed_over(metrics::registry&, std::size_t people);

}  // namespace sallyport::release
