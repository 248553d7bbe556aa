#include "gateway/notify/lane.hpp"

#include "gateway/log/log.hpp"
#include "gateway/notify/backoff.hpp"
#include "storage/hold_store.hpp"
#include "storage/slack_store.hpp"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <utility>
#include <variant>

namespace sallyport::notify {
namespace {

using namespace std::chrono_literals;
using storage::outbox_entry;
namespace outbox = storage::outbox_store;

// Every change of a hold wakes the lanes; they ask the database no oftener than this when there is nothing for them.
constexpr auto shortest_pause = 20ms;
constexpr duration longest_rest = 5min;
// Beyond a channel's longest delivery, until what became of it is written down. A replica that dies holds up its message for both.
constexpr duration lease_margin = 3s;

// Whoever has said which account is theirs is told there, whatever their email address.
void address(storage::transaction& tx, composition& what)
{
    auto* told = std::get_if<notifiers::notice>(&what);
    if (!told || !told->to) return;
    if (const auto known = storage::slack_store::of_person(tx, told->to->id)) told->to->slack_user = known->user;
}

}  // namespace

dispatcher::lane::lane(dispatcher& of, std::string name, std::shared_ptr<notifiers::channel> to)
    : of_(of),
      name_(std::move(name)),
      channel_(std::move(to))
{
}

dispatcher::lane::~lane()
{
    end();
    for (std::thread& t : threads_)
        if (t.joinable()) t.join();
}

void dispatcher::lane::start()
{
    for (std::size_t i = 0; i < of_.options_.threads; ++i) threads_.emplace_back([this] { run(); });
}

void dispatcher::lane::change(std::shared_ptr<notifiers::channel> to)
{
    const std::lock_guard lock(mutex_);
    std::erase_if(earlier_, [](const auto& one) { return one.expired(); });
    earlier_.push_back(std::exchange(channel_, std::move(to)));
    rests_until_ = {};
}

void dispatcher::lane::wake() noexcept
{
    {
        const std::lock_guard lock(mutex_);
        news_ = true;
    }
    wake_.notify_one();
}

void dispatcher::lane::end() noexcept
{
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        channel_->cut();
        for (const auto& one : earlier_)
            if (const auto used = one.lock()) used->cut();
    }
    wake_.notify_all();
}

std::shared_ptr<notifiers::channel> dispatcher::lane::channel() const
{
    const std::lock_guard lock(mutex_);
    return channel_;
}

bool dispatcher::lane::ending() const
{
    const std::lock_guard lock(mutex_);
    return ending_;
}

void dispatcher::lane::run()
{
    ::pthread_setname_np(::pthread_self(), "notify");
    while (!ending()) {
        bool busy = false;
        try {
            busy = deliver_next();
        } catch (const std::exception& e) {
            log::error("delivery failed", {{"channel", name_}, {"cause", e.what()}});
        }
        std::unique_lock lock(mutex_);
        if (wake_.wait_until(lock, rests_until_, [this] { return ending_; })) return;
        if (busy) continue;
        if (wake_.wait_for(lock, shortest_pause, [this] { return ending_; })) return;
        wake_.wait_for(lock, of_.options_.poll, [this] { return ending_ || news_; });
        news_ = false;
    }
}

bool dispatcher::lane::deliver_next()
{
    const auto to = channel();
    const auto next = take(to->longest_delivery() + lease_margin);
    if (!next) {
        if (next.error().what != problem::storage_unavailable)
            log::error("outbox not read", {{"channel", name_}, {"cause", next.error().cause}});
        return false;
    }
    if (!*next) return false;
    // There may be more, for another of the threads.
    wake();
    const outbox_entry& message = **next;
    const auto what = composed(message);
    if (what)
        deliver(message, *what, *to);
    else if (what.error().what != problem::storage_unavailable)
        write_down(message, notifiers::not_delivered{notifiers::not_delivered::kind::later, "it could not be composed", {}});
    return true;
}

