#include "gateway/policy/person_expression.hpp"

#include "gateway/policy/cel/environment.hpp"
#include "gateway/policy/cel/types.hpp"
#include "gateway/policy/cel/value.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory_resource>
#include <utility>

namespace sallyport::policy {
namespace {

using namespace cel;
namespace t = cel::types;

constexpr std::size_t most_former = 256;

enum class fact : std::uint32_t {
    person,
    handle,
    name,
    roles,
    teams,
    labels,
    agent,
    agent_id,
    agent_name,
    agent_class,
    agent_owner,
    agent_labels,
};

constexpr std::uint32_t slot_of(fact f) noexcept { return static_cast<std::uint32_t>(f); }

constexpr auto person_fields = std::to_array<cel::field>({
    {"handle", &t::string, slot_of(fact::handle)},
    {"name", &t::string, slot_of(fact::name)},
    {"roles", &t::list_of_string, slot_of(fact::roles)},
    {"teams", &t::list_of_string, slot_of(fact::teams)},
    {"labels", &t::map_of_strings, slot_of(fact::labels)},
});
constexpr auto agent_fields = std::to_array<cel::field>({
    {"id", &t::string, slot_of(fact::agent_id)},
    {"name", &t::string, slot_of(fact::agent_name)},
    {"class", &t::string, slot_of(fact::agent_class)},
    {"owner", &t::string, slot_of(fact::agent_owner)},
    {"labels", &t::map_of_strings, slot_of(fact::agent_labels)},
});
constexpr struct_type person_struct{"person", false, person_fields};
constexpr struct_type agent_struct{"agent", false, agent_fields};
constexpr type person_type{type_kind::object, nullptr, nullptr, &person_struct};
constexpr type agent_type{type_kind::object, nullptr, nullptr, &agent_struct};

const environment& names()
{
    static const environment all = [] {
        environment e;
        e.declare("person", &person_type, slot_of(fact::person));
        e.declare("agent", &agent_type, slot_of(fact::agent));
        return e;
    }();
    return all;
}

value strings(const std::vector<std::string>& texts, workspace& work)
{
    const auto items = work.make<value>(texts.size());
    std::ranges::transform(texts, items.begin(), [](const std::string& s) { return value::of(std::string_view(s)); });
    return value::of_list(items);
}

value map_of(const std::map<std::string, std::string>& labels, workspace& work)
{
    const auto entries = work.make<map_entry>(labels.size());
    std::ranges::transform(labels, entries.begin(), [](const auto& label) {
        return map_entry{value::of(std::string_view(label.first)), value::of(std::string_view(label.second))};
    });
    return make_map(entries, work);
}

class person_activation final : public activation {
public:
    person_activation(const sallyport::person& who, const sallyport::agent& by, const owner_name& owner) noexcept
        : who_(who),
          by_(by),
          owner_(owner)
    {
    }

    value load(std::uint32_t slot, workspace& work) override
    {
        switch (static_cast<fact>(slot)) {
        case fact::person: return value::of_object(&person_struct);
        case fact::handle: return value::of(std::string_view(who_.handle));
        case fact::name: return value::of(std::string_view(who_.name));
        case fact::roles: {
            const auto items = work.make<value>(who_.roles.size());
            std::ranges::transform(who_.roles, items.begin(), [](role r) { return value::of(name_of(r)); });
            return value::of_list(items);
        }
        case fact::teams: return strings(who_.teams, work);
        case fact::labels: return map_of(who_.labels, work);
        case fact::agent: return value::of_object(&agent_struct);
        case fact::agent_id: return value::of(work.keep(by_.id.text()));
        case fact::agent_name: return value::of(std::string_view(by_.name));
        case fact::agent_class: return value::of(name_of(by_.cls));
        case fact::agent_owner: return value::of(work.keep(owner_.text()));
        case fact::agent_labels: return map_of(by_.labels, work);
        }
        return value::error("no such variable");
    }

private:
    const sallyport::person& who_;
    const sallyport::agent& by_;
    const owner_name& owner_;
};

compiled compile_one(const std::string& expression) { return cel::compile(expression, names(), {checking::enforced, true, &t::boolean}); }

}  // namespace

std::vector<mistake> person_expressions::add(const std::string& expression)
{
    compiled made = compile_one(expression);
    if (made.program) named_.emplace(expression, std::make_shared<const program>(std::move(*made.program)));
    return std::move(made.mistakes);
}

std::shared_ptr<const program> person_expressions::find(const std::string& expression) const
{
    if (const auto found = named_.find(expression); found != named_.end()) return found->second;
    const std::lock_guard lock(mutex_);
    if (const auto found = former_.find(expression); found != former_.end()) return found->second;
    if (former_.size() >= most_former) former_.clear();
    compiled made = compile_one(expression);
    auto kept = made.program ? std::make_shared<const program>(std::move(*made.program)) : nullptr;
    former_.emplace(expression, kept);
    return kept;
}

std::optional<bool> person_expressions::is_true(const std::string& expression, const sallyport::person& who, const sallyport::agent& by,
                                                const owner_name& owner) const
{
    const auto compiled = find(expression);
    if (!compiled) return std::nullopt;
    std::array<std::byte, 2048> near;
    std::pmr::monotonic_buffer_resource arena{near.data(), near.size()};
    workspace work{arena, default_work};
    person_activation facts(who, by, owner);
    const value v = compiled->run(facts, work);
    return v.is(kind::boolean) ? std::optional(v.boolean()) : std::nullopt;
}

}  // namespace sallyport::policy
