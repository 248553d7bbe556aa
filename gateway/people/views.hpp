// Persons, agents, decisions and holds as the people's API shows them (wire.md "The people's API"). Pure.
#pragma once

#include "gateway/canonical/action.hpp"
#include "gateway/config/configuration.hpp"
#include "storage/audit_store.hpp"
#include "storage/hold_store.hpp"
#include "workflows/agent.hpp"
#include "workflows/directory.hpp"
#include "workflows/hold.hpp"
#include "workflows/person.hpp"

#include <boost/json/object.hpp>

namespace sallyport::people {

boost::json::object person_json(const person&);
boost::json::object agent_json(const agent&);
boost::json::object decision_json(const decision&, const directory&);

/// `sent`: the action as it was unsealed. `reader`: for `may_decide` and `why_not`.
boost::json::object hold_json(const storage::stored_hold&, const action& sent, const config::configuration&, const directory&,
                              const person& reader);

/// The request's body, whole: as text where it is UTF-8 that a person can read, else as base64.
boost::json::value body_json(std::string_view body, std::string_view content_digest, std::string_view media_type, bool encoded);

boost::json::object audit_json(const storage::audit_entry&);

}  // namespace sallyport::people
