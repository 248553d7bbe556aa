// One provider, as configured: asks for its metadata and keys when they are needed and keeps them for a while, changes a code
// for who somebody is. Blocks; any number of threads at once.
#pragma once

#include "gateway/config/configuration.hpp"
#include "gateway/openid/account.hpp"
#include "gateway/openid/attempt.hpp"
#include "gateway/openid/fetch.hpp"
#include "gateway/openid/metadata.hpp"
#include "workflows/result.hpp"
#include "workflows/time.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::openid {

class provider {
public:
    using steady_time = std::chrono::steady_clock::time_point;

    provider(config::oidc_sign_in, const std::atomic<bool>& cut);

    const config::oidc_sign_in& settings() const noexcept { return settings_; }

    /// What was read not long ago; none: it must be read. Does not block.
    std::shared_ptr<const metadata> known();
    /// Failures: `upstream_unreachable`, `upstream_timeout`.
    result<std::shared_ptr<const metadata>> description(steady_time deadline);

    /// The code for tokens, these for who it is. `now` is the moment by which the ID token is judged. Failures: those above, and
    /// `unauthenticated` for whatever the provider refuses or says wrongly; causes are for the operator.
    result<account> redeem(const attempt&, std::string_view code, std::string_view redirect_uri, time_point now, steady_time deadline);

private:
    struct tokens {
        secret access_token;
        std::string id_token;
    };

    result<std::string> get(std::string url, secret authorization, steady_time deadline, std::string_view what) const;
    result<tokens> exchange(const metadata&, const attempt&, std::string_view code, std::string_view redirect_uri,
                            steady_time deadline) const;
    result<std::shared_ptr<const key_set>> keys(const metadata&, bool anew, steady_time deadline);
    result<void> check_signature(const metadata&, const jose::jwt&, steady_time deadline);

    const config::oidc_sign_in settings_;
    const std::atomic<bool>& cut_;

    std::mutex mutex_;  // for the members below; not held while the provider is asked
    std::shared_ptr<const metadata> metadata_;
    std::shared_ptr<const key_set> keys_;
    steady_time metadata_read_{}, keys_read_{};
    std::optional<failure> failed_;  // the last try to read metadata
    steady_time failed_at_{};
};

}  // namespace sallyport::openid
