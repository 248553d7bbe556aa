// Access tokens: JWTs as in RFC 9068, of at most 15 minutes, with the task as authorization_details (RFC 9396). Issued
// at the token endpoint, verified on each connection's first use.
#pragma once

#include "gateway/identity/scope.hpp"
#include "gateway/identity/signing_keys.hpp"
#include "gateway/policy/policy.hpp"
#include "workflows/agent.hpp"
#include "workflows/result.hpp"
#include "workflows/time.hpp"

#include <boost/json/value.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::identity {

/// A bounded delegation carried in the token.
struct task {
    task_id id;
    std::string intent;
    boost::json::value limits;  // null or an object, as the agent asked
    time_point expires_at;
};

struct token_request {
    agent_id agent;
    std::string client_id;  // the agent's name
    std::vector<scope> scopes;
    std::optional<identity::task> task;
    duration lifetime;
};

/// When that token ends: with its lifetime, or with its task where that is sooner.
time_point expiry_of(const token_request&, time_point now);

/// The compact JWT, good until `expiry_of`. `jti` is random text.
std::string issue(const signing_keys&, std::string_view issuer, const token_request&, time_point now, const std::string& jti);

/// What a token that verified says.
struct claims {
    agent_id agent;
    std::vector<scope> scopes;
    time_point expires_at;  // of the token or its task, whichever is sooner
    /// Null without a task. Owns what policy reads of it.
    struct task_claims {
        policy::task_facts facts;
        std::string text;  // the JSON of the `limits`
        std::optional<json::document> limits;
        time_point expires_at;
    };
    std::shared_ptr<const task_claims> task;
};

/// `unauthenticated`, without saying more than that the token is malformed, expired or not ours.
result<claims> verify(const signing_keys&, std::string_view issuer, std::string_view compact, time_point now);

}  // namespace sallyport::identity
