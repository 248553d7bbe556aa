// Which replicas live: claims of a dead one may be taken by others.
#pragma once

#include "storage/transaction.hpp"

#include <cstddef>
#include <string_view>

namespace sallyport::storage::replica_store {

/// A replica whose last beat is longer ago than this is dead to the others.
inline constexpr int dead_after_seconds = 10;

/// `replica` is new with each start of the process (random), `node` is its data directory's (data_directory::node).
/// Since one process at a time owns that directory, earlier incarnations of it are dead from now on.
void start(transaction&, std::string_view replica, std::string_view node);
/// Every two seconds or so. Lost: this replica was declared dead (its node started again) and must stop.
race beat(transaction&, std::string_view replica);
/// A clean end: claims are free at once.
void end(transaction&, std::string_view replica);
std::size_t alive(transaction&);

}  // namespace sallyport::storage::replica_store
