// Reads a directory of YAML files into one configuration: contract.md "Configuration", wire.md "Configuration details",
// semantics.md "Records, files, process". Either everything is right, or every mistake is said at once with its place.
// No exception leaves. Any thread; blocks on the file system for milliseconds.
#pragma once

#include "gateway/config/configuration.hpp"

#include <compare>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::config {

/// A mistake, or a warning, and where it stands. `line` and `column` count from 1, columns in characters; both are 0
/// when it is about the file or the directory as a whole.
struct finding {
    std::string file;  // DIR as given, then the name
    std::size_t line = 0;
    std::size_t column = 0;
    std::string message;  // one line, no control characters, never a secret
    friend auto operator<=>(const finding&, const finding&) = default;
};

struct load_result {
    // Null when there are errors. Nobody else's yet: whoever runs it puts the process's own settings in first.
    std::shared_ptr<configuration> config;
    std::vector<finding> errors;    // sorted by file, line, column
    std::vector<finding> warnings;  // likewise
};

/// All `*.yaml` and `*.yml` directly in `directory`, by name; hidden files and `*.test.yaml`, `*.test.yml` are ignored.
/// Environment variables and files of secrets are not read: see secrets.hpp.
load_result load(const std::filesystem::path& directory);

/// Whether load() reads a file of that name.
bool is_configuration_file(std::string_view name) noexcept;

}  // namespace sallyport::config
