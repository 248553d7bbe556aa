// Who makes a call: the verified token and the agent it was given to.
#pragma once

#include "gateway/http/head.hpp"
#include "gateway/identity/access_token.hpp"
#include "gateway/identity/signing_keys.hpp"
#include "gateway/serve/worker.hpp"
#include "workflows/result.hpp"

#include <memory>

namespace sallyport::serve {

struct caller {
    std::shared_ptr<const identity::claims> token;
    const sallyport::agent* agent = nullptr;  // of the standing's directory
};

/// `unauthenticated`, or `agent_suspended`.
result<caller> identify(worker&, const identity::signing_keys&, const identity::standing&, const http::request_head&, time_point now);

/// The agent, if it and somebody who is accountable for it are active; into the standing's directory.
result<const agent*> active_agent(const identity::standing&, agent_id);

}  // namespace sallyport::serve
