// What a provider says of itself: its endpoints (OpenID Connect Discovery 1.0) and its keys (RFC 7517 §5). Pure.
#pragma once

#include "gateway/jose/jwt.hpp"
#include "workflows/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sallyport::openid {

enum class client_authentication { basic, post };

struct metadata {
    std::string authorization_endpoint, token_endpoint, jwks_uri;
    std::string userinfo_endpoint;  // empty: none
    client_authentication authentication = client_authentication::basic;
    bool names_itself = false;  // `iss` comes with every answer (RFC 9207)
};

/// Where an issuer publishes it: its own last slash does not count (§4.1).
std::string metadata_url(std::string_view issuer);
/// Its issuer must be that one, to the byte (§4.3), and its endpoints https, unless the issuer itself is not. What is wrong is
/// the cause of an `upstream_unreachable`.
result<metadata> read_metadata(std::string_view text, std::string_view issuer);

/// The keys of a set that can sign what we can verify, by the names that the set gives them.
class key_set {
public:
    static result<key_set> read(std::string_view text);

    /// A key of the token's `kid` signed it; of any name, when it names none.
    bool signed_one(const jose::jwt&) const;
    /// A token that names none could be by any.
    bool knows(std::string_view kid) const noexcept;

private:
    struct named_key {
        std::string kid;
        jose::public_key key;
    };
    std::vector<named_key> keys_;
};

}  // namespace sallyport::openid
