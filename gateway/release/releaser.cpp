#include "gateway/release/releaser.hpp"

#include "gateway/forward/send.hpp"
#include "gateway/http/block_on.hpp"
#include "gateway/log/log.hpp"
#include "gateway/release/hold_moves.hpp"
#include "gateway/release/receipt.hpp"
#include "gateway/release/recheck.hpp"
#include "storage/directory_store.hpp"

#include <algorithm>

namespace sallyport::release {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr std::size_t claims_at_once = 32;
constexpr std::size_t sending_at_once = 512;
// NOTIFY and the local wake-up are quicker; this is for the word that was lost.
constexpr auto look_every = 1s;
constexpr auto database_pause = 500ms;
// Before the end of a stop: a transaction that begins later may not be over in time.
constexpr auto last_write = 3s;

void complain(std::string_view what) { log::error("releasing failed", {{"cause", what}}); }

metrics::histogram& hold_seconds(metrics::registry& registry, hold_status outcome)
{
    return registry.time("sallyport_hold_seconds", "From the making of a hold to its end.", {{"outcome", name_of(outcome)}});
}

// The standing with everybody as this transaction sees them: whoever was disabled a moment ago does not count, though the
// word of it may still be on its way.
identity::standing_ptr standing_in(storage::transaction& tx, identity::standing_ptr known)
{
    if (storage::directory_store::current_generation(tx) == known->directory->generation()) return known;
    auto all = storage::directory_store::load(tx);
    std::vector<std::string> teams;
    for (const auto& team : all.teams) teams.push_back(team.name);
    auto fresh = std::make_shared<identity::standing>(*known);
    fresh->directory = std::make_shared<const directory>(all.generation, std::move(all.people), std::move(teams), std::move(all.agents),
                                                         known->directory->arranged());
    return fresh;
}

}  // namespace

struct releaser::ready {
    storage::stored_hold held;  // `releasing`
    sallyport::action action;
    identity::standing_ptr standing;
    clock::time_point claimed_at;
    time_point decided_at;
    std::unique_ptr<release::flight> flight;  // from the claim's commit on
};

struct releaser::worker {
    lane of;
    http::task_group group;

    worker(const lane& l, http::task_group::error_sink sink) : of(l), group(l.core->get_executor(), std::move(sink)) {}
};

void count_closed(metrics::registry& registry, const hold& h)
{
    if (h.closed_at) count_closed(registry, h.status, *h.closed_at - h.created_at);
}

void count_closed(metrics::registry& registry, hold_status end, duration after) { hold_seconds(registry, end).observe(after); }

void count_passed_over(metrics::registry& registry, std::size_t people)
{
    auto& all =
        registry.count("sallyport_passed_over_total", "People not told of a hold, for they were asked too often within the hour.", {});
    for (std::size_t i = 0; i < people; ++i) all.add();
}

void tell_closed(metrics::registry& registry, const std::vector<hold>& all)
{
    for (const hold& h : all) {
        count_closed(registry, h);
        log::info("hold closed", {{"hold", h.id.text()}, {"action", h.action.text()}, {"status", name_of(h.status)}, {"detail", h.detail}});
    }
}

releaser::releaser(storage::database& db, keyring keys, const identity::standings& all, const identity::signing_keys& signing,
                   metrics::registry& registry, std::string replica, const std::vector<lane>& lanes)
    : db_(db),
      keys_(std::move(keys)),
      standings_(all),
      signing_(signing),
      release_seconds_(registry.time("sallyport_release_seconds", "From the last decision to the upstream.", {})),
      registry_(registry),
      replica_(std::move(replica)),
      claiming_(lanes.front().core->get_executor(), complain)
{
    // All of them from the start, so that graphs have something to draw.
    for (const auto status : {hold_status::released, hold_status::denied, hold_status::expired, hold_status::withdrawn,
                              hold_status::undeliverable, hold_status::void_, hold_status::unknown})
        hold_seconds(registry, status);
    for (const lane& l : lanes) workers_.push_back(std::make_unique<worker>(l, complain));
}

