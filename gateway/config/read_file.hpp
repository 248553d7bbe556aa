// A file's bytes, without being held up by what is no file.
#pragma once

#include "workflows/result.hpp"

#include <cstddef>
#include <filesystem>
#include <string>

namespace sallyport::config {

/// The content of a regular file of at most `longest` bytes, links followed. A pipe or device is refused, not waited
/// for. Fails with invalid_input; the detail does not repeat the path.
result<std::string> read_file(const std::filesystem::path&, std::size_t longest);

}  // namespace sallyport::config
