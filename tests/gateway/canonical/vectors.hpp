// Test vectors from the specifications' own suites, where they are at hand.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace sallyport::vectors {

inline std::filesystem::path folder(const char* name) { return std::filesystem::path(SALLYPORT_VECTORS_DIR) / name; }

inline bool present(const char* name)
{
    if (std::filesystem::is_directory(folder(name))) return true;
    MESSAGE("skipped: no test vectors in " << folder(name).string());
    return false;
}

inline std::string read(const std::filesystem::path& file)
{
    std::ifstream in(file, std::ios::binary);
    REQUIRE_MESSAGE(in.good(), file.string());
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace sallyport::vectors
