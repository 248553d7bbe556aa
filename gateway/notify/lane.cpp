#include "gateway/notify/lane.hpp"

#include "gateway/identity/push_subscription.hpp"
#include "gateway/log/log.hpp"
#include "gateway/notify/backoff.hpp"
#include "storage/hold_store.hpp"
#include "storage/push_store.hpp"
#include "storage/slack_store.hpp"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <span>
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
// Beyond a channel's longest delivery, until what became of it is written down. A replica that dies holds up its messages for both,
// and for as long as they may wait in a batch.
constexpr duration lease_margin = 3s;
constexpr auto longest_wait = 2s;
// What is composed tells of the hold as it was then.
constexpr auto fresh_for = 500ms;
constexpr std::size_t largest_batch = 64;

}  // namespace

dispatcher::lane::lane(dispatcher& of, std::string name, std::shared_ptr<notifiers::channel> to)
    : of_(of),
      name_(std::move(name)),
      channel_(std::move(to)),
      batch_(of.options_.threads)
{
}

dispatcher::lane::~lane()
{
    end();
    for (std::thread& t : threads_)
        if (t.joinable()) t.join();
    try {
        give_back(queue_);
    } catch (const std::exception& e) {
        log::error("messages not given back", {{"channel", name_}, {"cause", e.what()}});
    }
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
    // They are leased for as long as the one before may take.
    for (claimed& one : queue_) one.since = {};
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
        // What another has claimed meanwhile is for all.
        wake_.wait_for(lock, shortest_pause, [this] { return ending_ || ready(); });
        if (ending_) return;
        wake_.wait_for(lock, of_.options_.poll, [this] { return ending_ || news_ || ready(); });
        news_ = false;
    }
}

bool dispatcher::lane::deliver_next()
{
    const auto to = channel();
    if (needs_claim()) claim(longest_wait + to->longest_delivery() + lease_margin);
    auto one = next();
    if (!one) return false;
    deliver(std::move(*one), *to);
    return true;
}

// Before the last of a batch are taken, so that the others go on meanwhile.
bool dispatcher::lane::needs_claim()
{
    const std::lock_guard lock(mutex_);
    if (claiming_ || ending_ || clock::now() < rests_until_) return false;
    if (!queue_.empty() && (!more_ || queue_.size() > of_.options_.threads)) return false;
    return claiming_ = true;
}

// They are leased before they are read, so that one that cannot be read does not stand before the others for ever: it is composed
// by itself then, and so is tried again later than they are.
void dispatcher::lane::claim(duration lease)
{
    std::size_t wanted = 0;
    {
        const std::lock_guard lock(mutex_);
        wanted = batch_;
    }
    std::deque<claimed> batch;
    try {
        const auto begun = clock::now();
        auto due = of_.db_.run_blocking([&](storage::transaction& tx) { return outbox::due(tx, name_, wanted, lease); });
        if (due) {
            for (outbox_entry& message : *due) batch.push_back({std::move(message), std::nullopt, begun});
            auto all = of_.db_.run_blocking([&](storage::transaction& tx) {
                std::vector<composition> made;
                for (const claimed& one : batch) made.push_back(composed(tx, one.message));
                return made;
            });
            for (std::size_t i = 0; all && i < batch.size(); ++i) batch[i].what = std::move((*all)[i]);
        } else if (due.error().what != problem::storage_unavailable) {
            log::error("outbox not read", {{"channel", name_}, {"cause", due.error().cause}});
        }
    } catch (const std::exception& e) {
        log::error("messages not claimed", {{"channel", name_}, {"cause", e.what()}});
    }
    {
        const std::lock_guard lock(mutex_);
        claiming_ = false;
        more_ = batch.size() == wanted;
        // It grows with what was delivered in time, and shrinks when something was not (give_back_stale).
        if (more_) batch_ = std::min(wanted * 2, largest_batch);
        for (claimed& one : batch) queue_.push_back(std::move(one));
    }
    wake_.notify_all();
}

bool dispatcher::lane::ready() const
{
    const auto now = clock::now();
    return !queue_.empty() && now >= rests_until_ && now - queue_.front().since <= longest_wait;
}

std::optional<dispatcher::lane::claimed> dispatcher::lane::next()
{
    const std::lock_guard lock(mutex_);
    if (ending_ || !ready()) return std::nullopt;
    claimed one = std::move(queue_.front());
    queue_.pop_front();
    return one;
}

