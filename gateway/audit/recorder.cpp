#include "gateway/audit/recorder.hpp"

#include "gateway/log/log.hpp"
#include "storage/data_directory.hpp"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>

namespace sallyport::audit {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t batch_records = 4000;
constexpr std::size_t integrate_entries = 1000;
constexpr std::size_t catch_up_entries = 1000;
constexpr auto ship_every = 100ms;
constexpr auto flush_every = 10ms;
constexpr auto keep_every = 5s;

std::string name_of(const journal_uuid& uuid) { return hex({reinterpret_cast<const char*>(uuid.data()), uuid.size()}); }

}  // namespace

recorder::recorder(storage::database& db, log_tree tree, std::vector<journal*> journals, const std::filesystem::path& directory,
                   std::filesystem::path checkpoint)
    : db_(db),
      tree_(std::move(tree)),
      grow_([this](storage::audit_head& head, std::span<const storage::audit_entry> added) { tree_.grow(head, added); }),
      journals_(std::move(journals)),
      calls_(batch_records),
      leftovers_(leftover_segments(directory)),
      checkpoint_(std::move(checkpoint))
{
    if (const auto kept = storage::read_small_file(checkpoint_)) tree_.remember(*kept);
    shipper_ = std::thread([this] { run_shipper(); });
    flusher_ = std::thread([this] { run_flusher(); });
}

recorder::~recorder() { stop(); }

void recorder::stop() noexcept
{
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (shipper_.joinable()) shipper_.join();
    if (flusher_.joinable()) flusher_.join();
}

bool recorder::wait(std::chrono::milliseconds time, bool for_shipping)
{
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, time, [&] { return stopping_ || (for_shipping && asked_ > begun_); });
    if (for_shipping) begun_ = asked_;
    return stopping_;
}

void recorder::catch_up(std::chrono::milliseconds patience)
{
    std::unique_lock lock(mutex_);
    // A round that has begun already may have missed what the caller means.
    const auto wanted = ++asked_;
    wake_.notify_all();
    wake_.wait_for(lock, patience, [&] { return stopping_ || done_ >= wanted; });
}

std::vector<recorder::source> recorder::sources() const
{
    std::vector<source> all;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& segment : leftovers_) all.push_back({nullptr, segment});
    }
    for (journal* j : journals_)
        for (auto& segment : j->segments()) all.push_back({j, std::move(segment)});
    return all;
}

recorder::batch recorder::read(const journal_segment& segment, std::uint64_t from, std::size_t most)
{
    batch found{{}, from};
    calls_.clear();
    while (calls_.records() < most) {
        const auto e = segment.read(found.end);
        if (e.next == found.end) break;
        if (!calls_.add(e.record))
            log::error("journal: a record cannot be read", {{"segment", segment.path().filename().string()}, {"offset", found.end}});
        found.end = e.next;
    }
    found.entries = calls_.take();
    return found;
}

result<void> recorder::store(const std::string& journal, std::uint64_t begin, batch& what)
{
    return db_.run_blocking([&](storage::transaction& tx) -> result<void> {
        if (storage::audit_store::move_journal(tx, journal, static_cast<std::int64_t>(begin), static_cast<std::int64_t>(what.end)) ==
            storage::race::lost)
            return fail(problem::conflict, "The journal was shipped by somebody else.");
        storage::audit_store::append_to_log(tx, what.entries, grow_);  // gives indexes anew, should the database run this again
        return {};
    });
}

void recorder::ship(const source& from)
{
    journal_segment& segment = *from.segment;
    const std::string journal = name_of(segment.uuid());
    auto known = positions_.find(segment.uuid());
    if (known == positions_.end()) {
        const auto stored =
            db_.run_blocking([journal](storage::transaction& tx) { return storage::audit_store::journal_position(tx, journal); });
        if (!stored) return;
        known = positions_.emplace(segment.uuid(), static_cast<std::uint64_t>(*stored)).first;
        segment.shipped(std::max(known->second, journal_segment::first()));
    }

    std::size_t most = batch_records;
    for (;;) {
        // Sealed is looked at first: what was appended before it is then seen by the reading below.
        const bool sealed = segment.sealed();
        const std::uint64_t begin = known->second;
        batch next = read(segment, std::max(begin, journal_segment::first()), most);
        if (next.end > std::max(begin, journal_segment::first())) {
            const auto shipped = store(journal, begin, next);
            if (!shipped && shipped.error().what == problem::invalid_input) {
                // A record that the database cannot hold must not keep the others from it.
                if (most > 1) {
                    most = 1;
                    continue;
                }
                log::error("journal: a record was left out", {{"journal", journal}, {"offset", begin}, {"cause", shipped.error().cause}});
                next.entries.clear();
                if (const auto skipped = store(journal, begin, next); !skipped) return;
                most = batch_records;
            } else if (!shipped) {
                // The commit may have happened although its answer was lost: what is stored is asked for anew.
                positions_.erase(known);
                if (shipped.error().what != problem::storage_unavailable)
                    log::error("journal: not shipped",
                               {{"journal", journal}, {"cause", shipped.error().detail + " " + shipped.error().cause}});
                return;
            }
            known->second = next.end;
            segment.shipped(next.end);
            continue;
        }
        if (sealed) {
            positions_.erase(known);
            if (from.owner) {
                from.owner->drop(from.segment);
            } else {
                const std::lock_guard lock(mutex_);
                std::erase(leftovers_, from.segment);
                std::error_code ignored;
                std::filesystem::remove(segment.path(), ignored);
            }
        }
        return;
    }
}

