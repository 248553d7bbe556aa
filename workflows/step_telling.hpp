// Whom a step tells: those whom it reaches, except who was asked too often lately, as long as others remain (hold_step.hpp, `step`).
// Pure.
#pragma once

#include "workflows/directory.hpp"
#include "workflows/hold.hpp"
#include "workflows/hold_step.hpp"
#include "workflows/recent_asks.hpp"

#include <cstddef>
#include <vector>

namespace sallyport {

/// What is known of the people whom a step may tell; outlives whoever has it.
struct audience {
    const directory& people;
    const recent_asks& asks;
};

/// Tells those whom step `i` of the demand reaches, except the tired where others remain; the first `told` steps have told before.
/// What comes of it is added to the effects and written in the demand. False: nobody was told.
bool tell(const hold&, demand&, std::size_t i, std::size_t told, std::vector<person_id> reached, time_point at, const audience&,
          std::vector<effect>&);
/// Whether that step went past this person, and has not told them since.
bool went_past(const demand&, std::size_t step, person_id) noexcept;

}  // namespace sallyport
