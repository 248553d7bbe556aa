// Brings the record together: journals of calls that were not held are shipped to the database in batches, and what is pending
// there gets its place in the log. Two threads of its own, because both disk and driver block. What becomes of a call's records:
// call_entry.hpp.
#pragma once

#include "gateway/audit/call_entry.hpp"
#include "gateway/audit/journal.hpp"
#include "gateway/audit/log_tree.hpp"
#include "storage/audit_store.hpp"
#include "storage/database.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace sallyport::audit {

class recorder {
public:
    /// `journals` are those of this process's cores; what earlier processes left in `directory` is shipped too. The newest
    /// checkpoint is kept in the file `checkpoint`, beyond the database's reach: after a restart too the tree goes on from none
    /// that is older.
    recorder(storage::database&, log_tree, std::vector<journal*> journals, const std::filesystem::path& directory,
             std::filesystem::path checkpoint);
    /// stop().
    ~recorder();
    recorder(const recorder&) = delete;
    recorder& operator=(const recorder&) = delete;

    /// Ships what there is, as far as the database takes it now, then ends the threads. What stays is shipped after
    /// the next start.
    void stop() noexcept;

    /// Returns when everything that was recorded before the call is in the log, or after `patience`: whoever reads the log
    /// sees what has just happened. Any thread that may block.
    void catch_up(std::chrono::milliseconds patience);

    /// Entries in the log, as last seen; for metrics. Any thread.
    std::int64_t log_size() const noexcept { return log_size_.load(std::memory_order_relaxed); }
    /// Of them, those that a signed checkpoint covers. Any thread.
    std::int64_t tree_size() const noexcept { return tree_size_.load(std::memory_order_relaxed); }
    /// Of the journals, what is not in the log yet. Any thread.
    std::uint64_t pending_bytes() const;

    const log_tree& tree() const noexcept { return tree_; }

private:
    struct source {
        journal* owner = nullptr;  // null: left by an earlier process
        std::shared_ptr<journal_segment> segment;
    };
    std::vector<source> sources() const;
    struct batch {
        std::vector<storage::audit_entry> entries;
        std::uint64_t end = 0;  // where the next record stands
    };
    batch read(const journal_segment&, std::uint64_t from, std::size_t most);
    result<void> store(const std::string& journal, std::uint64_t begin, batch&);
    void ship_all();
    void ship(const source&);
    void integrate(bool caught_up);
    void grow_tree();
    void keep_checkpoint(bool ending);
    void run_shipper();
    void run_flusher();
    bool wait(std::chrono::milliseconds, bool for_shipping);

    storage::database& db_;
    const log_tree tree_;
    const storage::audit_store::head_maker grow_;
    std::vector<journal*> journals_;
    call_entries calls_;  // the shipper's
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::uint64_t asked_ = 0, begun_ = 0, done_ = 0;           // rounds of shipping: wanted, begun, finished
    std::vector<std::shared_ptr<journal_segment>> leftovers_;  // under mutex_
    std::map<journal_uuid, std::uint64_t> positions_;          // the shipper's
    const std::filesystem::path checkpoint_;
    std::string unkept_;  // the newest checkpoint, while the file has an older one; the shipper's
    std::chrono::steady_clock::time_point kept_at_{};
    bool said_tree_stands_ = false;
    std::atomic<std::int64_t> log_size_{0}, tree_size_{0};
    std::thread shipper_, flusher_;
};

}  // namespace sallyport::audit
