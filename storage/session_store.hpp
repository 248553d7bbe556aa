// Sessions of the people's side. Only hashes of tokens are stored: who reads the table can be nobody.
#pragma once

#include "storage/transaction.hpp"
#include "workflows/ids.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::storage {

enum class session_by { passkey, oidc };
std::string_view name_of(session_by) noexcept;
std::optional<session_by> session_by_named(std::string_view) noexcept;

struct session {
    std::string token_hash;  // SHA-256, 32 bytes
    person_id person;
    time_point created_at;
    time_point expires_at;
    session_by made_by = session_by::passkey;
    std::string user_agent = {};  // what the browser called itself, cut at 200 bytes; may be empty
};

namespace session_store {

/// `created_at` is the database's clock, whatever is given.
void create(transaction&, const session&);
/// None when unknown, expired, or of a person who is disabled.
std::optional<session> find(transaction&, std::string_view token_hash);
std::vector<session> list(transaction&, person_id);  // newest first, at most 1000
/// Ended by hand, not by time: the browsers that were switched on in it are told no more (push_store.hpp).
bool remove(transaction&, std::string_view token_hash);
/// And every browser of that person.
std::size_t remove_all(transaction&, person_id);
std::size_t remove_expired(transaction&);

}  // namespace session_store
}  // namespace sallyport::storage
