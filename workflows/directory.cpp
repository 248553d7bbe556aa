#include "workflows/directory.hpp"

#include <algorithm>

namespace sallyport {
namespace {

template <class Map, class Key, class List>
auto* found(const Map& by, const Key& key, const List& list) noexcept
{
    const auto at = by.find(key);
    return at == by.end() ? nullptr : &list[at->second];
}

}  // namespace

directory::directory(std::int64_t generation, std::vector<person> people, std::vector<agent> agents)
    : generation_(generation),
      people_(std::move(people)),
      agents_(std::move(agents))
{
    for (std::size_t i = 0; i < people_.size(); ++i) {
        people_by_id_.emplace(people_[i].id, i);
        people_by_handle_.emplace(people_[i].handle, i);
    }
    for (std::size_t i = 0; i < agents_.size(); ++i) {
        agents_by_id_.emplace(agents_[i].id, i);
        agents_by_name_.emplace(agents_[i].name, i);
    }
}

const person* directory::find_person(person_id id) const noexcept { return found(people_by_id_, id, people_); }
const person* directory::find_person(std::string_view handle) const noexcept { return found(people_by_handle_, handle, people_); }
const agent* directory::find_agent(agent_id id) const noexcept { return found(agents_by_id_, id, agents_); }
const agent* directory::find_agent(std::string_view name) const noexcept { return found(agents_by_name_, name, agents_); }

bool directory::owns(const person& p, const owner_name& owner) const noexcept
{
    switch (owner.kind) {
    case owner_name::kind::person: return p.handle == owner.name;
    case owner_name::kind::team: return p.in_team(owner.name);
    }
    return false;
}

bool directory::has_active_owner(const owner_name& owner) const noexcept
{
    return std::any_of(people_.begin(), people_.end(),
                       [&](const person& p) { return p.status == person_status::active && owns(p, owner); });
}

}  // namespace sallyport
