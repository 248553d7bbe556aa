// The gateway's own keys (tokens, receipts, checkpoints), private parts sealed by their owner before they come here,
// and what client assertions were used (RFC 7523 §3, `jti`).
#pragma once

#include "storage/transaction.hpp"
#include "workflows/ids.hpp"
#include "workflows/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::storage {

struct signing_key {
    std::string kid;
    std::string purpose;  // `token`, `receipt`, `checkpoint`…
    std::string alg;
    std::string sealed;  // bytes: the private key
    std::string jwk;     // the public key
    time_point created_at;
    std::optional<time_point> retired_at;  // signs no more; still published for what it signed
};

namespace key_store {

/// Every key, those retired too, oldest first.
std::vector<signing_key> load(transaction&);
/// The active key of that purpose: the one given if there was none. Replicas that start at once agree on one.
/// `created_at` is the database's clock.
signing_key add_first(transaction&, const signing_key&);
/// Retires the active keys of that purpose; this one is active from then on. `conflict`: the kid is known.
result<void> rotate(transaction&, const signing_key&);
/// Forgets what was retired before that.
std::size_t remove_retired(transaction&, time_point before);

/// Won: the first time that this agent shows that `jti`. Lost: a replay. `jti` may be any bytes.
race use_assertion(transaction&, agent_id, std::string_view jti, time_point expires_at);
std::size_t remove_expired_assertions(transaction&);

}  // namespace key_store
}  // namespace sallyport::storage
