#include "gateway/audit/recorder.hpp"

#include "gateway/audit/call_record.hpp"
#include "gateway/canonical/content_digest.hpp"
#include "gateway/log/log.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <chrono>

namespace sallyport::audit {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t batch_records = 500;
constexpr auto ship_every = 100ms;
constexpr auto flush_every = 10ms;

std::string name_of(const journal_uuid& uuid) { return hex({reinterpret_cast<const char*>(uuid.data()), uuid.size()}); }

// The log's data is UTF-8; the target and method are ASCII already, and the rest is ours.
storage::audit_entry entry_of(const verdict_record& r)
{
    boost::json::array rules;
    for (std::string_view left = r.rules; !left.empty();) {
        const auto end = std::min(left.find(' '), left.size());
        rules.emplace_back(left.substr(0, end));
        left.remove_prefix(std::min(end + 1, left.size()));
    }
    const boost::json::object data{
        {"verdict", name_of(r.verdict)},
        {"route", r.route},
        {"rules", std::move(rules)},
        {"policy", r.policy},
        {"method", r.method},
        {"authority", r.authority},
        {"target", r.target},
        {"content_digest", r.content ? boost::json::value(content_digest(*r.content)) : boost::json::value(nullptr)},
    };
    storage::audit_entry entry;
    entry.at = r.at;
    entry.kind = "verdict";
    entry.action = r.action;
    entry.agent = r.agent;
    entry.data = boost::json::serialize(data);
    return entry;
}

storage::audit_entry entry_of(const outcome_record& r)
{
    const boost::json::object data{
        {"status", r.status > 0 ? boost::json::value(r.status) : boost::json::value(nullptr)},
        {"problem", r.failure ? boost::json::value(facts(*r.failure).name) : boost::json::value(nullptr)},
    };
    storage::audit_entry entry;
    entry.at = r.at;
    entry.kind = "outcome";
    entry.action = r.action;
    entry.agent = r.agent;
    entry.data = boost::json::serialize(data);
    return entry;
}

}  // namespace

std::vector<storage::audit_entry> entries_of(std::string_view record)
{
    const decoded_record decoded = decode(record);
    std::vector<storage::audit_entry> entries;
    if (decoded.verdict) entries.push_back(entry_of(*decoded.verdict));
    if (decoded.outcome) entries.push_back(entry_of(*decoded.outcome));
    return entries;
}

recorder::recorder(storage::database& db, std::vector<journal*> journals, const std::filesystem::path& directory)
    : db_(db),
      journals_(std::move(journals)),
      leftovers_(leftover_segments(directory))
{
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

bool recorder::ship(const source& from)
{
    const journal_segment& segment = *from.segment;
    const std::string journal = name_of(segment.uuid());
    auto known = positions_.find(segment.uuid());
    if (known == positions_.end()) {
        const auto stored =
            db_.run_blocking([journal](storage::transaction& tx) { return storage::audit_store::journal_position(tx, journal); });
        if (!stored) return false;
        known = positions_.emplace(segment.uuid(), static_cast<std::uint64_t>(*stored)).first;
    }

    for (;;) {
        // Sealed is looked at first: what was appended before it is then seen by the reading below.
        const bool sealed = segment.sealed();
        const std::uint64_t begin = known->second;
        std::uint64_t at = std::max(begin, journal_segment::first());
        std::vector<storage::audit_entry> entries;
        for (std::size_t i = 0; i < batch_records; ++i) {
            const auto e = segment.read(at);
            if (e.next == at) break;
            auto made = entries_of(e.record);
            if (made.empty()) log::error("journal: a record cannot be read", {{"journal", journal}, {"offset", at}});
            std::move(made.begin(), made.end(), std::back_inserter(entries));
            at = e.next;
        }
        if (at > begin && at > journal_segment::first()) {
            const auto shipped = db_.run_blocking([&](storage::transaction& tx) -> result<void> {
                if (storage::audit_store::move_journal(tx, journal, static_cast<std::int64_t>(begin), static_cast<std::int64_t>(at)) ==
                    storage::race::lost)
                    return fail(problem::conflict, "The journal was shipped by somebody else.");
                storage::audit_store::append(tx, entries);
                return {};
            });
            if (!shipped) {
                // The commit may have happened although its answer was lost: what is stored is asked for anew.
                positions_.erase(known);
                if (shipped.error().what != problem::storage_unavailable)
                    log::error("journal: not shipped",
                               {{"journal", journal}, {"cause", shipped.error().detail + " " + shipped.error().cause}});
                return false;
            }
            known->second = at;
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
        return true;
    }
}

bool recorder::ship_all()
{
    for (const source& from : sources())
        if (!ship(from)) return false;
    return true;
}

bool recorder::integrate()
{
    for (;;) {
        const auto added = db_.run_blocking([](storage::transaction& tx) { return storage::audit_store::integrate(tx, 1000); });
        if (!added) {
            if (added.error().what != problem::storage_unavailable) log::error("audit: not integrated", {{"cause", added.error().cause}});
            return false;
        }
        if (added->empty()) break;
        log_size_.store(added->back().index + 1, std::memory_order_relaxed);
    }
    return true;
}

void recorder::run_shipper()
{
    if (const auto head = db_.run_blocking([](storage::transaction& tx) { return storage::audit_store::head(tx); }))
        log_size_.store(head->size, std::memory_order_relaxed);
    bool ending = false;
    do {
        ending = wait(ship_every, true);
        try {
            if (ship_all()) integrate();
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
    bool ending = false;
    do {
        ending = wait(flush_every, false);
        for (const source& from : sources())
            if (from.owner) from.segment->flush();
    } while (!ending);
}

}  // namespace sallyport::audit
