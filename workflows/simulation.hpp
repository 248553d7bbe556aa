// Plays an escalation against a virtual clock, with nobody who decides: the hold's own state machine (hold_step.hpp), and
// what it says of it. Pure.
#pragma once

#include "workflows/directory.hpp"
#include "workflows/hold.hpp"
#include "workflows/workflow.hpp"

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

namespace sallyport {

namespace played {

/// Steps count from 1.
struct step_begun {
    std::size_t step = 1;
    std::vector<target> whom;
};
struct step_skipped {
    std::size_t step = 1;
    std::vector<std::string> why;  // sentences without a full stop: `alan is absent`
};
/// Others are on call in a schedule that a step begun names.
struct hand_over {
    std::string schedule;
    std::vector<std::string> on_call;  // handles
};
struct told {
    std::vector<std::string> people;  // handles
    std::vector<std::string> via;     // `inbox` first
    bool again = false;               // a reminder
};
struct ended {
    hold_status how = hold_status::expired;
    std::size_t reached = 0;  // how many people were told in all
};

}  // namespace played

struct played_event {
    time_point at;
    std::variant<played::step_begun, played::step_skipped, played::hand_over, played::told, played::ended> what;
};

/// Somebody who is away all the time, by handle, and who stands in for them, if anybody does.
struct absent_person {
    std::string handle;
    std::string deputy{};
};

/// A held call of that agent from `at` on. Who is away by the directory is so too. The last event is `ended`; where more
/// happens than anybody would read its `how` is `held`. Nobody approved anything before it.
std::vector<played_event> simulate(const workflow&, const agent&, const directory&, const std::vector<absent_person>& absent,
                                   time_point at);

}  // namespace sallyport
