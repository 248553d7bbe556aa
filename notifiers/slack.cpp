#include "notifiers/slack.hpp"

#include "notifiers/http_post.hpp"
#include "notifiers/slack_answer.hpp"
#include "notifiers/slack_text.hpp"
#include "workflows/loopback.hpp"
#include "workflows/percent_encoding.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <utility>
#include <variant>

namespace sallyport::notifiers {
namespace {

using kind = not_delivered::kind;

constexpr int most_calls = 6;  // of one delivery: an update, a post below, and twice an address that may be out of date

// Where a message stands.
struct place {
    std::string channel;
    std::string ts;

    std::string text() const { return channel + '/' + ts; }
    static std::optional<place> parse(std::string_view ref)
    {
        const auto slash = ref.find('/');
        if (slash == std::string_view::npos || !slack_id(ref.substr(0, slash)) || !slack_timestamp(ref.substr(slash + 1)))
            return std::nullopt;
        return place{std::string(ref.substr(0, slash)), std::string(ref.substr(slash + 1))};
    }
};

// The token goes over the net in the clear nowhere.
bool sealed_or_here(std::string_view url) noexcept
{
    constexpr std::string_view plain = "http://";
    if (!url.starts_with(plain)) return url.starts_with("https://");
    url.remove_prefix(plain.size());
    const auto host = url.substr(0, url.find_first_of("/?#"));
    if (host.find('@') != std::string_view::npos) return false;
    if (host == "[::1]" || host.starts_with("[::1]:")) return true;
    const auto name = host.substr(0, host.find(':'));
    return is_loopback(name);
}

bool one_of(std::string_view word, std::initializer_list<std::string_view> all) noexcept
{
    return std::find(all.begin(), all.end(), word) != all.end();
}

not_delivered nonsense(std::string_view method)
{
    return {kind::later, std::string(method) + ": Slack's answer lacks what it should have.", {}};
}

}  // namespace

class slack_channel::web_api {
public:
    explicit web_api(slack_options options) : options_(std::move(options)) {}

    void cut() noexcept { cut_ = true; }
    duration longest_call() const noexcept { return options_.timeout; }

    slack_answer json(std::string_view method, std::string body)
    {
        return call(method, "application/json; charset=utf-8", std::move(body));
    }
    slack_answer form(std::string_view method, std::string body)
    {
        return call(method, "application/x-www-form-urlencoded", std::move(body));
    }

private:
    slack_answer call(std::string_view method, std::string_view type, std::string body)
    {
        const auto later = [&](std::string why) {
            return slack_refusal{{}, {kind::later, std::string(method) + ": " + std::move(why), {}}};
        };
        if (!sealed_or_here(options_.api_url)) return later("the token is sent by https only, and `api_url` is http to another machine.");

        http_post_request request;
        if (options_.bot_token) request.bearer = options_.bot_token();
        if (request.bearer.empty()) return later("there is no bot token. Nothing reaches anybody by Slack until an operator has set it.");
        request.url = options_.api_url + std::string(method);
        request.content_type = type;
        request.body = std::move(body);
        request.ca_file = options_.ca_file;
        request.connect_timeout = options_.connect_timeout;
        request.timeout = options_.timeout;
        request.longest_answer = slack_longest_answer;
        request.cut = &cut_;
        const auto answer = http_post(request);
        if (const auto* none = std::get_if<no_http_answer>(&answer)) return later(slack_line(none->why));
        const auto& got = std::get<http_post_answer>(answer);
        return read_slack_answer(method, got.status, got.retry_after, got.body);
    }

    const slack_options options_;
    std::atomic<bool> cut_{false};
};

// Which conversation reaches a person. What was found is remembered for a while, for Slack lets nobody ask often.
class slack_channel::address_book {
public:
    address_book(web_api& api, std::chrono::milliseconds life) : api_(api), life_(life) {}

    struct found {
        std::string conversation;
        bool remembered = false;
    };
    std::variant<found, not_delivered> find(const recipient& to)
    {
        if (auto known = remembered(key_of(to))) return found{*std::move(known), true};
        auto user = user_of(to);
        if (auto* why = std::get_if<not_delivered>(&user)) return std::move(*why);
        auto conversation = conversation_with(std::get<std::string>(user));
        if (auto* why = std::get_if<not_delivered>(&conversation)) return std::move(*why);
        remember(key_of(to), std::get<std::string>(conversation));
        return found{std::move(std::get<std::string>(conversation)), false};
    }

    void forget(const recipient& to)
    {
        const std::lock_guard lock(mutex_);
        known_.erase(key_of(to));
    }

private:
    using clock = std::chrono::steady_clock;
    using text_or_not = std::variant<std::string, not_delivered>;

    static std::string key_of(const recipient& to) { return to.slack_user.empty() ? "email " + to.email : "user " + to.slack_user; }

    text_or_not user_of(const recipient& to)
    {
        if (!to.slack_user.empty()) {
            if (slack_id(to.slack_user)) return to.slack_user;
            return not_delivered{kind::address, "The recipient's Slack user is no id of Slack's.", {}};
        }
        if (to.email.empty()) return not_delivered{kind::address, "The recipient has neither a Slack user nor an email address.", {}};
        constexpr std::string_view method = "users.lookupByEmail";  // takes no JSON
        const auto answer = api_.form(method, "email=" + percent_encoded(to.email));
        if (const auto* refusal = std::get_if<slack_refusal>(&answer)) return refusal->why;
        const auto& members = std::get<boost::json::object>(answer);
        const auto id = text_at(members, "user/id");
        if (!slack_id(id)) return nonsense(method);
        const boost::json::object& user = members.at("user").get_object();
        const auto says = [&](const char* name) {
            const auto* const flag = user.if_contains(name);
            return flag != nullptr && flag->is_bool() && flag->get_bool();
        };
        if (says("deleted")) return why_slack_refuses(method, "user_disabled");
        if (says("is_bot")) return why_slack_refuses(method, "cannot_dm_bot");
        return std::string(id);
    }

