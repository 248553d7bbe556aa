// What is written of whom a hold's moves ask and pass over, and how tired people are by then (`limits.asks_per_hour`).
#pragma once

#include "gateway/config/configuration.hpp"
#include "storage/transaction.hpp"
#include "workflows/hold_step.hpp"
#include "workflows/recent_asks.hpp"

#include <cstddef>
#include <span>

namespace sallyport::release {

/// As this transaction sees it. Without a cap nothing is read. Transactions side by side do not see each other's: a cap bounds, and
/// does not ration.
recent_asks read_recent_asks(storage::transaction&, const config::limits&);

/// Writes it, in the transaction that moves those holds.
void record_asks(storage::transaction&, std::span<const effect>);
/// They count from now on.
void count_asks(recent_asks&, std::span<const effect>);
std::size_t people_passed_over(std::span<const effect>) noexcept;

}  // namespace sallyport::release