releaser::~releaser() = default;

void releaser::start()
{
    workers_.front()->of.core->post([this] { claiming_.spawn(run()); });
}

void releaser::wake() noexcept
{
    // One word on its way is enough, however many call.
    if (wake_posted_.exchange(true)) return;
    workers_.front()->of.core->post([this] {
        wake_posted_.store(false);
        woken_.fire();
    });
}

http::awaitable<void> releaser::until_idle(std::function<bool()> idle, http::steady_time deadline)
{
    http::core& here = *workers_.front()->of.core;
    http::signal never;
    while (!idle() && clock::now() < deadline) co_await never.wait(here.timers(), std::min(clock::now() + 100ms, deadline));
}

void releaser::stop(http::steady_time deadline)
{
    http::core& first = *workers_.front()->of.core;
    give_up_at_ = deadline - last_write;
    stopping_ = true;
    wake();
    // First whoever claims: what it spawns is in the groups before they are waited for.
    http::block_on(first, [this, deadline] { return until_idle([this] { return claiming_.running() == 0; }, deadline); });
    http::block_on(first, [this] {
        claiming_.cancel();
        return claiming_.join();
    });
    http::block_on(first, [this, deadline] { return until_idle([this] { return flights_.running() == 0; }, deadline); });
    for (const auto& w : workers_)
        http::block_on(*w->of.core, [&group = w->group] {
            group.cancel();
            return group.join();
        });
}

// On a database thread: what may be sent leaves this transaction as `releasing`, and nothing else is ever sent.
result<std::vector<releaser::claimed>> releaser::claim(storage::transaction& tx, const storage::hold_store::pick& picked,
                                                       std::vector<hold_id>& wanted)
{
    // Before any hold is locked: whoever changes the directory may wait for holds, and must not be waited for then.
    const auto standing = standing_in(tx, standings_.current());
    wanted = storage::hold_store::claim(tx, replica_, picked);
    if (wanted.empty()) return std::vector<claimed>();
    if (storage::directory_store::current_generation(tx) != standing->directory->generation())
        return fail(problem::conflict, "The directory was changed at the same moment.");

    std::vector<claimed> all;
    for (auto& read : storage::hold_store::read_locked(tx, wanted, storage::payload::read)) {
        event what = happened::claimed{};
        auto opened = open_action(keys_, read.action);
        if (!opened) {
            log::error("held action cannot be opened",
                       {{"hold", read.hold.id.text()}, {"action", read.action.id.text()}, {"cause", opened.error().cause}});
            what = happened::voided{"what was stored cannot be read"};
        } else {
            const auto grant = read.hold.grant ? find_grant(tx, *read.hold.grant) : std::nullopt;
            if (auto why = why_void(read, *opened, *standing, grant ? &*grant : nullptr)) what = happened::voided{std::move(*why)};
        }
        const time_point decided_at = read.hold.decided_at.value_or(read.now);
        auto done = apply(tx, std::move(read), what, *standing->directory, {replica_, std::nullopt});
        if (!done) return done.error();
        claimed one{done->hold.hold, nullptr};
        if (one.now.status == hold_status::releasing)
            one.to_send =
                std::make_shared<ready>(ready{std::move(done->hold), std::move(*opened), standing, clock::now(), decided_at, nullptr});
        all.push_back(std::move(one));
    }
    return all;
}

void releaser::begin(claimed one)
{
    if (!one.to_send) return tell_closed(registry_, {one.now});
    // It stays `releasing`, with nobody at work on it: settle() gives it back.
    if (stopping_) return;
    auto& sending = one.to_send;
    sending->flight = std::make_unique<flight>(flights_, one.now.id, one.now.version);
    worker& to = *workers_[next_worker_++ % workers_.size()];
    to.of.core->post([this, &to, sending = std::move(sending)]() mutable { to.group.spawn(release_one(to, std::move(sending))); });
}

