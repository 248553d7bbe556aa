#include "gateway/notify/channels.hpp"

#include "gateway/config/secrets.hpp"
#include "gateway/log/log.hpp"
#include "notifiers/email.hpp"
#include "notifiers/webhook.hpp"

#include <chrono>
#include <string>
#include <utility>
#include <variant>

namespace sallyport::notify {

namespace {

// A delivery is several of them, and while one lasts its messages are nobody else's.
constexpr auto slack_call = std::chrono::seconds(8);

notifiers::email_options email_of(const config::configuration& c, const config::email_notifier& mail)
{
    using wanted = config::email_notifier::starttls;
    notifiers::email_options options;
    options.from = mail.from;
    options.public_url = c.public_url;
    notifiers::smtp_server& server = options.server;
    server.host = mail.host;
    server.port = mail.port;
    server.tls = mail.tls                                 ? notifiers::smtp_tls::from_first_byte
                 : mail.security == wanted::required      ? notifiers::smtp_tls::required
                 : mail.security == wanted::opportunistic ? notifiers::smtp_tls::opportunistic
                                                          : notifiers::smtp_tls::never;
    server.user = mail.user;
    if (mail.password)
        server.password = [from = *mail.password]() -> std::variant<secret, std::string> {
            auto read = config::read(from);
            if (!read) return read.error().detail;
            return std::move(*read);
        };
    server.ca = mail.ca;
    return options;
}

}  // namespace

notifiers::slack_options slack_options_of(const config::slack_notifier& slack)
{
    notifiers::slack_options options;
    options.api_url = slack.api_url;
    options.bot_token = [from = slack.bot_token] {
        auto read = config::read(from);
        if (read) return std::move(*read);
        log::error("Slack's bot token cannot be read", {{"cause", read.error().detail}});
        return secret();
    };
    options.timeout = slack_call;
    return options;
}

channel_map make_channels(const config::configuration& c)
{
    channel_map all;
    if (c.notifiers.slack) all.emplace("slack", std::make_shared<notifiers::slack_channel>(slack_options_of(*c.notifiers.slack)));
    if (c.notifiers.email) all.emplace("email", std::make_shared<notifiers::email>(email_of(c, *c.notifiers.email)));
    for (const config::webhook_notifier& hook : c.notifiers.webhooks) {
        notifiers::webhook_options options;
        options.url = hook.url;
        options.signing_secret = [from = hook.secret] { return config::read(from); };
        all.emplace(hook.id, std::make_shared<notifiers::webhook>(std::move(options)));
    }
    return all;
}

}  // namespace sallyport::notify
