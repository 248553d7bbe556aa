// The receipt of a released call: the gateway's signed statement of what was approved, which goes to the upstream with
// the call, and the RFC 9421 signature that binds it to the request (contract.md, "Proof that others can check").
#pragma once

#include "gateway/canonical/action.hpp"
#include "gateway/config/configuration.hpp"
#include "gateway/identity/signing_keys.hpp"
#include "storage/hold_store.hpp"

#include <string>
#include <utility>
#include <vector>

namespace sallyport::release {

/// `content-digest`, `sallyport-receipt`, `signature-input` and `signature`, in lower case.
std::vector<std::pair<std::string, std::string>> signed_fields(const identity::signing_keys&, std::string_view issuer, const config::route&,
                                                               const storage::stored_hold&, const action&);

}  // namespace sallyport::release
