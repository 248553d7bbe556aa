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

/// A word of `notify` or `not`: `owner`, `person:HANDLE`, `team:NAME`, `schedule:NAME`.
struct target {
    enum class kind { owner, person, team, schedule } kind = kind::owner;
    std::string name;  // empty for `owner`

    std::string text() const;
    static std::optional<target> parse(std::string_view);
    friend bool operator==(const target&, const target&) = default;
};

struct workflow_step {
    std::vector<target> notify;    // at least one
    std::vector<std::string> via;  // channels besides the inbox
    duration for_{};               // above zero
    duration remind{};             // how often those who have not decided are told again; zero: not
};

/// Two controls that are easily taken for each other, by name: the owner's own word is wanted, or somebody else's.
enum class control { none, confirm, four_eyes };

std::string_view name_of(control) noexcept;  // `none`, `confirm`, `four-eyes`
std::optional<control> control_named(std::string_view) noexcept;

struct workflow {
    std::string name;
    int approvals = 1;  // distinct people, 1 to 100
    sallyport::assurance assurance = sallyport::assurance::passkey;
    std::vector<target> not_;          // who may not decide
    std::vector<workflow_step> steps;  // at least one
    /// What it claims to be; the configuration has seen to it that it is.
    sallyport::control control = sallyport::control::none;

    /// The sum of every step's `for`: how long a hold under it stays open.
    duration length() const noexcept;
};

}  // namespace sallyport
