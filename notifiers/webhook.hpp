// Webhooks: what happens to holds, posted as JSON to an address of the operator's, signed as the Standard Webhooks
// specification says (webhook-id, webhook-timestamp, webhook-signature `v1`), so that any of its libraries can check it.
#pragma once

#include "notifiers/channel.hpp"
#include "workflows/result.hpp"
#include "workflows/secret.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sallyport::notifiers {

struct webhook_options {
    std::string url;  // http or https, no user information
    /// Read with each delivery, so that it can be changed in place. `whsec_` and base64, or the secret's bytes themselves.
    std::function<result<secret>()> signing_secret;
    std::chrono::milliseconds connect_timeout = std::chrono::seconds(5);
    std::chrono::milliseconds timeout = std::chrono::seconds(15);  // of all
};

/// The body: `{"type": "hold.asked" | "hold.ended", "timestamp", "data": {…}}`. The same for the same notice.
std::string webhook_body(const notice&);

/// `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`. None: `whsec_` is followed by no base64.
std::optional<std::string> webhook_signature(const secret&, std::string_view id, std::string_view timestamp, std::string_view body);

/// 2xx: delivered. 410: nobody listens there any more. Everything else is tried again, as the specification says, also a redirect,
/// which is not followed: what is signed for one address is not given to another.
class webhook : public channel {
public:
    explicit webhook(webhook_options options) : options_(std::move(options)) {}
    delivery deliver(const notice&) override;
    duration longest_delivery() const noexcept override { return options_.timeout; }
    void cut() noexcept override { cut_ = true; }

private:
    const webhook_options options_;
    std::atomic<bool> cut_{false};
};

}  // namespace sallyport::notifiers
