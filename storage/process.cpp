#include "storage/process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <poll.h>
#include <pwd.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sallyport::storage {
namespace {

// In the child, between fork and exec: nothing but system calls, for another thread may have held any lock. The raw
// calls, because glibc's would signal threads that are not here.
[[noreturn]] void become(const program& what, char* const* arguments, char* const* environment, int null, int report) noexcept
{
    const auto give_up = [&] {
        const int error = errno;
        [[maybe_unused]] const auto written = ::write(report, &error, sizeof error);
        ::_exit(127);
    };
    for (int s = 1; s < NSIG; ++s) {
        struct sigaction plain {};
        plain.sa_handler = SIG_DFL;
        ::sigaction(s, &plain, nullptr);
    }
    ::setsid();  // a Ctrl-C at our terminal is for us; we stop it in our own order
    if (::dup2(null, 0) < 0 || ::dup2(what.output >= 0 ? what.output : null, 1) < 0 || ::dup2(1, 2) < 0) give_up();
    constexpr unsigned on_exec = 1U << 2;  // CLOSE_RANGE_CLOEXEC
    if (::syscall(SYS_close_range, 3U, ~0U, on_exec) != 0)
        for (int fd = 3; fd < 4096; ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (what.user) {
        const auto gid = static_cast<gid_t>(what.user->gid);
        if (::syscall(SYS_setgroups, 0UL, nullptr) != 0 || ::syscall(SYS_setresgid, gid, gid, gid) != 0) give_up();
        const auto uid = static_cast<uid_t>(what.user->uid);
        if (::syscall(SYS_setresuid, uid, uid, uid) != 0) give_up();
    }
    if (what.ends_with_us) ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // after setresuid, which clears it
    ::umask(077);
    if (::chdir("/") != 0) give_up();
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execve(arguments[0], arguments, environment);
    give_up();
    ::_exit(127);
}

}  // namespace

file_descriptor::~file_descriptor()
{
    if (fd_ >= 0) ::close(fd_);
}

std::string error_text(int error)
{
    std::array<char, 128> buffer{};
    return std::string(::strerror_r(error, buffer.data(), buffer.size())) + " (" + std::to_string(error) + ")";
}

std::string random_name()
{
    std::array<unsigned char, 16> bytes{};
    std::size_t have = 0;
    while (have < bytes.size()) {
        const auto got = ::getrandom(bytes.data() + have, bytes.size() - have, 0);
        if (got > 0)
            have += static_cast<std::size_t>(got);
        else if (errno != EINTR)
            throw std::runtime_error("the system gives no random bytes: " + error_text(errno));
    }
    constexpr std::string_view digits = "0123456789abcdef";
    std::string name;
    for (const auto byte : bytes) {
        name += digits[byte >> 4];
        name += digits[byte & 15];
    }
    return name;
}

std::optional<unix_user> user_named(const char* name)
{
    std::array<char, 4096> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwnam_r(name, &entry, buffer.data(), buffer.size(), &found) != 0 || !found) return std::nullopt;
    return unix_user{entry.pw_uid, entry.pw_gid, name};
}

result<int> start_program(const program& what)
{
    std::vector<char*> arguments;
    auto copies = what.arguments;
    for (auto& copy : copies) arguments.push_back(copy.data());
    arguments.push_back(nullptr);
    std::string path = "PATH=/usr/local/bin:/usr/bin:/bin", language = "LC_ALL=C.UTF-8", zone = "TZ=UTC";
    std::array<char*, 4> environment{path.data(), language.data(), zone.data(), nullptr};

    const file_descriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    std::array<int, 2> ends{};
    if (!null || ::pipe2(ends.data(), O_CLOEXEC) != 0)
        return fail(problem::internal_error, "A program could not be started.", "pipe: " + error_text(errno));
    file_descriptor report(ends[0]), reported(ends[1]);

    // No handler of ours runs in the child.
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t pid = ::fork();
    if (pid == 0) become(what, arguments.data(), environment.data(), null.get(), reported.get());
    const int fork_error = errno;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0) return fail(problem::internal_error, "A program could not be started.", "fork: " + error_text(fork_error));

    reported = file_descriptor();
    int error = 0;
    ssize_t got = 0;
    do got = ::read(report.get(), &error, sizeof error);
    while (got < 0 && errno == EINTR);
    if (got == static_cast<ssize_t>(sizeof error)) {
        ::waitpid(pid, nullptr, 0);
        return fail(problem::internal_error, "A program could not be started.", what.arguments[0] + ": " + error_text(error));
    }
    return pid;
}

process::process(int pid, bool child) : pid_(pid), child_(child), handle_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}

bool process::gone()
{
    if (ended_ || pid_ <= 0) return true;
    if (child_) {
        const auto reaped = ::waitpid(pid_, &status_, WNOHANG);
        ended_ = reaped == pid_ || (reaped < 0 && errno == ECHILD);
    } else if (handle_) {
        pollfd p{handle_.get(), POLLIN, 0};
        ended_ = ::poll(&p, 1, 0) > 0;
    } else {
        ended_ = ::kill(pid_, 0) != 0 && errno == ESRCH;
    }
    return ended_;
}

bool process::wait(std::chrono::milliseconds at_most, int interrupt)
{
    using steady = std::chrono::steady_clock;
    const auto until = steady::now() + at_most;
    for (;;) {
        if (gone()) return true;
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - steady::now()).count();
        if (left <= 0) return false;
        // Without a handle of the kernel's, it is looked at ten times a second.
        const auto pause = handle_ ? std::min<std::int64_t>(left, 60'000) : std::min<std::int64_t>(left, 100);
        std::array<pollfd, 2> watched{{{handle_.get(), POLLIN, 0}, {interrupt, POLLIN, 0}}};
        ::poll(watched.data(), watched.size(), static_cast<int>(pause));
        if (interrupt >= 0 && (watched[1].revents & POLLIN) != 0) return gone();
    }
}

void process::signal(int number) const noexcept
{
    if (ended_ || pid_ <= 0) return;
    // By its handle where there is one: a number may have gone to somebody else meanwhile.
    if (handle_)
        ::syscall(SYS_pidfd_send_signal, handle_.get(), number, nullptr, 0);
    else
        ::kill(pid_, number);
}

std::vector<int> processes_in(const std::filesystem::path& directory)
{
    std::vector<int> found;
    struct stat wanted {};
    if (::stat(directory.c_str(), &wanted) != 0) return found;
    const std::unique_ptr<DIR, int (*)(DIR*)> proc(::opendir("/proc"), &::closedir);
    if (!proc) return found;
    while (const dirent* entry = ::readdir(proc.get())) {
        const std::string_view name = entry->d_name;
        int pid = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (error != std::errc{} || end != name.data() + name.size()) continue;
        struct stat there {};
        if (::stat(("/proc/" + std::string(name) + "/cwd").c_str(), &there) != 0) continue;
        if (there.st_dev == wanted.st_dev && there.st_ino == wanted.st_ino) found.push_back(pid);
    }
    return found;
}

}  // namespace sallyport::storage
