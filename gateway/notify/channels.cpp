#include "gateway/notify/channels.hpp"

#include "gateway/config/secrets.hpp"
#include "notifiers/webhook.hpp"

#include <utility>

namespace sallyport::notify {

channel_map make_channels(const config::configuration& c)
{
    channel_map all;
    for (const config::webhook_notifier& hook : c.notifiers.webhooks) {
        notifiers::webhook_options options;
        options.url = hook.url;
        options.signing_secret = [from = hook.secret] { return config::read(from); };
        all.emplace(hook.id, std::make_shared<notifiers::webhook>(std::move(options)));
    }
    return all;
}

}  // namespace sallyport::notify
