// The gateway's own keys: one signs access tokens (ES256), one receipts and released requests (Ed25519), one the checkpoints of
// the log (Ed25519, and nothing else), one says to push services who sends (ES256, RFC 8292). They live in the database, sealed, so that replicas share them and a restart changes
// nothing.
#pragma once

#include "gateway/jose/key.hpp"
#include "gateway/jose/sealing.hpp"
#include "storage/database.hpp"
#include "workflows/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sallyport::identity {

class signing_keys {
public:
    /// Reads them, makes those that are missing. Blocks. Fails when the database does, or when what is there was sealed
    /// under another master key.
    static result<signing_keys> load(storage::database&, const keyring&);

    const jose::private_key& token() const noexcept { return token_; }
    const jose::private_key& receipt() const noexcept { return receipt_; }
    /// Published with the log, not in jwks().
    const jose::private_key& checkpoint() const noexcept { return checkpoint_; }
    /// For push services alone (RFC 8292 §2), and not in jwks(): browsers are switched on for this one key.
    const jose::private_key& push() const noexcept { return push_; }
    /// A key that access tokens may be signed with, also one retired since.
    const jose::public_key* token_key(std::string_view kid) const noexcept;
    /// `/.well-known/jwks.json`.
    const std::string& jwks() const noexcept { return jwks_; }

private:
    signing_keys(jose::private_key token, jose::private_key receipt, jose::private_key checkpoint, jose::private_key push)
        : token_(std::move(token)),
          receipt_(std::move(receipt)),
          checkpoint_(std::move(checkpoint)),
          push_(std::move(push))
    {
    }

    jose::private_key token_;
    jose::private_key receipt_;
    jose::private_key checkpoint_;
    jose::private_key push_;
    std::vector<jose::public_key> token_keys_;
    std::string jwks_;
};

}  // namespace sallyport::identity
