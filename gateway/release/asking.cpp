#include "gateway/release/asking.hpp"

#include "storage/load_store.hpp"

#include <algorithm>
#include <limits>
#include <vector>

namespace sallyport::release {

recent_asks read_recent_asks(storage::transaction& tx, const config::limits& limits)
{
    if (limits.asks_per_hour == 0) return {};
    const auto most = std::min<std::uint64_t>(limits.asks_per_hour, std::numeric_limits<int>::max());
    return {static_cast<int>(most), storage::load_store::asked_within_hour(tx)};
}

void record_asks(storage::transaction& tx, std::span<const effect> effects)
{
    std::vector<storage::asked_person> asked, passed;
    for (const effect& e : effects) {
        if (const auto* told = std::get_if<effects::tell_people>(&e))
            for (const person_id who : told->people) asked.push_back({told->hold, who});
        if (const auto* over = std::get_if<effects::pass_over>(&e))
            for (const passed_over& one : over->people) passed.push_back({over->hold, one.who});
    }
    storage::load_store::ask(tx, asked);
    storage::load_store::pass_over(tx, passed);
}

void count_asks(recent_asks& asks, std::span<const effect> effects)
{
    for (const effect& e : effects)
        if (const auto* told = std::get_if<effects::tell_people>(&e)) asks.add(told->people);
}

std::size_t people_passed_over(std::span<const effect> effects) noexcept
{
    std::size_t all = 0;
    for (const effect& e : effects)
        if (const auto* over = std::get_if<effects::pass_over>(&e)) all += over->people.size();
    return all;
}

}  // namespace sallyport::release
