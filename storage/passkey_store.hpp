// Passkeys (WebAuthn credentials) and the challenges that they have answered, each once.
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

/// One that was answered. Until then nothing is kept of it: who made it knows it again.
struct challenge {
    std::string value;    // bytes
    std::string purpose;  // `login`, `statement`
    std::optional<person_id> person;
    time_point expires_at;  // from then on it is refused for that
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

/// From the commit on it is used. Lost: it was before, or of two who use it at once this is the second.
race use(transaction&, const challenge&);
bool used(transaction&, std::string_view value);
/// How many went.
std::size_t remove_expired_challenges(transaction&);

}  // namespace passkey_store
}  // namespace sallyport::storage
