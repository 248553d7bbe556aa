#include "gateway/release/row_by_row.hpp"

#include "gateway/log/log.hpp"

namespace sallyport::release {

void set_aside::add(hold_id id, const failure& why, clock::time_point now)
{
    log::error(doing_, {{"hold", id.text()}, {"cause", why.detail + " " + why.cause}});
    until_[id] = now + for_so_long;
}

std::vector<hold_id> set_aside::ids(clock::time_point now)
{
    std::erase_if(until_, [&](const auto& one) { return one.second <= now; });
    std::vector<hold_id> all;
    for (const auto& [id, until] : until_) all.push_back(id);
    return all;
}

bool is_of_the_row(const failure& why) noexcept { return why.what != problem::storage_unavailable && why.what != problem::conflict; }

}  // namespace sallyport::release
