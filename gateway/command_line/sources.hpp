// What commands work on: the configuration, and records of the running gateway as domain types.
#pragma once

#include "gateway/command_line/admin_client.hpp"
#include "gateway/command_line/context.hpp"
#include "gateway/config/configuration.hpp"
#include "workflows/agent.hpp"
#include "workflows/person.hpp"

#include <string>
#include <vector>

namespace sallyport::command_line {

/// Its errors on standard error, and the end of the command with 1, where it has any.
config::snapshot load_or_fail(const context&);

/// Name, class and owner; ends the command where there is none of that name.
agent agent_named(const admin_client&, const std::string& name);
/// All people, those disabled too.
std::vector<person> everybody(const admin_client&);
std::vector<std::string> team_names(const admin_client&);

}  // namespace sallyport::command_line
