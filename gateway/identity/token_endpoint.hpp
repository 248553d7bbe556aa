// POST /oauth2/token: client_credentials (RFC 6749 §4.4) with private_key_jwt (RFC 7523), and the metadata of RFC 8414.
#pragma once

#include "gateway/identity/access_token.hpp"
#include "gateway/identity/signing_keys.hpp"
#include "gateway/jose/jwt.hpp"
#include "storage/transaction.hpp"
#include "workflows/result.hpp"

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::identity {

/// An OAuth error is an answer like any other (RFC 6749 §5.2). `body` is JSON; Cache-Control: no-store goes with it.
struct oauth_answer {
    int status = 200;
    std::string body;
    std::string agent;  // for the log: who was given a token, or asked in vain; may be empty
    std::string error;  // for the log: the OAuth error and what was wrong; empty when a token was given
};

struct oauth_settings {
    std::string issuer;
    duration lifetime;
};

/// `/.well-known/oauth-authorization-server`.
std::string metadata(std::string_view issuer);

/// One request, read and checked as far as that goes without the database.
class token_call {
public:
    /// `content_type` and `body` as received; `now` is the local clock, by which clients make assertions.
    static token_call read(const oauth_settings&, std::string_view content_type, std::string_view body, time_point now);

    /// Set when the answer is known already.
    const std::optional<oauth_answer>& answer() const noexcept { return answer_; }

    /// The rest, in one transaction: the agent, its keys, whether the assertion was used before. `random` is for the
    /// task's id.
    oauth_answer grant(storage::transaction&, const signing_keys&, const std::array<std::uint8_t, 10>& random,
                       const std::string& jti) const;

private:
    oauth_settings settings_;
    time_point now_;
    std::optional<oauth_answer> answer_;
    std::shared_ptr<const jose::jwt> assertion_;
    std::string client_;
    time_point assertion_expires_;
    std::vector<scope> scopes_;
    std::optional<identity::task> task_;
};

}  // namespace sallyport::identity
