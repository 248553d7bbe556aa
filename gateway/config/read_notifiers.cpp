// notifiers: the channels besides the inbox.
#include "gateway/config/draft.hpp"
#include "gateway/config/url.hpp"
#include "workflows/agent.hpp"
#include "workflows/loopback.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace sallyport::config {
namespace {

bool plain_text(std::string_view text, std::size_t longest) noexcept
{
    return !text.empty() && text.size() <= longest &&
           std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

// `local@domain`, or `Name <local@domain>`: enough to keep other header fields and other recipients out.
bool mailbox(std::string_view text) noexcept
{
    if (!plain_text(text, 320)) return false;
    if (text.ends_with('>')) {
        const auto open = text.rfind('<');
        if (open == std::string_view::npos || open == 0 || text.substr(0, open).find_first_of("<>,;") != std::string_view::npos)
            return false;
        text = text.substr(open + 1, text.size() - open - 2);
    }
    const auto at = text.find('@');
    return at != std::string_view::npos && at > 0 && text.find_first_of(" <>,;:\"()\\[]") == std::string_view::npos &&
           wrong_with_host(text.substr(at + 1)).empty();
}

std::optional<url> read_web_url(draft& d, const value& v, std::string_view what)
{
    const auto text = d.read.text(v, what);
    if (!text) return std::nullopt;
    std::string wrong;
    auto u = read_url(*text, "http", "https", wrong);
    if (!u) d.read.error(v, std::string(what) + " " + wrong);
    return u;
}

void read_slack(draft& d, const value& v)
{
    constexpr std::string_view keys[] = {"bot_token", "signing_secret", "app_token", "api_url"};
    const section s(d.read, v, "`slack`", keys);
    if (!s) return;
    slack_notifier slack;
    s.need("bot_token");
    s.take(slack.bot_token, "bot_token", &reading::secret);
    s.take(slack.signing_secret, "signing_secret", &reading::secret);
    s.take(slack.app_token, "app_token", &reading::secret);
    if (const auto at = s.find("api_url"))
        if (const auto u = read_web_url(d, *at, "`api_url`")) slack.api_url = u->text() + "/";
    d.config.notifiers.slack = std::move(slack);
}

void read_email(draft& d, const value& v)
{
    constexpr std::string_view keys[] = {"url", "from", "user", "password", "starttls", "ca"};
    const section s(d.read, v, "`email`", keys);
    if (!s) return;
    email_notifier email;
    if (const auto at = s.need("url")) {
        if (const auto text = d.read.text(*at, "`url`")) {
            std::string wrong;
            const auto u = read_url(*text, "smtp", "smtps", wrong);
            if (!u) {
                d.read.error(*at, "`url` " + wrong);
            } else if (!u->path.empty()) {
                d.read.error(*at, "`url` must not have a path");
            } else {
                email.tls = u->scheme == "smtps";
                email.host = u->host;
                email.port = u->port;
            }
        }
    }
    if (const auto at = s.need("from"); at && s.take(email.from, "from", &reading::text) && !mailbox(email.from))
        d.read.error(*at, "`from` must be a mail address such as gate@example.com or \"Sallyport <gate@example.com>\"");
    const auto user = s.find("user"), password = s.find("password");
    if (s.take(email.user, "user", &reading::text) && !plain_text(email.user, 256))
        d.read.error(*user, "`user` must be a name without controls");
    s.take(email.password, "password", &reading::secret);
    if (user && !password) d.read.error(*user, "`user` needs a `password` beside it");
    if (password && !user) d.read.error(*password, "`password` needs a `user` beside it");
    using starttls = email_notifier::starttls;
    constexpr reading::choice_of<starttls> choices[] = {
        {"required", starttls::required}, {"opportunistic", starttls::opportunistic}, {"never", starttls::never}};
    if (const auto at = s.find("starttls")) {
        email.security = d.read.choice(*at, "`starttls`", choices).value_or(starttls::required);
        if (email.tls)
            d.read.error(*at, "`starttls` is for smtp://; smtps:// is TLS from the first byte");
        else if (password && email.security != starttls::required && !email.host.empty() && !is_loopback(email.host))
            d.read.error(*at, "`starttls` must be `required` where there is a password, which could be sent in the clear");
    }
    s.take(email.ca, "ca", &reading::path);
    d.config.notifiers.email = std::move(email);
}

void read_webhook(draft& d, const value& v)
{
    constexpr std::string_view keys[] = {"id", "url", "secret"};
    const section s(d.read, v, "a webhook", keys);
    if (!s) return;
    webhook_notifier hook;
    bool named = false;
    if (const auto id = s.need("id"); id && s.take(hook.id, "id", &reading::name)) {
        if (hook.id == "slack" || hook.id == "email" || hook.id == "inbox" || hook.id == "push")
            d.read.error(*id, "`" + hook.id + "` is a channel already; name the webhook otherwise");
        else
            named = d.add(d.webhooks, "webhook", hook.id, *id);
    }
    if (const auto at = s.need("url"))
        if (const auto u = read_web_url(d, *at, "`url`")) hook.url = u->text() + (at->node->text.ends_with('/') ? "/" : "");
    s.need("secret");
    s.take(hook.secret, "secret", &reading::secret);
    if (named) d.config.notifiers.webhooks.push_back(std::move(hook));
}

}  // namespace

void read_notifiers(draft& d, const value& v)
{
    constexpr std::string_view keys[] = {"slack", "email", "webhooks"};
    const section s(d.read, v, "`notifiers`", keys);
    if (const auto slack = s.find("slack"); slack && d.add(d.once, "notifier", "notifiers.slack", *slack)) read_slack(d, *slack);
    if (const auto email = s.find("email"); email && d.add(d.once, "notifier", "notifiers.email", *email)) read_email(d, *email);
    if (const auto hooks = s.find("webhooks"))
        if (const auto items = d.read.list(*hooks, "`webhooks`"))
            for (const auto& item : *items) read_webhook(d, item);
}

}  // namespace sallyport::config
