// The parts of a hold that are kept as JSON, for hold_store.cpp: reasons, demands, decisions as the database
// aggregates them.
#pragma once

#include "workflows/hold.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sallyport::storage {

std::string reasons_text(const std::vector<reason>&);
std::string demands_text(const std::vector<demand>&);

// They throw std::exception on anything that the functions above, or the statements of hold_store.cpp, did not write.
std::vector<reason> read_reasons(std::string_view);
std::vector<demand> read_demands(std::string_view);
std::vector<decision> read_decisions(std::string_view);

/// What people may search for in a hold, besides its agent's name.
std::string search_text(const hold&, std::string_view method, std::string_view target);

}  // namespace sallyport::storage
