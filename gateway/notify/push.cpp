#include "gateway/notify/push.hpp"

#include "gateway/identity/push_subscription.hpp"
#include "notifiers/web_push.hpp"

#include <string_view>
#include <utility>

namespace sallyport::notify {

std::shared_ptr<notifiers::channel> make_push(const config::configuration& c, jose::private_key key)
{
    notifiers::web_push_options options;
    options.loopback = identity::push_by_loopback(c.public_host);
    options.authorization = [key = std::move(key), url = c.public_url](std::string_view origin, time_point now) {
        return identity::push_authorization(key, origin, url, now);
    };
    return std::make_shared<notifiers::web_push>(std::move(options));
}

}  // namespace sallyport::notify
