// The tz database as the system has it: one file a zone (RFC 8536), each read once a process.
#pragma once

#include "workflows/time_zone.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace sallyport::policy {

/// The zone of a name like `Europe/Berlin`; null for what is none. Any thread; a name that was not asked before costs
/// reading its file, an unknown one a system call or three each time.
std::shared_ptr<const time_zone> find_zone(std::string_view name);

/// The file's bytes, versions 2 to 4, with the rule in its footer; null for what is malformed.
std::shared_ptr<const time_zone> parse_zone(std::string name, std::string_view bytes);

}  // namespace sallyport::policy
