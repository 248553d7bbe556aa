// A request that is judged without being sent: for `policy explain` and `policy test`.
#pragma once

#include "gateway/config/configuration.hpp"
#include "gateway/policy/policy.hpp"
#include "workflows/agent.hpp"
#include "workflows/result.hpp"
#include "workflows/time.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::command_line {

struct judged_request {
    std::string method;
    std::string target;  // as the agent writes it
    std::string host;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

/// One HTTP/1.1 request message as text, checked as the gateway checks it; line ends may be LF alone. A body is what
/// follows the head.
result<judged_request> request_of_message(std::string_view message);

/// For each credential the field that carries it, which rules do not see of the agent's.
using credential_fields = std::map<std::string, std::string, std::less<>>;

/// As the gateway would: canonical target, route, fields, body, rules.
result<policy::verdict> judge(const config::configuration&, const credential_fields&, const judged_request&, const agent&,
                              const policy::task_facts*, time_point now);

}  // namespace sallyport::command_line
