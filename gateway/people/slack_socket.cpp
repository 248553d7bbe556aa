#include "gateway/people/slack_socket.hpp"

#include "gateway/canonical/sha256.hpp"
#include "gateway/config/secrets.hpp"
#include "gateway/log/log.hpp"
#include "gateway/people/slack_door.hpp"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>
#include <variant>

namespace sallyport::people {
namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 1s;  // whether there is anything to connect for
constexpr std::chrono::milliseconds after_a_good_one = 50ms, first_pause = 500ms, longest_pause = 30s;
constexpr int attempts = 3;  // of a transaction that lost a race

bool wanted(const config::configuration& c) { return c.notifiers.slack && c.notifiers.slack->app_token; }

notifiers::slack_options options_of(const config::slack_notifier& slack)
{
    notifiers::slack_options options;
    options.api_url = slack.api_url;
    options.bot_token = [from = *slack.app_token] {
        auto read = config::read(from);
        if (read) return std::move(*read);
        log::error("Slack's app token cannot be read", {{"cause", read.error().detail}});
        return secret();
    };
    options.timeout = 10s;
    return options;
}

}  // namespace

slack_socket::slack_socket(const people_context& context, const surroundings& around) : context_(context), around_(around) {}

slack_socket::~slack_socket() { stop(); }

void slack_socket::start()
{
    thread_ = std::thread([this] { run(); });
}

void slack_socket::stop() noexcept
{
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        if (api_) api_->cut();
        if (socket_) socket_->cut();
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

bool slack_socket::stopping()
{
    const std::lock_guard lock(mutex_);
    return stopping_;
}

void slack_socket::run()
{
    ::pthread_setname_np(::pthread_self(), "slack-socket");
    std::chrono::milliseconds pause = first_pause;
    while (!stopping()) {
        std::chrono::milliseconds next = look_every;
        const auto config = context_.standings.current()->config;
        if (wanted(*config)) {
            bool good = false;
            try {
                good = serve(config);
            } catch (const std::exception& e) {
                log::error("Slack's socket failed", {{"cause", e.what()}});
            }
            next = good ? after_a_good_one : pause;
            pause = good ? first_pause : std::min(pause * 2, longest_pause);
        }
        std::unique_lock lock(mutex_);
        if (wake_.wait_for(lock, next, [this] { return stopping_; })) return;
    }
}

bool slack_socket::serve(const config::snapshot& config)
{
    const auto api = std::make_shared<notifiers::slack_channel>(options_of(*config->notifiers.slack));
    const auto socket = std::make_shared<http::websocket>();
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) return false;
        api_ = api;
        socket_ = socket;
    }
    const auto url = api->open_socket();
    if (const auto* why = std::get_if<notifiers::not_delivered>(&url)) {
        if (!stopping()) log::warning("Slack gives no socket", {{"cause", why->why}});
        return false;
    }
    http::websocket_options options;
    options.url = std::get<std::string>(url);
    if (const auto opened = socket->open(options); !opened) {
        if (!stopping()) log::warning("Slack's socket does not open", {{"cause", opened.error().cause}});
        return false;
    }
    bool good = false;
    for (;;) {
        const auto text = socket->read();
        if (!text) {
            if (!stopping()) log::info("Slack's socket is over", {{"cause", text.error().cause}});
            return good;
        }
        const auto envelope = notifiers::read_slack_envelope(*text);
        if (!envelope) {
            log::warning("Slack's socket says what cannot be read", {{"cause", envelope.error().detail}});
            continue;
        }
        if (envelope->type == "hello") {
            if (!good) log::info("Slack's socket is open", {});
            good = true;
        }
        // Slack ends a socket now and then, and another is there for the asking. What is not acknowledged comes by that one.
        if (envelope->type == "disconnect") return good;
        if (envelope->id.empty()) continue;
        const auto now = context_.standings.current()->config;
        if (!wanted(*now)) return good;
        const std::string word = answer(*envelope, *text);
        if (!word.empty() && !socket->write(word)) return good;
        if (now != config) return good;  // perhaps of another app; what comes meanwhile waits for the next socket
    }
}

std::string slack_socket::answer(const notifiers::slack_envelope& envelope, std::string_view text)
{
    if (std::holds_alternative<notifiers::slack_other>(envelope.what)) return notifiers::slack_acknowledgement(envelope.id, {});
    call c;
    c.standing = context_.standings.current();
    c.around = &around_;
    from_slack r;
    r.what = envelope.what;
    r.envelope = envelope.id;
    r.body = sha256(text);
    for (int attempt = 1;; ++attempt) {
        auto done = context_.db.run_blocking([&](storage::transaction& tx) { return answer_slack(tx, c, r); });
        if (done) {
            carry_out(context_, *done);
            return notifiers::slack_acknowledgement(envelope.id, done->answer.body);
        }
        if (done.error().what == problem::conflict && attempt < attempts) continue;
        log::error("Slack's request failed", {{"cause", done.error().cause}});
        return {};
    }
}

}  // namespace sallyport::people