    text_or_not conversation_with(const std::string& user)
    {
        constexpr std::string_view method = "conversations.open";
        const auto answer = api_.json(method, boost::json::serialize(boost::json::object{{"users", user}}));
        if (const auto* refusal = std::get_if<slack_refusal>(&answer)) return refusal->why;
        const auto id = text_at(std::get<boost::json::object>(answer), "channel/id");
        if (!slack_id(id)) return nonsense(method);
        return std::string(id);
    }

    std::optional<std::string> remembered(const std::string& key)
    {
        const std::lock_guard lock(mutex_);
        const auto at = known_.find(key);
        if (at == known_.end() || at->second.until <= clock::now()) return std::nullopt;
        return at->second.conversation;
    }

    void remember(std::string key, std::string conversation)
    {
        constexpr std::size_t most = 10'000;
        const std::lock_guard lock(mutex_);
        if (known_.size() >= most) known_.clear();
        known_.insert_or_assign(std::move(key), entry{std::move(conversation), clock::now() + life_});
    }

    struct entry {
        std::string conversation;
        clock::time_point until;
    };
    web_api& api_;
    const std::chrono::milliseconds life_;
    std::mutex mutex_;
    std::map<std::string, entry> known_;
};

namespace {

delivery where_it_stands(const boost::json::object& answer)
{
    // Without a place it is there all the same; asking again would post it twice.
    place at{std::string(text_at(answer, "channel")), std::string(text_at(answer, "ts"))};
    return delivered{slack_id(at.channel) && slack_timestamp(at.ts) ? at.text() : std::string()};
}

std::optional<not_delivered> nothing_or_why(const slack_answer& answer)
{
    if (const auto* refusal = std::get_if<slack_refusal>(&answer)) return refusal->why;
    return std::nullopt;
}

}  // namespace

slack_channel::slack_channel(slack_options options)
{
    const auto life = options.remember_addresses;
    api_ = std::make_unique<web_api>(std::move(options));
    addresses_ = std::make_unique<address_book>(*api_, life);
}

slack_channel::~slack_channel() = default;

duration slack_channel::longest_delivery() const noexcept { return most_calls * api_->longest_call(); }

void slack_channel::cut() noexcept { api_->cut(); }

delivery slack_channel::deliver(const notice& n)
{
    if (!n.to) return not_delivered{kind::never, "Slack tells people, and this notice is to none.", {}};

    if (const auto earlier = place::parse(n.earlier_ref); earlier && n.what == notice::kind::ended) {
        const auto updated = api_->json("chat.update", slack_update(n, earlier->channel, earlier->ts));
        const auto* const refusal = std::get_if<slack_refusal>(&updated);
        if (refusal == nullptr) return delivered{earlier->text()};
        // What cannot be reached where it was is posted anew, by the address of now.
        if (one_of(refusal->error, {"message_not_found", "cant_update_message", "edit_window_closed"})) {
            const auto below = api_->json("chat.postMessage", slack_post(n, earlier->channel, earlier->ts));
            if (const auto* answer = std::get_if<boost::json::object>(&below)) return where_it_stands(*answer);
            if (std::get<slack_refusal>(below).why.what == kind::later &&
                !one_of(std::get<slack_refusal>(below).error, {"thread_not_found", "message_not_found"}))
                return std::get<slack_refusal>(below).why;
        } else if (refusal->why.what != kind::address) {
            return refusal->why;
        }
    }

    for (bool again = false;; again = true) {
        auto where = addresses_->find(*n.to);
        if (auto* why = std::get_if<not_delivered>(&where)) return std::move(*why);
        const auto& found = std::get<address_book::found>(where);
        const auto posted = api_->json("chat.postMessage", slack_post(n, found.conversation));
        if (const auto* answer = std::get_if<boost::json::object>(&posted)) return where_it_stands(*answer);
        const not_delivered& why = std::get<slack_refusal>(posted).why;
        if (why.what != kind::address) return why;
        addresses_->forget(*n.to);
        if (!found.remembered || again) return why;  // what was remembered may be out of date
    }
}

std::optional<not_delivered> slack_channel::ask_why(const slack_decision& decision, std::string_view summary, std::string_view trigger_id)
{
    return nothing_or_why(api_->json("views.open", slack_open_deny_dialog(decision, summary, trigger_id)));
}

std::optional<not_delivered> slack_channel::whisper(std::string_view conversation, std::string_view user, const slack_note& note)
{
    return nothing_or_why(api_->json("chat.postEphemeral", slack_whisper(conversation, user, note)));
}

std::variant<std::string, not_delivered> slack_channel::open_socket()
{
    constexpr std::string_view method = "apps.connections.open";
    const auto answer = api_->form(method, {});
    if (const auto* refusal = std::get_if<slack_refusal>(&answer)) return refusal->why;
    const auto url = text_at(std::get<boost::json::object>(answer), "url");
    // It carries a ticket: sealed, or to this machine.
    if (!url.starts_with("ws") || !sealed_or_here("http" + std::string(url.substr(2)))) return nonsense(method);
    return std::string(url);
}

}  // namespace sallyport::notifiers