void dispatcher::lane::give_back_stale()
{
    std::deque<claimed> stale;
    {
        const std::lock_guard lock(mutex_);
        const auto now = clock::now();
        // All of them where the channel rests: another replica may be let in sooner.
        while (!queue_.empty() && (now < rests_until_ || now - queue_.front().since > longest_wait)) {
            stale.push_back(std::move(queue_.front()));
            queue_.pop_front();
        }
        if (!stale.empty()) batch_ = of_.options_.threads;
    }
    give_back(stale);
}

void dispatcher::lane::give_back(const std::deque<claimed>& all)
{
    if (all.empty()) return;
    std::vector<std::int64_t> ids;
    for (const claimed& one : all) ids.push_back(one.message.id);
    // Not written: they are due again when their lease ends.
    of_.db_.run_blocking([&](storage::transaction& tx) { return outbox::give_back(tx, ids); });
}

composition dispatcher::lane::composed(storage::transaction& tx, const outbox_entry& message) const
{
    const auto standing = of_.standings_.current();
    const auto asked = message.what != storage::message_kind::asked ? outbox::asked_before(tx, message) : std::nullopt;
    const auto hold = message.hold ? storage::hold_store::get(tx, *message.hold) : std::nullopt;
    const auto& slack = standing->config->notifiers.slack;
    // Pressed buttons come back signed, or by the socket that we opened.
    const bool answers = slack && (slack->signing_secret || slack->app_token);
    auto what = compose(message, asked, hold, *standing->directory,
                        {standing->config->public_url, of_.options_.decision_key.reveal(), answers, tx.now()});
    address(tx, message, what);
    return what;
}

// Whoever has said which account is theirs is told there, whatever their email address; a browser where it has said.
void dispatcher::lane::address(storage::transaction& tx, const outbox_entry& message, composition& what) const
{
    auto* told = std::get_if<notifiers::notice>(&what);
    if (!told || !told->to) return;
    if (name_ == "slack") {
        if (const auto known = storage::slack_store::of_person(tx, told->to->id)) told->to->slack_user = known->user;
    } else if (name_ == "push") {
        const auto browser = storage::push_store::find(tx, message.browser);
        // It may be another person's by now: whoever signed in there last.
        if (!browser || browser->person != told->to->id || !of_.options_.keys) {
            what = not_needed{"the browser is not told any more"};
            return;
        }
        auto target = identity::open_push_target(*of_.options_.keys, browser->id, browser->sealed);
        if (!target)
            what = not_needed{"the browser's address cannot be opened"};
        else
            told->browser = std::make_shared<const notifiers::push_target>(std::move(*target));
    }
}

result<composition> dispatcher::lane::composed_alone(const outbox_entry& message)
{
    return of_.db_.run_blocking([&](storage::transaction& tx) { return composed(tx, message); });
}

void dispatcher::lane::rest(duration pause)
{
    const std::lock_guard lock(mutex_);
    rests_until_ = std::max(rests_until_, clock::now() + std::min(pause, longest_rest));
}

void dispatcher::lane::deliver(claimed one, notifiers::channel& to)
{
    const auto trouble = [](const char* why) { return notifiers::not_delivered{notifiers::not_delivered::kind::later, why, {}}; };
    if (!one.what || clock::now() - one.since > fresh_for) {
        auto made = composed_alone(one.message);
        if (!made) {
            // Without the database nothing can be written down either: its lease ends.
            if (made.error().what != problem::storage_unavailable) finish({std::move(one.message), trouble("it could not be composed")});
            return;
        }
        one.what = std::move(*made);
    }
    if (const auto* no = std::get_if<not_needed>(&*one.what)) return finish({std::move(one.message), *no});
    if (const auto* early = std::get_if<too_early>(&*one.what)) return finish({std::move(one.message), *early});
    notifiers::delivery done = trouble("the channel failed");
    try {
        done = to.deliver(std::get<notifiers::notice>(*one.what));
    } catch (const std::exception& e) {
        log::error("channel failed", {{"channel", name_}, {"message", one.message.key}, {"cause", e.what()}});
    }
    const auto* failed = std::get_if<notifiers::not_delivered>(&done);
    if (failed && failed->not_before && to.pauses_as_one()) rest(*failed->not_before);
    finish({std::move(one.message), std::move(done)});
}