// True: there may be more.
http::awaitable<bool> releaser::claim_some()
{
    http::core& here = *workers_.front()->of.core;
    row_work<claimed> work = [this](storage::transaction& tx, const storage::hold_store::pick& p, std::vector<hold_id>& wanted) {
        return claim(tx, p, wanted);
    };
    auto claims = run_rows(here.get_executor(), db_, bad_claims_, claims_at_once, std::move(work));
    auto got = co_await std::move(claims);
    if (!got) {
        if (is_of_the_row(got.error())) log::error("claiming failed", {{"cause", got.error().detail + " " + got.error().cause}});
        co_return false;
    }
    const bool full = got->size() == claims_at_once;
    for (auto& one : *got) begin(std::move(one));
    co_return full;
}

// On a database thread. Claims are made and settled by one coroutine, so that none is under way meanwhile.
result<std::vector<hold>> releaser::settle_left_over(storage::transaction& tx, const storage::hold_store::pick& picked,
                                                     std::vector<hold_id>& wanted)
{
    const auto standing = standings_.current();
    wanted = storage::hold_store::lock_releasing(tx, replica_, picked);
    std::vector<hold> settled;
    for (auto& read : storage::hold_store::read_locked(tx, wanted, storage::payload::leave)) {
        const auto what = flights_.left_over(read.hold.id, read.hold.version);
        if (!what) continue;
        auto done = apply(tx, std::move(read), *what, *standing->directory, {replica_, std::nullopt});
        if (!done) return done.error();
        settled.push_back(std::move(done->hold.hold));
    }
    return settled;
}

// False: the database is away.
http::awaitable<bool> releaser::settle()
{
    http::core& here = *workers_.front()->of.core;
    row_work<hold> work = [this](storage::transaction& tx, const storage::hold_store::pick& p, std::vector<hold_id>& wanted) {
        return settle_left_over(tx, p, wanted);
    };
    // All that may be releasing here: those that fly are in the way of none.
    auto settling = run_rows(here.get_executor(), db_, bad_left_overs_, sending_at_once + 2 * claims_at_once, std::move(work));
    const auto settled = co_await std::move(settling);
    if (!settled) {
        if (is_of_the_row(settled.error()))
            log::error("settling left-over releases failed", {{"cause", settled.error().detail + " " + settled.error().cause}});
        co_return false;
    }
    for (const hold& h : *settled) {
        flights_.forget(h.id, h.version - 1);
        count_closed(registry_, h);
        log::warning("release was left over",
                     {{"hold", h.id.text()}, {"action", h.action.text()}, {"status", name_of(h.status)}, {"detail", h.detail}});
    }
    co_return true;
}

http::awaitable<void> releaser::run()
{
    http::core& here = *workers_.front()->of.core;
    auto settle_at = clock::now() + look_every;
    while (!stopping_) {
        bool more = false;
        if (flights_.running() < sending_at_once) more = co_await claim_some();
        if (clock::now() >= settle_at) {
            co_await settle();
            settle_at = clock::now() + look_every;
        }
        if (more) continue;
        co_await woken_.wait(here.timers(), clock::now() + look_every);
    }
    // What was claimed and not begun: others may send it, or this replica after its next start.
    while (!co_await settle() && clock::now() < give_up_at_.load()) {
        http::signal pause;
        co_await pause.wait(here.timers(), clock::now() + database_pause);
    }
}

result<releaser::recorded> releaser::record(storage::transaction& tx, const ready& one, const event& what, const answer* kept)
{
    auto read = storage::hold_store::get_for_update(tx, one.held.hold.id);
    if (!read) return fail(problem::internal_error, "", "the hold is gone");
    // The outcome is of this claim and no other: it was written by an attempt whose COMMIT went unanswered (and may have
    // been claimed anew since), or the replica was thought dead and others have settled it.
    if (read->hold.version != one.held.hold.version) return recorded{std::move(read->hold), false};
    const time_point now = read->now;
    auto done = apply(tx, std::move(*read), what, *one.standing->directory, {replica_, std::nullopt});
    if (!done) return done.error();
    if (kept && done->moved)
        storage::hold_store::keep_response(tx,
                                           seal_answer(keys_, one.held.hold.id, *kept, now + one.standing->config->limits.keep_response));
    return recorded{std::move(done->hold.hold), done->moved};
}

