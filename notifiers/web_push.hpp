// Browsers, by their push services (RFC 8030): encrypted to the one browser (RFC 8291), signed with our key (RFC 8292). Where it is
// sent a browser has said, which is to say anybody who may sign in: only public addresses are spoken to, by https, nothing is
// followed, and what comes back is read as a status and no more.
#pragma once

#include "notifiers/channel.hpp"
#include "notifiers/push_message.hpp"
#include "workflows/result.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace sallyport::notifiers {

struct web_push_options {
    /// `Authorization` for that origin (RFC 8292 §2 and §3): `vapid t=…, k=…`. Any thread.
    std::function<std::string(std::string_view origin, time_point now)> authorization;
    /// Services on this machine too, and by http: where the gateway itself is only reached there, so for trying it out.
    bool loopback = false;
    std::chrono::milliseconds connect_timeout = std::chrono::seconds(4);
    std::chrono::milliseconds timeout = std::chrono::seconds(8);  // of all
};

/// Of an address that can be one of a push service: `https`, a name of at most 253 characters, the scheme's own port. `loopback`:
/// also `http` and any port, on this machine. `invalid_input` otherwise.
result<std::string> push_origin(std::string_view endpoint, bool loopback);

/// 2xx: delivered. 404 and 410: the browser has unsubscribed (`address`). 400, 401, 403 and 413: `never`. Everything else is tried
/// again. A service that asks for a pause, or does not answer, is left alone for a while, by itself: who is told by another is
/// not kept waiting for it.
class web_push : public channel {
public:
    explicit web_push(web_push_options options) : options_(std::move(options)) {}
    delivery deliver(const notice&) override;
    duration longest_delivery() const noexcept override { return options_.timeout; }
    void cut() noexcept override { cut_ = true; }
    bool pauses_as_one() const noexcept override { return false; }

private:
    using clock = std::chrono::steady_clock;
    struct service {
        clock::time_point rests_until{};
        int silent = 0;   // times in a row that nothing came back
        int at_once = 0;  // deliveries that run
    };
    /// None: the service may be asked now, and `leave` must follow. Otherwise for how long it may not.
    std::optional<duration> enter(const std::string& origin);
    void leave(const std::string& origin, bool answered, std::optional<duration> pause);

    const web_push_options options_;
    std::atomic<bool> cut_{false};
    std::mutex mutex_;
    std::map<std::string, service, std::less<>> services_;  // those at work or at rest
};

}  // namespace sallyport::notifiers
