#include "gateway/policy/policy.hpp"

#include "gateway/policy/cel/program.hpp"
#include "gateway/policy/facts.hpp"
#include "gateway/policy/inert_text.hpp"
#include "gateway/policy/summary.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory_resource>
#include <optional>
#include <utility>

namespace sallyport::policy {
namespace {

constexpr std::string_view default_workflow = "default";

/// The memory of one judgement: what an ordinary one needs is on the stack.
struct judgement_memory {
    std::array<std::byte, 2048> near;
    std::pmr::monotonic_buffer_resource arena{near.data(), near.size()};
    cel::workspace work{arena, cel::default_work};
};

enum class answer { no, yes, error };

}  // namespace

struct rule_set::impl {
    struct rule {
        cel::program when;
        summary_template summary;
        verdict_kind on_error = verdict_kind::deny;  // what it says when it errs, all considered
    };
    struct route {
        std::vector<std::size_t> enforced, shadow;  // rules by number, in the order written
        bool reads_body = false;
    };

    std::vector<rule_definition> definitions;
    std::vector<rule> rules;
    std::vector<route> routes;

    const route* find(std::size_t place) const noexcept { return place < routes.size() ? &routes[place] : nullptr; }

    answer ask(std::size_t number, call_activation& facts, cel::workspace& work, std::string* why = nullptr) const
    {
        work.refill(cel::default_work);
        const cel::value v = rules[number].when.run(facts, work);
        if (v.is(cel::kind::boolean)) return v.boolean() ? answer::yes : answer::no;
        if (why) *why = v.failed() ? inert(v.text()) : "the condition gave no bool";
        return answer::error;
    }

    verdict_kind says(std::size_t number, answer a) const noexcept
    {
        return a == answer::error ? rules[number].on_error : definitions[number].verdict;
    }

    std::string summary_of(std::size_t number, const call_facts& call) const
    {
        const std::string& id = definitions[number].id;
        if (definitions[number].summary.empty()) return id;
        return rules[number].summary.render(call);
    }

