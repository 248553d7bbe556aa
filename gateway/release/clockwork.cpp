#include "gateway/release/clockwork.hpp"

#include "gateway/log/log.hpp"
#include "gateway/release/asking.hpp"
#include "gateway/release/hold_moves.hpp"
#include "storage/hold_store.hpp"
#include "storage/key_store.hpp"
#include "storage/passkey_store.hpp"
#include "storage/replica_store.hpp"
#include "storage/session_store.hpp"

#include <chrono>

namespace sallyport::release {
namespace {

using namespace std::chrono_literals;

constexpr auto tick = 200ms;
constexpr std::size_t due_at_once = 200;
// In ticks.
constexpr unsigned settle_every = 10;
constexpr unsigned clean_every = 300;

// A beat that did not come through is repeated sooner: there is time for several before others count it.
constexpr auto beat_every = 2s;
constexpr auto missed_beat_pause = 500ms;
static_assert(5 * beat_every <= std::chrono::seconds(storage::replica_store::dead_after_seconds));

struct woken {
    hold now;
    bool moved = false;
    std::size_t passed_over = 0;
};

void complain(const char* doing, const failure& why)
{
    if (why.what != problem::storage_unavailable && why.what != problem::conflict)
        log::error(doing, {{"cause", why.detail + " " + why.cause}});
}

}  // namespace

clockwork::clockwork(storage::database& db, const identity::standings& all, releaser& sender, metrics::registry& registry,
                     std::string replica)
    : db_(db),
      standings_(all),
      releaser_(sender),
      registry_(registry),
      replica_(std::move(replica))
{
}

clockwork::~clockwork() { stop(); }

void clockwork::start()
{
    thread_ = std::thread([this] { run(); });
    heart_ = std::thread([this] { beat(); });
}

void clockwork::stop() noexcept
{
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread* t : {&thread_, &heart_})
        if (t->joinable()) t->join();
}

bool clockwork::wake_due()
{
    const auto standing = standings_.current();
    row_work<woken> work = [&](storage::transaction& tx, const storage::hold_store::pick& picked,
                               std::vector<hold_id>& wanted) -> result<std::vector<woken>> {
        wanted = storage::hold_store::lock_due(tx, picked);
        std::vector<woken> all;
        if (wanted.empty()) return all;
        recent_asks asks = read_recent_asks(tx, standing->config->limits);
        for (auto& read : storage::hold_store::read_locked(tx, wanted, storage::payload::leave)) {
            auto done = apply(tx, std::move(read), happened::woke{}, *standing->directory, {}, asks);
            if (!done) return done.error();
            count_asks(asks, done->effects);
            all.push_back({std::move(done->hold.hold), done->moved, people_passed_over(done->effects)});
        }
        return all;
    };
    const auto done = run_rows(db_, bad_due_, due_at_once, std::move(work));
    if (!done) {
        complain("waking holds failed", done.error());
        return false;
    }
    std::vector<hold> ended;
    bool release = false;
    for (const woken& one : *done) {
        release = release || one.now.status == hold_status::approved;
        if (one.moved && closed(one.now.status)) ended.push_back(one.now);
        count_passed_over(registry_, one.passed_over);
    }
    tell_closed(registry_, ended);
    if (release) releaser_.wake();
    return done->size() == due_at_once;
}

void clockwork::settle_abandoned()
{
    const auto standing = standings_.current();
    row_work<hold> work = [&](storage::transaction& tx, const storage::hold_store::pick& picked,
                              std::vector<hold_id>& wanted) -> result<std::vector<hold>> {
        wanted = storage::hold_store::lock_abandoned(tx, replica_, picked);
        std::vector<hold> all;
        for (auto& read : storage::hold_store::read_locked(tx, wanted, storage::payload::leave)) {
            const config::route* route = standing->config->find_route(read.hold.route);
            // Whether the dead one sent it nobody knows; only an idempotent upstream may be asked again.
            const happened::lost what{"the gateway stopped while it was sent", route && route->idempotent};
            auto done = apply(tx, std::move(read), what, *standing->directory);
            if (!done) return done.error();
            all.push_back(std::move(done->hold.hold));
        }
        return all;
    };
    const auto done = run_rows(db_, bad_abandoned_, due_at_once, std::move(work));
    if (!done) return complain("settling abandoned holds failed", done.error());
    for (const hold& h : *done) {
        count_closed(registry_, h);
        log::warning("release was cut off", {{"hold", h.id.text()}, {"action", h.action.text()}, {"status", name_of(h.status)}});
    }
}

void clockwork::clean_up()
{
    const auto done = db_.run_blocking([](storage::transaction& tx) {
        storage::hold_store::remove_expired_responses(tx);
        storage::key_store::remove_expired_assertions(tx);
        storage::session_store::remove_expired(tx);
        storage::passkey_store::remove_expired_challenges(tx);
    });
    if (!done) complain("cleaning up failed", done.error());
}

void clockwork::repeat(const std::function<std::chrono::milliseconds()>& act)
{
    for (;;) {
        std::chrono::milliseconds pause = tick;
        try {
            pause = act();
        } catch (const std::exception& e) {
            log::error("clockwork failed", {{"cause", e.what()}});
        }
        std::unique_lock lock(mutex_);
        if (wake_.wait_for(lock, pause, [this] { return stopping_; })) return;
    }
}

void clockwork::run()
{
    unsigned ticks = 0;
    repeat([&]() -> std::chrono::milliseconds {
        const unsigned now = ticks++;
        while (wake_due()) {}
        if (now % settle_every == 0) settle_abandoned();
        if (now % clean_every == clean_every - 1) clean_up();
        return tick;
    });
}

void clockwork::beat()
{
    repeat([this]() -> std::chrono::milliseconds {
        const auto beat = db_.run_blocking([this](storage::transaction& tx) { return storage::replica_store::beat(tx, replica_); });
        if (!beat) {
            complain("the heartbeat failed", beat.error());
            return missed_beat_pause;
        }
        if (*beat == storage::race::lost) log::error("this replica was declared dead: another process uses its data directory");
        return beat_every;
    });
}

}  // namespace sallyport::release
