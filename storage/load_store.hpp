// What deciding costs each person: when they were asked, passed over and first shown a hold, and what that adds up to. One row a hold
// and person; when they decided stands with the decision.
#pragma once

#include "storage/transaction.hpp"
#include "workflows/hold.hpp"
#include "workflows/ids.hpp"
#include "workflows/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sallyport::storage {

struct asked_person {
    hold_id hold;
    person_id person;
};

/// When a person was first shown a hold, and how much they have decided of what was shown to them at that very moment.
struct showing {
    time_point at;
    std::int64_t decided = 0;
};

/// One person's, of the last days: whole days by UTC, today included.
struct person_load {
    person_id person;
    std::int64_t asked = 0;
    std::int64_t asked_within_hour = 0;
    std::int64_t passed_over = 0;
    std::int64_t approved = 0;
    std::int64_t denied = 0;
    std::int64_t timed = 0;  // decisions of which it is known whether they were fast
    std::int64_t fast = 0;
    /// From being asked to deciding; none where nobody who was asked decided.
    std::optional<duration> median, slowest_tenth;
};

struct day_load {
    std::string day;  // 2026-11-27
    std::int64_t asked = 0;
    std::int64_t decided = 0;
};

namespace load_store {

/// They are asked, by this transaction's clock; whoever was before stays asked when they were.
void ask(transaction&, std::span<const asked_person>);
void pass_over(transaction&, std::span<const asked_person>);
/// Whoever was asked within the hour, and how often.
std::map<person_id, int> asked_within_hour(transaction&);

/// Those of the holds that this person had not been shown are shown to them now. Locks no hold.
void show(transaction&, person_id, std::span<const hold_id>);
/// None: it never was.
std::optional<showing> shown(transaction&, person_id, hold_id);

/// In the order given, also of those with nothing to tell. `days`: 1 to 90.
std::vector<person_load> loads(transaction&, std::span<const person_id>, int days);
/// The oldest first, days without anything too.
std::vector<day_load> by_day(transaction&, person_id, int days);

}  // namespace load_store
}  // namespace sallyport::storage
