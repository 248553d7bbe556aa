// Where a character of a scalar's decoded text stands in the file. An expression's error is shown at the offending token
// in the file (semantics.md, "Records, files, process"), however the expression is quoted or folded.
#pragma once

#include "gateway/config/yaml.hpp"

#include <cstddef>
#include <string_view>

namespace sallyport::config::yaml {

/// The byte of `file` that gave the byte at `offset` of the scalar's text (YAML 1.2 §7.3, §8.1). Follows the decoding
/// that has been done, without repeating its rules: where the two do not agree the answer is the scalar's start.
std::size_t place_of(std::string_view file, const node& scalar, std::size_t offset) noexcept;

}  // namespace sallyport::config::yaml
