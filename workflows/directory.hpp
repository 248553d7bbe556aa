// Everybody and everything at one moment: people, teams and agents, as an immutable snapshot that is shared by threads.
#pragma once

#include "workflows/agent.hpp"
#include "workflows/person.hpp"

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sallyport {

class directory {
public:
    directory() = default;
    /// `generation` grows with every change of what is in it.
    directory(std::int64_t generation, std::vector<person> people, std::vector<agent> agents);
    directory(const directory&) = delete;
    directory& operator=(const directory&) = delete;
    directory(directory&&) = default;
    directory& operator=(directory&&) = default;

    std::int64_t generation() const noexcept { return generation_; }
    const std::vector<person>& people() const noexcept { return people_; }
    const std::vector<agent>& agents() const noexcept { return agents_; }

    const person* find_person(person_id) const noexcept;
    const person* find_person(std::string_view handle) const noexcept;
    const agent* find_agent(agent_id) const noexcept;
    const agent* find_agent(std::string_view name) const noexcept;

    /// Whether that person is, or is a member of, the owner.
    bool owns(const person&, const owner_name&) const noexcept;
    /// Whether anybody active is accountable.
    bool has_active_owner(const owner_name&) const noexcept;

private:
    std::int64_t generation_ = 0;
    std::vector<person> people_;
    std::vector<agent> agents_;
    std::unordered_map<person_id, std::size_t> people_by_id_;
    std::unordered_map<std::string_view, std::size_t> people_by_handle_;  // views into people_
    std::unordered_map<agent_id, std::size_t> agents_by_id_;
    std::unordered_map<std::string_view, std::size_t> agents_by_name_;  // views into agents_
};

}  // namespace sallyport
