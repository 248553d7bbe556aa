// Browsers that their people have switched on to be told by push (RFC 8030). What it takes to send to one is sealed by its owner
// before it comes here: who reads the table can tell nobody anything.
#pragma once

#include "storage/transaction.hpp"
#include "workflows/ids.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::storage {

struct push_subscription {
    std::string id;  // base64url, 22 characters: of the address, so that one browser is one row
    person_id person;
    std::string service;       // the host that the messages go to, for people to read
    std::string sealed;        // bytes: address and keys
    std::string user_agent;    // what the browser calls itself, cut at 200 bytes; may be empty
    std::string session_hash;  // of the session that it was switched on in (session_store.hpp)
    time_point created_at;     // given by the database
};

namespace push_store {

/// A new one, or the same browser again, which then is whose it is given as. Lost: the person has `most` others already.
race put(transaction&, const push_subscription&, std::size_t most);
std::optional<push_subscription> find(transaction&, std::string_view id);
std::vector<push_subscription> list(transaction&, person_id);  // oldest first
/// False: that person has none of that id.
bool remove(transaction&, person_id, std::string_view id);

}  // namespace push_store
}  // namespace sallyport::storage
