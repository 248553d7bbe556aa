// People, teams and agents as one reading of the database saw them, and what one configuration arranges for them: an immutable
// snapshot in memory, by which every decision about eligibility is made. Another reading is another snapshot.
//
// Thread: any, it never changes. Ownership: it owns what it was made of; pointers live as long as it does.
#pragma once

#include "workflows/agent.hpp"
#include "workflows/arrangements.hpp"
#include "workflows/person.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport {

class directory {
public:
    directory() = default;  // of nobody
    /// `generation` as the storage counts changes. Null `arranged`: no schedule, no hours and no expression are known.
    directory(std::int64_t generation, std::vector<person> people, std::vector<std::string> teams, std::vector<agent> agents,
              std::shared_ptr<const arrangements> arranged = {});

    // The maps point into the vectors, so that a copy would point into the original.
    directory(const directory&) = delete;
    directory& operator=(const directory&) = delete;
    directory(directory&&) noexcept = default;
    directory& operator=(directory&&) noexcept = default;

    /// The same people, teams and agents under another configuration.
    directory with(std::shared_ptr<const arrangements> arranged) const
    {
        return {generation_, people_, teams_, agents_, std::move(arranged)};
    }

    std::int64_t generation() const noexcept { return generation_; }
    const std::vector<person>& people() const noexcept { return people_; }
    const std::vector<std::string>& teams() const noexcept { return teams_; }
    const std::vector<agent>& agents() const noexcept { return agents_; }

    const person* find(person_id) const noexcept;
    const person* person_with_handle(std::string_view) const noexcept;
    const agent* find(agent_id) const noexcept;
    const agent* agent_named(std::string_view) const noexcept;

    /// In the order of `people()`; those disabled too.
    std::vector<const person*> members(std::string_view team) const;
    /// Active people who are accountable: the person, or the team's members. Empty: nobody is left.
    std::vector<const person*> owners(const owner_name&) const;
    std::vector<const person*> owners(const agent& a) const { return owners(a.owner); }
    /// Whether anybody active is accountable for the agent, which must be one of this directory's own: worked out once, for
    /// it is asked with every call.
    bool has_active_owner(const agent& a) const noexcept { return owned_[static_cast<std::size_t>(&a - agents_.data())]; }
    /// Whether that person is the owner or of the owning team, active or not.
    static bool owned_by(const owner_name&, const person&) noexcept;

    const std::shared_ptr<const arrangements>& arranged() const noexcept { return arranged_; }
    const schedule* schedule_named(std::string_view) const noexcept;
    const working_hours* hours_named(std::string_view) const noexcept;
    /// None: the expression has no answer, for it is not known here or errs.
    std::optional<bool> is_true(const std::string& expression, const person&, const agent&, const owner_name&) const;
    /// Whether anybody is or will be away.
    bool anybody_away() const noexcept { return anybody_away_; }

private:
    std::int64_t generation_ = 0;
    std::vector<person> people_;
    std::vector<std::string> teams_;
    std::vector<agent> agents_;
    std::vector<bool> owned_;  // of each agent, in their order: somebody active is accountable
    std::shared_ptr<const arrangements> arranged_;
    bool anybody_away_ = false;
    std::map<person_id, const person*> people_by_id_;
    std::map<std::string_view, const person*> people_by_handle_;
    std::map<agent_id, const agent*> agents_by_id_;
    std::map<std::string_view, const agent*> agents_by_name_;
};

using directory_snapshot = std::shared_ptr<const directory>;

}  // namespace sallyport
