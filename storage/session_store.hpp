// Sessions of the people's side. Only hashes of tokens are stored: who reads the table can be nobody.
#pragma once

#include "storage/transaction.hpp"
#include "workflows/ids.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::storage {

struct session {
    std::string token_hash;  // SHA-256, 32 bytes
    person_id person;
    time_point created_at;
    time_point expires_at;
};

namespace session_store {

/// `created_at` is the database's clock, whatever is given.
void create(transaction&, const session&);
/// None when unknown, expired, or of a person who is disabled.
std::optional<session> find(transaction&, std::string_view token_hash);
std::vector<session> list(transaction&, person_id);  // newest first
bool remove(transaction&, std::string_view token_hash);
std::size_t remove_all(transaction&, person_id);
std::size_t remove_expired(transaction&);

}  // namespace session_store
}  // namespace sallyport::storage
