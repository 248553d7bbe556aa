// A workflow: who is asked, in which order, for how long, and what makes the answer count. Written in the
// configuration; a hold keeps a copy of what it was created under.
#pragma once

#include "workflows/time.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

/// How a decision must be proved, weakest first: comparing them is meaningful.
enum class assurance { click, session, passkey };

std::string_view name_of(assurance) noexcept;
std::optional<assurance> assurance_named(std::string_view) noexcept;

/// A word of `notify`, `not`, `approvals` or `break_glass`: `owner`, `initiator`, `person:HANDLE`, `team:NAME`, `schedule:NAME`,
/// `where:EXPRESSION`; in `not` also `last-approver`.
struct target {
    enum class kind {
        owner,
        person,
        team,
        schedule,
        initiator,      // on whose behalf the task runs; until tasks name somebody, the agent's owner
        last_approver,  // who most recently approved a call of the same agent under the same workflow
        where,          // of whom the expression is true
    } kind = kind::owner;
    std::string name;  // the expression of `where`; empty for those without a colon

    std::string text() const;
    static std::optional<target> parse(std::string_view);
    friend bool operator==(const target&, const target&) = default;
};

struct workflow_step {
    std::vector<target> notify;    // at least one
    std::vector<std::string> via;  // channels besides the inbox
    duration for_{};               // above zero
    duration remind{};             // how often those who have not decided are told again; zero: not
    std::string within{};          // working hours in which it begins, lasts and tells, by name; empty: at all times
};

/// For people: `team finance`, `the owner`.
std::string in_words(const target&);

/// So many approvals must come from people whom that target means.
struct place {
    target of;
    int approvals = 1;  // above zero
    friend bool operator==(const place&, const place&) = default;
};

/// Two controls that are easily taken for each other, by name: the owner's own word is wanted, or somebody else's.
enum class control { none, confirm, four_eyes };

std::string_view name_of(control) noexcept;  // `none`, `confirm`, `four-eyes`
std::optional<control> control_named(std::string_view) noexcept;

struct workflow {
    std::string name;
    int approvals = 1;  // distinct people, 1 to 100; the sum of `places` where there are any
    sallyport::assurance assurance = sallyport::assurance::passkey;
    std::vector<target> not_;          // who may not decide
    std::vector<workflow_step> steps;  // at least one
    /// What it claims to be; the configuration has seen to it that it is.
    sallyport::control control = sallyport::control::none;
    std::vector<place> places{};        // empty: whoever is asked fills any; else nobody twice
    std::vector<target> break_glass{};  // who may approve alone, loudly

    /// The sum of every step's `for`: how long a hold under it stays open, where no step says `within`.
    duration length() const noexcept;
};

}  // namespace sallyport
