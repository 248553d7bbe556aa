#include "gateway/release/clockwork.hpp"

#include "gateway/log/log.hpp"
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
constexpr unsigned beat_every = 10;
constexpr unsigned settle_every = 10;
constexpr unsigned clean_every = 300;

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
}

void clockwork::stop() noexcept
{
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

bool clockwork::wake_due()
{
    const auto standing = standings_.current();
    struct woken {
        std::vector<hold> closed;
        bool release = false;
        std::size_t count = 0;
    };
    const auto done = db_.run_blocking([&](storage::transaction& tx) -> result<woken> {
        woken all;
        for (auto& read : storage::hold_store::due(tx, due_at_once)) {
            ++all.count;
            auto moved = apply(tx, std::move(read), happened::woke{}, *standing->directory);
            if (!moved) return moved.error();
            if (moved->hold.hold.status == hold_status::approved) all.release = true;
            if (moved->moved && closed(moved->hold.hold.status)) all.closed.push_back(moved->hold.hold);
        }
        return all;
    });
    if (!done) {
        complain("waking holds failed", done.error());
        return false;
    }
    for (const hold& h : done->closed) {
        count_closed(registry_, h);
        log::info("hold closed", {{"hold", h.id.text()}, {"action", h.action.text()}, {"status", name_of(h.status)}});
    }
    if (done->release) releaser_.wake();
    return done->count == due_at_once;
}

void clockwork::settle_abandoned()
{
    const auto standing = standings_.current();
    const auto done = db_.run_blocking([&](storage::transaction& tx) -> result<std::vector<hold>> {
        std::vector<hold> all;
        for (auto& read : storage::hold_store::abandoned(tx, replica_, due_at_once)) {
            const config::route* route = standing->config->find_route(read.hold.route);
            // Whether the dead one sent it nobody knows; only an idempotent upstream may be asked again.
            const event what = route && route->idempotent ? event(happened::sent_nothing{"the gateway stopped while it was sent"})
                                                          : event(happened::lost{"the gateway stopped while it was sent"});
            auto moved = apply(tx, std::move(read), what, *standing->directory);
            if (!moved) return moved.error();
            all.push_back(moved->hold.hold);
        }
        return all;
    });
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

void clockwork::run()
{
    for (unsigned ticks = 0;; ++ticks) {
        try {
            while (wake_due()) {}
            if (ticks % settle_every == 0) settle_abandoned();
            if (ticks % clean_every == clean_every - 1) clean_up();
            if (ticks % beat_every == 0) {
                const auto beat = db_.run_blocking([this](storage::transaction& tx) { return storage::replica_store::beat(tx, replica_); });
                if (beat && *beat == storage::race::lost)
                    log::error("this replica was declared dead: another process uses its data directory");
            }
        } catch (const std::exception& e) {
            log::error("clockwork failed", {{"cause", e.what()}});
        }
        std::unique_lock lock(mutex_);
        if (wake_.wait_for(lock, tick, [this] { return stopping_; })) return;
    }
}

}  // namespace sallyport::release