// However long the database is away: without it the hold would be `unknown`.
http::awaitable<void> releaser::write_outcome(worker& at, std::shared_ptr<ready> one, event what, std::shared_ptr<const answer> kept)
{
    one->flight->would_be(what);
    for (bool in_doubt = false;;) {
        auto write = [this, one, what, kept](storage::transaction& tx) { return record(tx, *one, what, kept.get()); };
        const auto done = co_await db_.run(at.of.core->get_executor(), std::move(write));
        if (done) {
            one->flight->recorded();
            if (done->moved || in_doubt) count_closed(registry_, done->now);
            if (!done->moved && !in_doubt)
                log::warning("outcome came too late", {{"hold", one->held.hold.id.text()}, {"status", name_of(done->now.status)}});
            co_return;
        }
        if (is_of_the_row(done.error())) {
            log::error("outcome not recorded", {{"hold", one->held.hold.id.text()},
                                                {"action", one->action.id.text()},
                                                {"cause", done.error().detail + " " + done.error().cause}});
            if (!kept) co_return;  // left over
            // That there was an answer is more than the answer.
            kept = nullptr;
            continue;
        }
        in_doubt = true;
        if (clock::now() >= give_up_at_.load()) co_return;
        http::signal pause;
        co_await pause.wait(at.of.core->timers(), clock::now() + database_pause);
    }
}

http::awaitable<void> releaser::release_one(worker& at, std::shared_ptr<ready> one)
{
    const config::configuration& config = *one->standing->config;
    const config::route& route = *config.find_route(one->action.route);
    const identity::credential* credential = one->standing->credential_of(route);
    const auto extra_values = signed_fields(signing_, config.agents_url, route, one->held, one->action);

    std::vector<field> extra;
    for (const auto& [name, value] : extra_values) extra.push_back({name, value});
    const std::vector<field> headers = forward::fields_of(one->action);
    forward::outgoing request{one->action.method, one->action.target, one->action.authority, headers, std::nullopt, extra};
    if (credential) request.credential = forward::injected_credential{credential->header, credential->value.reveal(), &credential->forms};

    long_answer to_who_waits(waiting_, one->held.hold.id, one->action.id, *at.of.core);
    event what = happened::lost{"no whole answer was seen", route.idempotent};
    one->flight->would_be(what);
    auto sent = co_await forward::send(*at.of.pool, route, request, one->action.body, config.limits.response_bytes, &to_who_waits);
    if (sent.kind != forward::sent_kind::nothing_sent) {
        // The database's clock said when it was decided and claimed; the steady one measures from there.
        const auto since_claim = std::chrono::duration_cast<duration>(sent.times.connected - one->claimed_at);
        release_seconds_.observe(one->held.now - one->decided_at + since_claim);
    }

    std::shared_ptr<const answer> kept;
    switch (sent.kind) {
    case forward::sent_kind::nothing_sent: what = happened::sent_nothing{sent.why ? sent.why->detail : std::string()}; break;
    case forward::sent_kind::answered:
        what = happened::answered{sent.answer.status};
        kept = std::make_shared<const answer>(
            answer{sent.answer.status, std::move(sent.answer.headers), std::move(sent.answer.body), sent.answer.declared_length});
        break;
    case forward::sent_kind::too_long: what = happened::answered{sent.answer.status}; break;
    case forward::sent_kind::unknown: break;
    }
    log::info("release", {{"hold", one->held.hold.id.text()},
                          {"action", one->action.id.text()},
                          {"status", sent.answer.status},
                          {"problem", sent.why ? facts(sent.why->what).name : std::string_view()},
                          {"cause", sent.why ? std::string_view(sent.why->cause) : std::string_view()}});
    const bool ended = sent.kind != forward::sent_kind::nothing_sent;
    auto writing = write_outcome(at, one, std::move(what), std::move(kept));
    co_await std::move(writing);
    if (ended) wake();
}

}  // namespace sallyport::release
