// Held calls: how one is made from a verdict, how its agent waits for it, and the agent's side of its life
// (`/.sallyport/holds…`).
#pragma once

#include "gateway/http/exchange.hpp"
#include "gateway/policy/policy.hpp"
#include "gateway/release/hold_maker.hpp"
#include "gateway/serve/caller.hpp"
#include "gateway/serve/services.hpp"
#include "gateway/serve/worker.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::serve {

/// How long the call may wait on its connection; none: `respond-async`.
using patience = std::optional<duration>;

/// Stores the hold and answers, now or when people have decided. Nothing of the call but its id is kept while it waits.
http::awaitable<void> hold_and_wait(services&, worker&, http::exchange&, release::held_call, patience);

/// `/.sallyport/holds` and below; `path` and `query` as received.
http::awaitable<void> serve_holds(services&, worker&, http::exchange&, caller, std::string path, std::string query);

}  // namespace sallyport::serve