// Whoever comes while another writes leaves it to that one, and goes on.
void dispatcher::lane::finish(finished one)
{
    {
        const std::lock_guard lock(mutex_);
        finished_.push_back(std::move(one));
        if (std::exchange(writing_, true)) return;
    }
    for (;;) {
        std::vector<finished> all;
        {
            const std::lock_guard lock(mutex_);
            all.swap(finished_);
            if (all.empty()) {
                writing_ = false;
                return;
            }
        }
        try {
            write_down(all);
        } catch (const std::exception& e) {
            log::error("outcomes not written", {{"channel", name_}, {"cause", e.what()}});
        }
    }
}

void dispatcher::lane::write_down(const std::vector<finished>& all)
{
    std::vector<std::string_view> results;
    const auto write = [&](storage::transaction& tx, std::span<const finished> some) {
        results.clear();
        std::vector<outbox::sent_message> sent;
        const notifiers::not_delivered* trouble = nullptr;
        for (const finished& one : some) {
            const auto* done = std::get_if<notifiers::delivery>(&one.how);
            if (const auto* taken = done ? std::get_if<notifiers::delivered>(done) : nullptr) {
                sent.push_back({one.message.id, taken->message_ref});
                results.emplace_back("sent");
                continue;
            }
            const auto* failed = done ? std::get_if<notifiers::not_delivered>(done) : nullptr;
            if (failed && failed->what == notifiers::not_delivered::kind::later && failed->tried) trouble = failed;
            results.push_back(write_one(tx, one));
        }
        if (!sent.empty()) {
            outbox::sent(tx, sent);
            outbox::note_sent(tx, name_);
        } else if (trouble) {
            outbox::note_failed(tx, name_, trouble->why);
        }
    };
    const auto written = of_.db_.run_blocking([&](storage::transaction& tx) { write(tx, all); });
    if (written) {
        for (std::size_t i = 0; i < all.size(); ++i) report(all[i], results[i]);
        return;
    }
    // One that cannot be written takes no other with it. What is not written is due again when its lease ends, and the key tells
    // the channel that it is the same.
    for (const finished& one : all) {
        const bool alone = written.error().what != problem::storage_unavailable && of_.db_.run_blocking([&](storage::transaction& tx) {
            write(tx, {&one, 1});
        });
        report(one, alone ? results.front() : "again");
    }
}

std::string_view dispatcher::lane::write_one(storage::transaction& tx, const finished& one) const
{
    const outbox_entry& message = one.message;
    if (const auto* no = std::get_if<not_needed>(&one.how)) {
        outbox::skip(tx, message.id, no->why);
        return "skipped";
    }
    if (const auto* early = std::get_if<too_early>(&one.how)) {
        outbox::put_off(tx, message.id, early->until);
        return {};
    }
    const auto& failed = std::get<notifiers::not_delivered>(std::get<notifiers::delivery>(one.how));
    using kind = notifiers::not_delivered::kind;
    if (failed.what == kind::address && !message.browser.empty() && message.person) {
        // Nobody needs to look at that: people switch browsers off, and lose them.
        storage::push_store::remove(tx, *message.person, message.browser);
        outbox::skip(tx, message.id, "the browser has unsubscribed");
        return "skipped";
    }
    if (!failed.tried) {
        outbox::put_off(tx, message.id, tx.now() + failed.not_before.value_or(longest_wait));
        return {};
    }
    const double chance = of_.options_.chance ? of_.options_.chance() : 0.5;
    const bool hopeless = failed.what != kind::later || tx.now() - message.created_at >= give_up_after;
    if (hopeless)
        outbox::dead(tx, message.id, failed.why);
    else
        outbox::again(tx, message.id, tx.now() + pause_after(message.attempts, chance, failed.not_before), failed.why);
    return hopeless ? "dead" : "again";
}

// An empty result: taken too early, which was no attempt.
void dispatcher::lane::report(const finished& one, std::string_view result)
{
    if (result.empty()) return;
    of_.registry_
        .count("sallyport_deliveries_total", "Messages by channel, and what became of each attempt.",
               {{"channel", name_}, {"result", result}})
        .add();
    const auto* done = std::get_if<notifiers::delivery>(&one.how);
    if (const auto* failed = done ? std::get_if<notifiers::not_delivered>(done) : nullptr)
        log::warning(result == "dead" ? "message not delivered, given up" : "message not delivered",
                     {{"channel", name_}, {"message", one.message.key}, {"attempt", one.message.attempts}, {"cause", failed->why}});
}

}  // namespace sallyport::notify