// One at a time: what a thread has taken, no other delivers, however long the first takes. It is leased before it is read, so that
// one that cannot be read does not stand before the others for ever.
result<std::optional<outbox_entry>> dispatcher::lane::take(duration lease)
{
    return of_.db_.run_blocking([&](storage::transaction& tx) -> std::optional<outbox_entry> {
        auto due = outbox::due(tx, name_, 1, lease);
        if (due.empty()) return std::nullopt;
        return std::move(due.front());
    });
}

result<composition> dispatcher::lane::composed(const outbox_entry& message)
{
    const auto standing = of_.standings_.current();
    return of_.db_.run_blocking([&](storage::transaction& tx) {
        const auto asked = message.what != storage::message_kind::asked ? outbox::asked_before(tx, message) : std::nullopt;
        const auto hold = message.hold ? storage::hold_store::get(tx, *message.hold) : std::nullopt;
        const auto& slack = standing->config->notifiers.slack;
        // Pressed buttons come back signed, or by the socket that we opened.
        const bool answers = slack && (slack->signing_secret || slack->app_token);
        auto what = compose(message, asked, hold, *standing->directory,
                            {standing->config->public_url, of_.options_.decision_key.reveal(), answers, tx.now()});
        if (name_ == "slack") address(tx, what);
        return what;
    });
}

void dispatcher::lane::rest(duration pause)
{
    const std::lock_guard lock(mutex_);
    rests_until_ = std::max(rests_until_, clock::now() + std::min(pause, longest_rest));
}

void dispatcher::lane::deliver(const outbox_entry& message, const composition& what, notifiers::channel& to)
{
    if (const auto* no = std::get_if<not_needed>(&what)) {
        const auto done = of_.db_.run_blocking([&](storage::transaction& tx) { outbox::skip(tx, message.id, no->why); });
        if (done) count("skipped");
        return;
    }
    if (const auto* early = std::get_if<too_early>(&what)) {
        of_.db_.run_blocking([&](storage::transaction& tx) { outbox::put_off(tx, message.id, early->until); });
        return;
    }
    notifiers::delivery done = notifiers::not_delivered{notifiers::not_delivered::kind::later, "the channel failed", {}};
    try {
        done = to.deliver(std::get<notifiers::notice>(what));
    } catch (const std::exception& e) {
        log::error("channel failed", {{"channel", name_}, {"message", message.key}, {"cause", e.what()}});
    }
    write_down(message, done);
}

void dispatcher::lane::write_down(const outbox_entry& message, const notifiers::delivery& done)
{
    const auto* failed = std::get_if<notifiers::not_delivered>(&done);
    if (failed && failed->not_before) rest(*failed->not_before);
    const double chance = of_.options_.chance ? of_.options_.chance() : 0.5;
    std::string_view result = "sent";
    const auto written = of_.db_.run_blocking([&](storage::transaction& tx) {
        if (!failed) {
            outbox::sent(tx, message.id, std::get<notifiers::delivered>(done).message_ref);
            return;
        }
        const bool hopeless = failed->what != notifiers::not_delivered::kind::later || tx.now() - message.created_at >= give_up_after;
        result = hopeless ? "dead" : "again";
        if (hopeless)
            outbox::dead(tx, message.id, failed->why);
        else
            outbox::again(tx, message.id, tx.now() + pause_after(message.attempts, chance, failed->not_before), failed->why);
    });
    // Not written: it is due again when its lease ends, and the key tells the channel that it is the same.
    if (!written) result = "again";
    count(result);
    if (failed)
        log::warning(result == "dead" ? "message not delivered, given up" : "message not delivered",
                     {{"channel", name_}, {"message", message.key}, {"attempt", message.attempts}, {"cause", failed->why}});
}

void dispatcher::lane::count(std::string_view result)
{
    of_.registry_
        .count("sallyport_deliveries_total", "Messages by channel, and what became of each attempt.",
               {{"channel", name_}, {"result", result}})
        .add();
}

}  // namespace sallyport::notify
