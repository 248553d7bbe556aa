// Passkeys (WebAuthn credentials) and the challenges that they answer, each used once.
#pragma once

#include "storage/transaction.hpp"
#include "workflows/ids.hpp"
#include "workflows/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::storage {

struct passkey {
    std::string credential_id;  // bytes
    person_id person;
    std::string public_key;        // bytes, in the form that the verifier gave
    std::uint32_t sign_count = 0;  // WebAuthn Level 3, §6.1.1
    std::string user_handle;       // bytes; what a discoverable credential calls its person
    std::vector<std::string> transports;
    std::string name;  // what the person calls it; may be empty
    time_point created_at;
    std::optional<time_point> last_used_at;
};

struct challenge {
    std::string value;    // bytes
    std::string purpose;  // `login`, `enrol`, `statement`…: one made for one is no good for another
    std::optional<person_id> person;
    std::string payload;  // what its maker wants back, text
    time_point expires_at;
};

namespace passkey_store {

/// `conflict`: that credential is known. `created_at` is the database's clock. Moves the directory's generation.
result<void> add(transaction&, const passkey&);
std::optional<passkey> find(transaction&, std::string_view credential_id);
std::vector<passkey> list(transaction&, person_id);                            // oldest first
result<void> remove(transaction&, person_id, std::string_view credential_id);  // not_found

/// Won: the counter grew, or the authenticator keeps none (both 0). Lost: it did not, so that the authenticator may
/// have been cloned, or another assertion of it came first (WebAuthn Level 3, §7.2 step 22).
race count_up(transaction&, std::string_view credential_id, std::uint32_t sign_count);

/// `value` must be new: it is random, or the digest of something that is.
void put_challenge(transaction&, const challenge&);
/// None when it was never made, expired, used, or made for another purpose.
std::optional<challenge> peek_challenge(transaction&, std::string_view purpose, std::string_view value);
/// The same, and from the commit on it is used: of two who take it one gets it.
std::optional<challenge> take_challenge(transaction&, std::string_view purpose, std::string_view value);
/// How many went.
std::size_t remove_expired_challenges(transaction&);

}  // namespace passkey_store
}  // namespace sallyport::storage
