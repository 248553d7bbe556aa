// POST /oauth2/token: client_credentials (RFC 6749 §4.4) with private_key_jwt (RFC 7523), and the metadata of RFC 8414.
#pragma once

#include "gateway/identity/access_token.hpp"
#include "gateway/identity/signing_keys.hpp"
#include "storage/transaction.hpp"
#include "workflows/directory.hpp"
#include "workflows/result.hpp"

#include <array>
#include <atomic>
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

/// One request, read and checked as far as that goes without the database: also whose it is. So nobody who cannot prove
/// that they are an agent gets as far as the database's queue.
class token_call {
public:
    /// `content_type` and `body` as received; `now` is the local clock, by which clients make assertions. A name that the
    /// directory does not know costs one verification of a signature, as a known one does.
    static token_call read(const oauth_settings&, const directory&, std::string_view content_type, std::string_view body, time_point now);

    /// Set when the answer is known already.
    const std::optional<oauth_answer>& answer() const noexcept { return answer_; }

    /// The rest, in one transaction: whether the agent and that key of its still stand, and the assertion was not used
    /// before. `random` is for the task's id.
    oauth_answer grant(storage::transaction&, const signing_keys&, const std::array<std::uint8_t, 10>& random,
                       const std::string& jti) const;

private:
    oauth_settings settings_;
    time_point now_;
    std::optional<oauth_answer> answer_;
    std::string client_;
    std::string kid_;  // of the agent's key that signed
    std::string jti_;
    time_point assertion_expires_;
    std::vector<scope> scopes_;
    std::optional<identity::task> task_;
};

/// How many token requests may wait for the database at once: agents that ask and ask again must not keep calls that are
/// to be held, and people who decide, out of its queue. Any thread.
class token_queue {
public:
    explicit token_queue(int most = 64) noexcept : left_(most) {}

    class place {
    public:
        explicit place(token_queue& of) noexcept : of_(of), taken_(of.left_.fetch_sub(1) > 0) {}
        ~place() { of_.left_.fetch_add(1); }
        place(const place&) = delete;
        place& operator=(const place&) = delete;
        /// False: it is full.
        explicit operator bool() const noexcept { return taken_; }

    private:
        token_queue& of_;
        bool taken_;
    };

private:
    std::atomic<int> left_;
};

}  // namespace sallyport::identity
