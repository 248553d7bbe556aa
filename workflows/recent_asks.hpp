// How often people were asked within the last hour, and how often is enough (`limits.asks_per_hour`): what a step is given beside the
// directory, so that it can go past who is tired. Pure; whoever steps has read it in the same transaction.
#pragma once

#include "workflows/ids.hpp"

#include <map>
#include <span>
#include <utility>

namespace sallyport {

class recent_asks {
public:
    recent_asks() = default;  // no cap: nobody is ever tired
    /// `most`: above zero. Who is not among `asked` was not asked.
    recent_asks(int most, std::map<person_id, int> asked) : most_(most), asked_(std::move(asked)) {}

    bool capped() const noexcept { return most_ > 0; }
    bool tired(person_id who) const { return capped() && asked(who) >= most_; }
    int asked(person_id who) const
    {
        const auto found = asked_.find(who);
        return found == asked_.end() ? 0 : found->second;
    }
    /// They are asked once more, by a hold of the same transaction.
    void add(std::span<const person_id> people)
    {
        for (const person_id who : people) ++asked_[who];
    }

private:
    int most_ = 0;
    std::map<person_id, int> asked_;
};

}  // namespace sallyport