std::uint64_t recorder::pending_bytes() const
{
    std::uint64_t all = 0;
    for (const source& from : sources()) {
        const auto shipped = from.segment->shipped();  // once: it moves meanwhile
        all += std::max(from.segment->end(), shipped) - shipped;
    }
    return all;
}

void recorder::ship_all()
{
    for (const source& from : sources()) ship(from);
}

// `caught_up`: also what another replica is just integrating is in the log when this returns.
void recorder::integrate(bool caught_up)
{
    const auto when_taken = caught_up ? storage::audit_store::at_head::wait : storage::audit_store::at_head::leave;
    for (;;) {
        const auto added = db_.run_blocking(
            [&](storage::transaction& tx) { return storage::audit_store::integrate(tx, integrate_entries, grow_, when_taken); });
        if (!added) {
            if (added.error().what != problem::storage_unavailable) log::error("audit: not integrated", {{"cause", added.error().cause}});
            return;
        }
        if (added->empty()) break;
    }
    const auto head = db_.run_blocking([](storage::transaction& tx) { return storage::audit_store::head(tx); });
    if (!head) return;
    log_size_.store(head->size, std::memory_order_relaxed);
    const auto range = tree::compact_range::decode(head->tree);
    tree_size_.store(range ? static_cast<std::int64_t>(range->size()) : 0, std::memory_order_relaxed);
    if (tree_.remember(head->checkpoint)) unkept_ = head->checkpoint;
    if (log_tree::behind(*head)) grow_tree();
}

// Now and then, for it is written through to the disk.
void recorder::keep_checkpoint(bool ending)
{
    const auto now = std::chrono::steady_clock::now();
    if (unkept_.empty() || (!ending && now - kept_at_ < keep_every)) return;
    kept_at_ = now;
    if (const auto kept = storage::write_small_file(checkpoint_, unkept_); !kept)
        log::error("audit: the checkpoint was not kept", {{"cause", kept.error().cause}});
    else
        unkept_.clear();
}

// What was put into the log without the tree. Some at a time: between them the journals are shipped.
void recorder::grow_tree()
{
    const auto until = std::chrono::steady_clock::now() + ship_every;
    for (;;) {
        const auto behind = tree_.catch_up(db_, catch_up_entries);
        if (!behind) {
            const bool news = behind.error().what != problem::storage_unavailable && !std::exchange(said_tree_stands_, true);
            if (news) log::error("audit: the tree stands still", {{"cause", behind.error().detail + " " + behind.error().cause}});
            return;
        }
        said_tree_stands_ = false;
        if (!*behind || std::chrono::steady_clock::now() > until) return;
    }
}

void recorder::run_shipper()
{
    ::pthread_setname_np(::pthread_self(), "recorder");
    if (const auto head = db_.run_blocking([](storage::transaction& tx) { return storage::audit_store::head(tx); }))
        log_size_.store(head->size, std::memory_order_relaxed);
    bool ending = false;
    do {
        ending = wait(ship_every, true);
        bool asked = false;
        {
            const std::lock_guard lock(mutex_);
            asked = begun_ > done_;
        }
        try {
            ship_all();
            integrate(asked);
            keep_checkpoint(ending);
        } catch (const std::exception& e) {
            log::error("recorder failed", {{"cause", e.what()}});
        }
        {
            const std::lock_guard lock(mutex_);
            done_ = begun_;
        }
        wake_.notify_all();
    } while (!ending);
}

void recorder::run_flusher()
{
    ::pthread_setname_np(::pthread_self(), "journal");
    bool ending = false;
    do {
        ending = wait(flush_every, false);
        for (const source& from : sources())
            if (from.owner) from.segment->flush();
    } while (!ending);
}

}  // namespace sallyport::audit
