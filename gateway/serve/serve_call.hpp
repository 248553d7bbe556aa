// One call of an agent, from its head to its answer (ARCHITECTURE.md, "The one flow").
#pragma once

#include "gateway/http/exchange.hpp"
#include "gateway/serve/services.hpp"
#include "gateway/serve/worker.hpp"

namespace sallyport::serve {

/// Everything on the agents' listener: the token endpoint, the agents' own holds, and calls under routes.
http::awaitable<void> serve_agent(services&, worker&, http::exchange&);

}  // namespace sallyport::serve
