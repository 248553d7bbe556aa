// Who somebody is by the provider's word: userinfo, with the ID token beside it (OpenID Connect Core 1.0 §5.1, §5.3.2). Pure.
#pragma once

#include "gateway/canonical/json.hpp"
#include "workflows/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sallyport::openid {

struct account {
    std::string subject;
    std::string email;  // empty: none that the provider calls verified
    std::vector<std::string> groups;
    bool has_groups = false;  // the claim was there
};

/// `userinfo` may be null: the provider has none. `unauthenticated` when it speaks of another subject than the ID token, or
/// its groups cannot be read.
result<account> read_account(const json::value& id_token, const json::value* userinfo, std::string_view subject,
                             std::string_view groups_claim);

}  // namespace sallyport::openid
