// HTTP Message Signatures (RFC 9421) of released requests: so that an upstream can refuse what did not come through the
// gateway (contract.md, "Proof that others can check").
#pragma once

#include "gateway/jose/key.hpp"
#include "workflows/time.hpp"

#include <span>
#include <string>
#include <string_view>

namespace sallyport::jose {

/// A covered component: its name without quotes (`@method`, `content-digest`) and its value in one line.
struct signed_component {
    std::string_view name;
    std::string_view value;
};

/// `("@method" …);created=…;keyid="…";alg="…"` (§2.3). `alg` is left out when empty. Seconds are cut.
std::string signature_params(std::span<const signed_component>, time_point created, std::string_view keyid, std::string_view alg);
/// What is signed (§2.5).
std::string signature_base(std::span<const signed_component>, std::string_view params);

struct message_signature {
    std::string input;  // of Signature-Input: `sallyport=(…);…`
    std::string value;  // of Signature: `sallyport=:…:`
};

/// The gateway's signature of a released request, under the label `sallyport`, by an Ed25519 key. `content_digest` is
/// that of the empty content where there is no body; `receipt` is the Sallyport-Receipt's value.
message_signature sign_request(const private_key&, time_point created, std::string_view method, std::string_view target_uri,
                               std::string_view content_digest, std::string_view receipt);

}  // namespace sallyport::jose
