// Other programs as children of this one: started as another user, waited for, found again by process id. For the
// .cpp files of this folder alone.
#pragma once

#include "storage/data_directory.hpp"
#include "workflows/result.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::storage {

class file_descriptor {
public:
    file_descriptor() = default;
    explicit file_descriptor(int fd) noexcept : fd_(fd) {}
    file_descriptor(file_descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    file_descriptor& operator=(file_descriptor&& other) noexcept
    {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~file_descriptor();
    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }

private:
    int fd_ = -1;
};

/// "Permission denied (13)", for causes.
std::string error_text(int error);
/// 128 random bits, hexadecimal.
std::string random_name();
std::optional<unix_user> user_named(const char* name);

struct program {
    std::vector<std::string> arguments;  // the first is its path
    std::optional<unix_user> user;       // to become, when this process is root
    int output = -1;                     // for both of its outputs
    bool ends_with_us = false;           // is killed when the thread that started it ends
};

/// Starts it in a session of its own, with none of our files, signals or environment: what is in our environment may
/// be secret. Gives its process id.
result<int> start_program(const program&);

/// A process, by whatever the kernel offers to wait for it: also one that is no child of ours.
class process {
public:
    process() = default;
    explicit process(int pid, bool child);

    int pid() const noexcept { return pid_; }
    /// Whether it has ended, after at most that time; or at once when `interrupt` (a file descriptor, or -1) becomes
    /// readable.
    bool wait(std::chrono::milliseconds at_most, int interrupt = -1);
    /// Of a child that has ended: as waitpid gives it.
    int status() const noexcept { return status_; }
    void signal(int) const noexcept;

private:
    bool gone();
    int pid_ = 0;
    bool child_ = false;
    bool ended_ = false;
    int status_ = 0;
    file_descriptor handle_;  // pidfd; none where the kernel or its sandbox refuses it
};

/// Every process whose working directory that is, as far as we may see.
std::vector<int> processes_in(const std::filesystem::path&);

}  // namespace sallyport::storage
