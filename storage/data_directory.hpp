// DATA: the directory that a gateway keeps its state in. One `serve` at a time owns it, by a lock that the kernel
// releases when the process ends, however it ends.
#pragma once

#include "workflows/result.hpp"

#include <filesystem>
#include <string>

namespace sallyport::storage {

/// A Unix user by number.
struct unix_user {
    unsigned uid = 0;
    unsigned gid = 0;
    std::string name;
};

class data_directory {
public:
    /// Makes the directory (0700) and its parents (0755) where they do not exist, makes it nobody else's to read, and takes
    /// DATA/lock. `conflict` when another process has it; `invalid_input` for whatever else is wrong with it.
    static result<data_directory> open(const std::filesystem::path&);

    data_directory(data_directory&&) noexcept;
    data_directory& operator=(data_directory&&) noexcept;
    ~data_directory();  // gives the lock back

    const std::filesystem::path& path() const noexcept { return path_; }
    /// Who this directory is, for ever: 32 hexadecimal digits, made with it. Replicas on other machines have others.
    const std::string& node() const noexcept { return node_; }
    /// Lets other users pass through (0711) to what is theirs beneath, still without reading anything.
    result<void> let_through() const;

private:
    data_directory(std::filesystem::path path, int lock, std::string node) noexcept;
    std::filesystem::path path_;
    int lock_ = -1;
    std::string node_;
};

/// What is in the file, at most `limit` bytes; `not_found` when there is none.
result<std::string> read_small_file(const std::filesystem::path&, std::size_t limit = 64 * 1024);
/// Whole or not at all, 0600, on the disk when this returns.
result<void> write_small_file(const std::filesystem::path&, std::string_view content);

}  // namespace sallyport::storage
