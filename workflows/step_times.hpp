// When a workflow's steps begin and end, by the working hours that they keep. Pure. Hours that are not known are no limit:
// who is asked does not depend on them.
#pragma once

#include "workflows/directory.hpp"
#include "workflows/hold.hpp"
#include "workflows/time.hpp"
#include "workflows/workflow.hpp"

#include <cstddef>

namespace sallyport {

struct step_span {
    time_point begins;
    time_point ends;
};

/// Of a step whose turn it is from then on.
step_span span_from(const workflow_step&, const directory&, time_point at);
/// Whether anybody may be told by it then.
bool is_open(const workflow_step&, const directory&, time_point at);
/// From then on, when somebody may.
time_point next_open(const workflow_step&, const directory&, time_point at);
/// When that much of the step's time has passed since it began.
time_point time_after(const workflow_step&, const directory&, time_point begun, duration);

/// When the demand's step began, or will if nothing is skipped.
time_point beginning(const hold&, const demand&, std::size_t step, const directory&);
/// When the last step of a call that was made then has ended.
time_point expiry(const workflow&, const directory&, time_point made);

}  // namespace sallyport
