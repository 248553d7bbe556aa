// The administrator's side: what `sallyport agent …`, `person …` and alike ask over the Unix socket in the data
// directory. Whoever may open the socket is the administrator. It runs on a core of its own, which may block.
#pragma once

#include "gateway/http/exchange.hpp"
#include "gateway/serve/services.hpp"

namespace sallyport::serve {

/// GET, POST and DELETE of /agents, /people, /teams, /credentials, /holds, /audit. JSON in and out; failures are problem
/// documents; every change is in the record.
http::awaitable<void> serve_admin(services&, http::exchange&);

}  // namespace sallyport::serve