    /// What the rule says of the call; nothing when it has nothing to say.
    std::optional<spoken_rule> speak(std::size_t number, const call_facts& call, call_activation& facts, cel::workspace& work) const
    {
        spoken_rule spoken;
        const answer a = ask(number, facts, work, &spoken.error);
        if (a == answer::no) return std::nullopt;
        spoken.rule = definitions[number].id;
        spoken.team = definitions[number].team;
        spoken.verdict = says(number, a);
        spoken.summary = summary_of(number, call);
        spoken.matched = a == answer::yes;
        return spoken;
    }
};

rule_set::rule_set() : impl_(std::make_unique<impl>()) {}
rule_set::~rule_set() = default;
rule_set::rule_set(rule_set&&) noexcept = default;
rule_set& rule_set::operator=(rule_set&&) noexcept = default;

rule_set rule_set::compile(std::vector<rule_definition> definitions, std::size_t route_count, bool has_default,
                           std::vector<compile_error>& errors)
{
    rule_set set;
    impl& made = *set.impl_;
    made.definitions = std::move(definitions);
    made.routes.resize(route_count);
    const cel::compile_options condition{cel::checking::enforced, true, &cel::types::boolean};
    for (std::size_t i = 0; i < made.definitions.size(); ++i) {
        const rule_definition& d = made.definitions[i];
        const auto report = [&](std::vector<cel::mistake>& mistakes, enum compile_error::where where) {
            for (cel::mistake& m : mistakes) errors.push_back({i, where, m.offset, std::move(m.message)});
        };
        cel::compiled when = cel::compile(d.when, conditions_environment(), condition);
        report(when.mistakes, compile_error::where::when);
        std::vector<cel::mistake> in_summary;
        summary_template summary = summary_template::compile(d.summary, in_summary);
        report(in_summary, compile_error::where::summary);

        impl::rule& rule = made.rules.emplace_back();
        rule.summary = std::move(summary);
        if (when.program) rule.when = std::move(*when.program);
        // A rule that errs never allows. To hold it needs a workflow: its own, or `default`.
        const bool can_hold = !d.workflow.empty() || has_default;
        rule.on_error = d.on_error == verdict_kind::hold && can_hold ? verdict_kind::hold : verdict_kind::deny;
        for (const std::size_t place : d.routes) {
            if (place >= made.routes.size()) continue;
            impl::route& route = made.routes[place];
            (d.mode == mode::shadow ? route.shadow : route.enforced).push_back(i);
            route.reads_body = route.reads_body || rule.when.reads(slot_of(fact::body)) || rule.summary.reads_body();
        }
    }
    return set;
}

bool rule_set::reads_body(std::size_t route) const noexcept
{
    const auto* r = impl_->find(route);
    return r && r->reads_body;
}

bool rule_set::has_shadow(std::size_t route) const noexcept
{
    const auto* r = impl_->find(route);
    return r && !r->shadow.empty();
}

verdict_kind rule_set::judge_quickly(std::size_t route, const call_facts& call, std::string* matched) const
{
    const auto* r = impl_->find(route);
    if (!r) return verdict_kind::deny;
    judgement_memory memory;
    call_activation facts(call);
    std::optional<verdict_kind> strictest;
    for (const std::size_t number : r->enforced) {
        const answer a = impl_->ask(number, facts, memory.work);
        if (a == answer::no) continue;
        const verdict_kind kind = impl_->says(number, a);
        if (kind == verdict_kind::deny) return kind;
        strictest = std::max(strictest.value_or(kind), kind);
        if (matched && a == answer::yes) {
            if (!matched->empty()) matched->push_back(' ');
            *matched += impl_->definitions[number].id;
        }
    }
    return strictest.value_or(verdict_kind::deny);
}

verdict rule_set::judge(std::size_t route, const call_facts& call) const
{
    verdict result;
    const auto* r = impl_->find(route);
    if (!r) return result;
    judgement_memory memory;
    call_activation facts(call);
    std::vector<std::pair<std::size_t, spoken_rule>> spoken;
    for (const std::size_t number : r->enforced)
        if (auto s = impl_->speak(number, call, facts, memory.work)) spoken.emplace_back(number, std::move(*s));
    for (const std::size_t number : r->shadow)
        if (auto s = impl_->speak(number, call, facts, memory.work)) result.shadow.push_back(std::move(*s));
    if (spoken.empty()) return result;

    result.kind = verdict_kind::allow;
    for (const auto& s : spoken) result.kind = std::max(result.kind, s.second.verdict);
    std::ranges::stable_partition(spoken, [&](const auto& s) { return s.second.verdict == result.kind; });
    for (auto& [number, s] : spoken) {
        if (s.verdict == result.kind) {
            result.reasons.push_back({s.rule, s.summary});
            if (result.kind == verdict_kind::hold) {
                const std::string& own = impl_->definitions[number].workflow;
                std::string workflow = own.empty() ? std::string(default_workflow) : own;
                if (std::ranges::find(result.workflows, workflow) == result.workflows.end())
                    result.workflows.push_back(std::move(workflow));
            }
        }
        result.rules.push_back(std::move(s));
    }
    return result;
}

std::span<const rule_definition> rule_set::definitions() const noexcept { return impl_->definitions; }

std::vector<std::string> rule_set::body_fields(std::size_t route) const
{
    std::vector<std::string> pointers;
    const auto* r = impl_->find(route);
    if (!r) return pointers;
    for (const auto* numbers : {&r->enforced, &r->shadow})
        for (const std::size_t number : *numbers) {
            for (std::string& pointer : impl_->rules[number].when.paths_below(slot_of(fact::body))) pointers.push_back(std::move(pointer));
            impl_->rules[number].summary.add_body_paths(pointers);
        }
    std::ranges::sort(pointers);
    const auto twice = std::ranges::unique(pointers);
    pointers.erase(twice.begin(), twice.end());
    return pointers;
}

}  // namespace sallyport::policy
