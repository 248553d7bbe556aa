// What one configuration arranges for people besides workflows: who is on call, when people work, and which expressions pick
// them. Immutable, shared by every directory that is read while the configuration stands.
#pragma once

#include "workflows/agent.hpp"
#include "workflows/person.hpp"
#include "workflows/schedule.hpp"
#include "workflows/working_hours.hpp"

#include <memory>
#include <optional>
#include <string>

namespace sallyport {

/// Answers what a target `where:EXPRESSION` asks. The language is not known on this floor.
///
/// Thread: any, at once.
class person_conditions {
public:
    person_conditions() = default;
    person_conditions(const person_conditions&) = delete;
    person_conditions& operator=(const person_conditions&) = delete;
    virtual ~person_conditions() = default;

    /// `owner`: whose the agent was when it was asked. None: it errs, or is no expression.
    virtual std::optional<bool> is_true(const std::string& expression, const person&, const agent&, const owner_name& owner) const = 0;
};

struct arrangements {
    schedules on_call;
    calendars hours;
    std::shared_ptr<const person_conditions> conditions;  // null: no expression has an answer
};

}  // namespace sallyport
