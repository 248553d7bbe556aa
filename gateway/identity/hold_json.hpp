// Holds as JSON, and what actions keep of their verdict. A hold as its agent sees it: wire.md, "Hold, as the agent sees it". Agents are never told who decided.
#pragma once

#include "gateway/identity/access_token.hpp"
#include "workflows/hold.hpp"

#include <boost/json/object.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::identity {

boost::json::object agent_view(const hold&);

/// wire.md's `reasons`; what `summary_digest` is made of.
boost::json::array reasons_json(const hold&);

/// Rules that spoke, as an action's record keeps them: [{rule, team, verdict, summary, matched, error}].
std::string rules_json(std::span<const spoken_rule>);
/// Empty for what rules_json() did not write.
std::vector<spoken_rule> read_rules(std::string_view json);

/// The task as an action's record keeps it: {id, intent, scopes, limits}.
std::string task_json(const claims::task_claims&);

}  // namespace sallyport::identity
