// The variables of conditions (semantics.md, "Variables"): their names and types, and how a call answers for them.
#pragma once

#include "gateway/policy/cel/environment.hpp"
#include "gateway/policy/policy.hpp"

#include <cstdint>
#include <optional>

namespace sallyport::policy {

enum class fact : std::uint32_t {
    request,
    method,
    host,
    path,
    query,
    headers,
    body,
    agent,
    agent_id,
    agent_name,
    agent_class,
    agent_owner,
    agent_labels,
    task,
    task_id,
    task_intent,
    task_scopes,
    task_limits,
    now,
};

constexpr std::uint32_t slot_of(fact f) noexcept { return static_cast<std::uint32_t>(f); }

/// What a condition may name; made once.
const cel::environment& conditions_environment();

/// The facts of one call. Headers and query are put in order when a rule first asks for them, in the arena of the
/// workspace, and kept: all evaluations with one object must share one arena.
class call_activation final : public cel::activation {
public:
    explicit call_activation(const call_facts& call) noexcept : call_(call) {}

    cel::value load(std::uint32_t slot, cel::workspace&) override;
    cel::value load_member(std::uint32_t slot, std::string_view key, cel::workspace&) override;

private:
    cel::value headers(cel::workspace&);
    cel::value header(std::string_view name, cel::workspace&);
    cel::value query(cel::workspace&);
    cel::value agent(fact, cel::workspace&);
    cel::value task(fact, cel::workspace&);

    const call_facts& call_;
    std::optional<cel::value> headers_, query_;
};

}  // namespace sallyport::policy
