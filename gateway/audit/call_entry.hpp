// From the journal's records of calls that were not held to entries of the log.
//
// One entry a call where that is possible: an outcome whose verdict stands earlier in the same run of records becomes a part of
// it (`"outcome":{"problem":…,"status":…}`). Where a run ends is the recorder's affair: it takes what the journal has, so that
// no verdict waits for what becomes of its call; an outcome that comes later, in another run or another segment, is an entry
// of its own (kind `outcome`). A run is shipped in one transaction with the journal's new position, so each record is in the
// log once, and never in both ways, wherever the runs of a second attempt end.
#pragma once

#include "gateway/audit/call_record.hpp"
#include "storage/audit_store.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace sallyport::audit {

class call_entries {
public:
    /// For runs of at most so many records.
    explicit call_entries(std::size_t most);

    /// The next record of the run, a view that lives until take(). False when it cannot be read: then it is left out.
    bool add(std::string_view record);
    std::size_t records() const noexcept { return records_; }
    /// The run's entries, in the order of the records; the next run begins.
    std::vector<storage::audit_entry> take();
    /// A new run begins, whatever became of the last.
    void clear() noexcept;

private:
    std::size_t place_of(const action_id&) const noexcept;

    std::size_t records_ = 0;
    std::vector<decoded_record> calls_;
    // Where in calls_ an action's verdict is, plus one: open addressing, more places than records.
    std::vector<std::uint32_t> places_;
};

}  // namespace sallyport::audit
