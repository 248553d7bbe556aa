// Why a decision is believed: what the passkey signed and what it answered, kept with the decision so that anyone can
// check it later without asking the gateway (WebAuthn Level 3, §7.2). Written once.
#pragma once

#include "storage/transaction.hpp"
#include "workflows/ids.hpp"

#include <optional>
#include <string>

namespace sallyport::storage {

struct evidence {
    decision_id decision;
    std::string statement;           // the exact text that was shown and signed
    std::string authenticator_data;  // bytes
    std::string client_data_json;    // bytes
    std::string signature;           // bytes
    std::string credential_id;       // bytes; empty, like the others, where only a session was asked
    std::string public_key;          // bytes: of the credential at that time
    std::string channel;             // `inbox`, `slack`, `email`…
    std::string channel_evidence;    // what that channel gave instead; text
};

namespace evidence_store {

/// After the decision was written in the same transaction.
void put(transaction&, const evidence&);
std::optional<evidence> find(transaction&, decision_id);

}  // namespace evidence_store
}  // namespace sallyport::storage
