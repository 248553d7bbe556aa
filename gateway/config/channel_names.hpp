// Which channels there are besides the inbox, by the names that `via`, the outbox and the metrics use.
#pragma once

#include "gateway/config/configuration.hpp"

#include <set>
#include <string>

namespace sallyport::config {

/// Those that the configuration sets up, and `push`, which is of the inbox and always there.
std::set<std::string> channel_names(const configuration&);

}  // namespace sallyport::config
