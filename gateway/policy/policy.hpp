// What the rules say of one call: contract.md "Configuration", semantics.md "Judging a call". Rules are compiled and
// type-checked once, indexed by route, and asked without allocation where they can be. Pure: no I/O, no clock.
#pragma once

#include "gateway/canonical/field.hpp"
#include "workflows/agent.hpp"
#include "workflows/hold.hpp"
#include "workflows/time.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::json {
class value;
}

namespace sallyport::policy {

enum class mode { enforce, shadow };

/// A rule as the configuration writes it. Positions of errors are offsets into `when` and `summary`.
struct rule_definition {
    std::string id;
    std::string team;
    std::vector<std::size_t> routes;  // their places in the configuration
    std::string when;                 // CEL
    verdict_kind verdict = verdict_kind::deny;
    verdict_kind on_error = verdict_kind::hold;  // hold or deny
    policy::mode mode = mode::enforce;
    std::string workflow;  // empty: none named
    std::string summary;   // with {placeholders}
};

struct compile_error {
    std::size_t rule = 0;  // its place among the definitions
    enum class where { when, summary } where = where::when;
    std::size_t offset = 0;  // bytes into that text, at the offending token
    std::string message;
};

/// `name` in lower case.
using header = field;

/// A bounded delegation, as the access token carries it (wire.md "Tokens").
struct task_facts {
    std::string id;
    std::string intent;
    std::vector<std::string> scopes;
    const json::value* limits = nullptr;
};

/// Everything that a condition may ask about. Views: nothing is copied, nothing outlives the call.
struct call_facts {
    std::string_view method;
    std::string_view host;
    std::string_view path;              // the rest behind the prefix, canonical, never empty
    std::string_view query;             // without `?`, canonical; decoded only when a rule asks
    std::span<const header> headers;    // those that will be sent on, equal names not yet joined
    const json::value* body = nullptr;  // null: `body` has no value, and using it is an error
    const sallyport::agent* agent = nullptr;
    const task_facts* task = nullptr;  // null: no task
    time_point now;
};

struct verdict {
    verdict_kind kind = verdict_kind::deny;
    /// Every rule that matched or erred, with its summary; those of the winning kind first, in the order written.
    std::vector<spoken_rule> rules;
    /// Rules that decided the verdict: those of the winning kind.
    std::vector<reason> reasons;
    /// For `hold`: the names of the workflows demanded, each once, in the order of their rules.
    std::vector<std::string> workflows;
    /// Rules in `mode: shadow` that matched or erred; they decide nothing.
    std::vector<spoken_rule> shadow;
};

class rule_set {
public:
    rule_set();
    ~rule_set();
    rule_set(rule_set&&) noexcept;
    rule_set& operator=(rule_set&&) noexcept;

    /// Compiles all; every error of every rule is in `errors`, and then the set must not be used. `has_default`: a
    /// workflow named `default` exists, for rules that err and name none.
    static rule_set compile(std::vector<rule_definition>, std::size_t route_count, bool has_default, std::vector<compile_error>& errors);

    /// Whether any rule of that route reads `body`, so that the body must be read and parsed before judging.
    bool reads_body(std::size_t route) const noexcept;

    /// Whether that route has rules in `mode: shadow`: only judge() asks them.
    bool has_shadow(std::size_t route) const noexcept;

    /// Only the kind, quickly: no summaries are made. Where it gives anything but allow, ask judge(). To `matched` are
    /// added, for the record, the ids of the rules that matched, with a space between two.
    verdict_kind judge_quickly(std::size_t route, const call_facts&, std::string* matched = nullptr) const;
    verdict judge(std::size_t route, const call_facts&) const;

    std::span<const rule_definition> definitions() const noexcept;
    /// Which fields of `body` the rules of that route name, as JSON pointers, for the approver's page.
    std::vector<std::string> body_fields(std::size_t route) const;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace sallyport::policy
