#include "workflows/quorum.hpp"

#include <algorithm>
#include <utility>

namespace sallyport {

quorum::quorum(const workflow& asked) : asked_(asked), seated_(asked.places.size()) {}

void quorum::add(const std::function<bool(const target*)>& could_fill)
{
    if (asked_.places.empty()) {
        if (could_fill(nullptr)) ++unplaced_;
        return;
    }
    std::vector<std::size_t>& places = could_fill_.emplace_back();
    for (std::size_t i = 0; i < asked_.places.size(); ++i)
        if (could_fill(&asked_.places[i].of)) places.push_back(i);
    // What was seated stays seated, perhaps elsewhere; so one try for each approval finds a largest matching (Berge).
    std::vector<bool> tried(asked_.places.size(), false);
    seat(could_fill_.size() - 1, tried);
}

// Along an augmenting path: a place with room, or one whose people can sit elsewhere.
bool quorum::seat(std::size_t approval, std::vector<bool>& tried)
{
    for (const std::size_t place : could_fill_[approval]) {
        if (tried[place]) continue;
        tried[place] = true;
        std::vector<std::size_t>& there = seated_[place];
        if (there.size() < static_cast<std::size_t>(asked_.places[place].approvals)) {
            there.push_back(approval);
            return true;
        }
        for (std::size_t i = 0; i < there.size(); ++i) {
            if (!seat(there[i], tried)) continue;
            // Nothing was seated here meanwhile: this place counts as tried.
            seated_[place][i] = approval;
            return true;
        }
    }
    return false;
}

int quorum::given() const noexcept
{
    auto all = static_cast<std::size_t>(unplaced_);
    for (const auto& there : seated_) all += there.size();
    return static_cast<int>(all);
}

std::vector<int> quorum::filled() const
{
    std::vector<int> counts;
    for (const auto& there : seated_) counts.push_back(static_cast<int>(there.size()));
    return counts;
}

std::vector<missing_approvals> quorum::missing() const
{
    if (reached()) return {};
    if (asked_.places.empty()) return {{asked_.approvals - given(), {}}};
    // Whoever sits in the second of two places and could sit in the first makes an approval for the second as good as one for
    // the first. So from each place with room go all that lead to it.
    std::vector<missing_approvals> all;
    std::vector<std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < asked_.places.size(); ++i) {
        const int room = asked_.places[i].approvals - static_cast<int>(seated_[i].size());
        if (room <= 0) continue;
        std::vector<std::size_t> as_good{i};
        for (std::size_t k = 0; k < as_good.size(); ++k)
            for (std::size_t other = 0; other < asked_.places.size(); ++other) {
                if (std::find(as_good.begin(), as_good.end(), other) != as_good.end()) continue;
                const bool leads = std::any_of(seated_[other].begin(), seated_[other].end(), [&](std::size_t approval) {
                    const auto& could = could_fill_[approval];
                    return std::find(could.begin(), could.end(), as_good[k]) != could.end();
                });
                if (leads) as_good.push_back(other);
            }
        std::sort(as_good.begin(), as_good.end());
        if (const auto same = std::find(groups.begin(), groups.end(), as_good); same != groups.end()) {
            all[static_cast<std::size_t>(same - groups.begin())].more += room;
            continue;
        }
        missing_approvals one{room, {}};
        for (const std::size_t place : as_good) one.of.push_back(asked_.places[place].of);
        all.push_back(std::move(one));
        groups.push_back(std::move(as_good));
    }
    return all;
}

}  // namespace sallyport
