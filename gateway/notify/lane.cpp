#include "gateway/notify/lane.hpp"

#include "gateway/log/log.hpp"
#include "gateway/notify/backoff.hpp"
#include "storage/hold_store.hpp"
#include "storage/slack_store.hpp"

#include <pthread.h>

#include <exception>
#include <utility>
#include <variant>

namespace sallyport::notify {
namespace {

using namespace std::chrono_literals;
using storage::outbox_entry;
namespace outbox = storage::outbox_store;

// A few at a time: what one thread has taken, no other delivers meanwhile.
constexpr std::size_t taken_at_once = 4;
// Longer than a channel's own time-outs; a replica that dies holds up its messages for so long.
constexpr duration lease = 75s;
constexpr auto longest_delivery = 50s;
// Every change of a hold wakes the lanes; they ask the database no oftener than this when there is nothing for them.
constexpr auto shortest_pause = 20ms;
constexpr duration end_waits = 1s;

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
    channel_ = std::move(to);
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
    }
    wake_.notify_all();
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
            busy = deliver_some();
        } catch (const std::exception& e) {
            log::error("delivery failed", {{"channel", name_}, {"cause", e.what()}});
        }
        std::unique_lock lock(mutex_);
        if (busy) continue;
        if (wake_.wait_for(lock, shortest_pause, [this] { return ending_; })) return;
        wake_.wait_for(lock, of_.options_.poll, [this] { return ending_ || news_; });
        news_ = false;
    }
}

bool dispatcher::lane::deliver_some()
{
    const auto began = clock::now();
    const auto all = take();
    if (!all) {
        if (all.error().what != problem::storage_unavailable)
            log::error("outbox not read", {{"channel", name_}, {"cause", all.error().cause}});
        return false;
    }
    // Somebody else of the lane may be free for what is behind these.
    if (all->size() == taken_at_once) wake_.notify_one();
    for (const taken& one : *all) {
        // What is left is due again when its lease ends.
        if (ending() || clock::now() - began > lease - longest_delivery) break;
        deliver(one);
    }
    return !all->empty();
}

result<std::vector<dispatcher::lane::taken>> dispatcher::lane::take()
{
    const auto standing = of_.standings_.current();
    return of_.db_.run_blocking([&](storage::transaction& tx) {
        std::vector<taken> all;
        for (outbox_entry& message : outbox::due(tx, name_, taken_at_once, lease)) {
            const auto asked = message.what == storage::message_kind::ended ? outbox::asked_before(tx, message) : std::nullopt;
            const auto hold = message.hold ? storage::hold_store::get(tx, *message.hold) : std::nullopt;
            auto what = compose(message, asked, hold, *standing->directory, standing->config->public_url,
                                of_.options_.decision_key.reveal(), tx.now());
            if (name_ == "slack") address(tx, what);
            all.push_back({std::move(message), std::move(what)});
        }
        return all;
    });
}

void dispatcher::lane::deliver(const taken& one)
{
    const outbox_entry& message = one.message;
    if (const auto* no = std::get_if<not_needed>(&one.what)) {
        const auto done = of_.db_.run_blocking([&](storage::transaction& tx) { outbox::skip(tx, message.id, no->why); });
        if (done) count("skipped");
        return;
    }
    if (std::holds_alternative<too_early>(one.what)) {
        of_.db_.run_blocking([&](storage::transaction& tx) { outbox::again(tx, message.id, tx.now() + end_waits, message.last_error); });
        return;
    }
    std::shared_ptr<notifiers::channel> to;
    {
        const std::lock_guard lock(mutex_);
        to = channel_;
    }
    notifiers::delivery done = notifiers::not_delivered{notifiers::not_delivered::kind::later, "the channel failed", {}};
    try {
        done = to->deliver(std::get<notifiers::notice>(one.what));
    } catch (const std::exception& e) {
        log::error("channel failed", {{"channel", name_}, {"message", message.key}, {"cause", e.what()}});
    }
    write_down(message, done);
}

void dispatcher::lane::write_down(const outbox_entry& message, const notifiers::delivery& done)
{
    const auto* failed = std::get_if<notifiers::not_delivered>(&done);
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
