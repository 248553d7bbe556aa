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

/// What is left of a held call while it waits for people, beside its socket.
struct waiting_call {
    hold_id hold;
    action_id action;
    agent_id whose;
    patience wait;
};

/// Commits the hold. None: it could not be, and the agent has been told why.
http::awaitable<std::optional<storage::created>> make_hold(services&, http::exchange&, release::held_call);
/// Answers now, or when people have decided.
http::awaitable<void> wait_for_people(services&, worker&, http::exchange&, waiting_call);

/// `/.sallyport/holds` and below; `path` and `query` as received.
http::awaitable<void> serve_holds(services&, worker&, http::exchange&, caller, std::string path, std::string query);

}  // namespace sallyport::serve
