// Making a session, whichever way somebody has signed in, and what the record says of it.
#pragma once

#include "gateway/people/call.hpp"
#include "storage/session_store.hpp"
#include "storage/transaction.hpp"
#include "workflows/person.hpp"

#include <boost/json/object.hpp>

#include <string_view>

namespace sallyport::people {

/// The reply sets its cookie.
void add_session(storage::transaction&, const call&, const person&, storage::session_by, reply&);

/// What that person did, as an administrative entry.
void record_act(storage::transaction&, const person&, std::string_view act, boost::json::object more = {});

}  // namespace sallyport::people
