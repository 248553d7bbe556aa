#include "workflows/directory.hpp"

#include <set>
#include <utility>

namespace sallyport {
namespace {

template <class Key, class Value>
const Value* look_up(const std::map<Key, const Value*>& in, const Key& key) noexcept
{
    const auto found = in.find(key);
    return found == in.end() ? nullptr : found->second;
}

}  // namespace

directory::directory(std::int64_t generation, std::vector<person> people, std::vector<std::string> teams, std::vector<agent> agents,
                     std::shared_ptr<const arrangements> arranged)
    : generation_(generation),
      people_(std::move(people)),
      teams_(std::move(teams)),
      agents_(std::move(agents)),
      arranged_(std::move(arranged))
{
    for (const person& p : people_) {
        people_by_id_.emplace(p.id, &p);
        people_by_handle_.emplace(p.handle, &p);
        anybody_away_ = anybody_away_ || p.away.has_value();
    }
    std::set<std::string_view> handles, teams_with_somebody;
    for (const person& p : people_) {
        if (p.status != person_status::active) continue;
        handles.insert(p.handle);
        teams_with_somebody.insert(p.teams.begin(), p.teams.end());
    }
    owned_.reserve(agents_.size());
    for (const agent& a : agents_) {
        owned_.push_back((a.owner.kind == owner_name::kind::team ? teams_with_somebody : handles).contains(a.owner.name));
        agents_by_id_.emplace(a.id, &a);
        agents_by_name_.emplace(a.name, &a);
    }
}

const person* directory::find(person_id id) const noexcept { return look_up(people_by_id_, id); }
const person* directory::person_with_handle(std::string_view handle) const noexcept { return look_up(people_by_handle_, handle); }
const agent* directory::find(agent_id id) const noexcept { return look_up(agents_by_id_, id); }
const agent* directory::agent_named(std::string_view name) const noexcept { return look_up(agents_by_name_, name); }

std::vector<const person*> directory::members(std::string_view team) const
{
    std::vector<const person*> found;
    for (const person& p : people_)
        if (p.in_team(team)) found.push_back(&p);
    return found;
}

std::vector<const person*> directory::owners(const owner_name& owner) const
{
    std::vector<const person*> found;
    for (const person& p : people_)
        if (p.status == person_status::active && owned_by(owner, p)) found.push_back(&p);
    return found;
}

bool directory::owned_by(const owner_name& owner, const person& p) noexcept
{
    switch (owner.kind) {
    case owner_name::kind::person: return p.handle == owner.name;
    case owner_name::kind::team: return p.in_team(owner.name);
    }
    return false;
}

const schedule* directory::schedule_named(std::string_view name) const noexcept
{
    if (!arranged_) return nullptr;
    const auto found = arranged_->on_call.find(name);
    return found == arranged_->on_call.end() ? nullptr : &found->second;
}

const working_hours* directory::hours_named(std::string_view name) const noexcept
{
    if (!arranged_) return nullptr;
    const auto found = arranged_->hours.find(name);
    return found == arranged_->hours.end() ? nullptr : &found->second;
}

std::optional<bool> directory::is_true(const std::string& expression, const person& who, const agent& by, const owner_name& owner) const
{
    if (!arranged_ || !arranged_->conditions) return std::nullopt;
    return arranged_->conditions->is_true(expression, who, by, owner);
}

}  // namespace sallyport
