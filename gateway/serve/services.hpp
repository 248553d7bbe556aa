// What every worker shares: the parts of the gateway behind the calls. Built once (application.cpp), referred to by all.
#pragma once

#include "gateway/audit/recorder.hpp"
#include "gateway/identity/directory_watch.hpp"
#include "gateway/identity/signing_keys.hpp"
#include "gateway/identity/standing.hpp"
#include "gateway/identity/token_endpoint.hpp"
#include "gateway/jose/sealing.hpp"
#include "gateway/metrics/metrics.hpp"
#include "gateway/release/hold_maker.hpp"
#include "gateway/release/releaser.hpp"
#include "storage/database.hpp"

#include <memory>

namespace sallyport::serve {

struct services {
    metrics::registry& metrics;
    storage::database& db;
    keyring keys;
    identity::standings& standings;
    const identity::signing_keys& signing;
    release::hold_maker& holds;
    release::releaser& releaser;
    identity::directory_watch& directory;
    audit::recorder& recorder;
    metrics::histogram& call_seconds;
    std::shared_ptr<identity::token_queue> token_queue = std::make_shared<identity::token_queue>();
};

}  // namespace sallyport::serve
