// What those who run the gateway look at: /healthz, /readyz and /metrics, on a listener of their own.
#pragma once

#include "gateway/audit/recorder.hpp"
#include "gateway/http/exchange.hpp"
#include "gateway/identity/standing.hpp"
#include "gateway/metrics/metrics.hpp"
#include "storage/database.hpp"

#include <atomic>
#include <string>

namespace sallyport::serve {

/// Serves from before the database is there. What `started` releases is set before it.
struct operations {
    metrics::registry& metrics;
    const identity::standings& standings;
    std::atomic<bool> started{false};
    std::atomic<bool> stopping{false};
    storage::database* db = nullptr;
    const audit::recorder* recorder = nullptr;

    http::awaitable<void> serve(http::exchange&);

private:
    http::awaitable<void> readiness(http::exchange&);
    /// What is missing where nobody can be told of what waits; empty: nothing.
    http::awaitable<std::string> unreachable(http::exchange&);
    http::awaitable<void> measurements(http::exchange&);
};

}  // namespace sallyport::serve
