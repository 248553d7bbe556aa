// What a call is judged by at one moment: the configuration, everybody in it, and the upstreams' credentials. One
// immutable snapshot; every core keeps a pointer of its own and is told when there is another.
#pragma once

#include "gateway/config/configuration.hpp"
#include "gateway/forward/redaction.hpp"
#include "workflows/directory.hpp"
#include "workflows/result.hpp"
#include "workflows/secret.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::identity {

/// What the gateway injects into calls of a route.
struct credential {
    std::string header;               // lower case
    secret value;                     // the whole field value, as sent
    forward::credential_forms forms;  // what must not come back in an answer
};
using credential_map = std::map<std::string, credential, std::less<>>;

/// `basic` secrets are `user:password`. `invalid_input` for a type or a value that cannot be sent.
result<credential> make_credential(std::string_view type, std::string_view header, std::string_view stored);

/// Of that configuration, which they keep alive.
std::shared_ptr<const arrangements> arrangements_of(const config::snapshot&);

struct standing {
    config::snapshot config;
    std::shared_ptr<const sallyport::directory> directory;  // with what that configuration arranges
    std::shared_ptr<const identity::credential_map> credentials;
    std::uint64_t version = 0;  // another with every change: tokens that verified before are looked at anew

    /// The route's credential, when it has one and it is there.
    const credential* credential_of(const config::route&) const noexcept;
};
using standing_ptr = std::shared_ptr<const standing>;

/// Where the current one is published. Any thread.
class standings {
public:
    explicit standings(config::snapshot);

    standing_ptr current() const;
    void publish(config::snapshot);
    /// It is given the arrangements of the configuration that stands, where it has others.
    void publish(std::shared_ptr<const sallyport::directory>, std::shared_ptr<const identity::credential_map>);

    /// Called with each new one, on the publishing thread, one after the other; and once now. Before the first publish.
    using listener = std::function<void(const standing_ptr&)>;
    void subscribe(listener);

private:
    void changed(const std::function<void(standing&)>& change);

    mutable std::mutex mutex_;  // for current_
    std::mutex publishing_;     // one publisher at a time
    standing_ptr current_;
    std::vector<listener> listeners_;
};

}  // namespace sallyport::identity
