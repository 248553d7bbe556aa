#include "gateway/config/watch.hpp"

#include "gateway/config/load.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <system_error>
#include <thread>
#include <tuple>
#include <unistd.h>
#include <utility>

namespace sallyport::config {
namespace {

namespace fs = std::filesystem;
using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// What changes when a file does: device, node, size, and both stamps to the nanosecond.
using stamp = std::tuple<dev_t, ino_t, off_t, std::int64_t, std::int64_t>;
using stamps = std::map<std::string, stamp>;

std::int64_t nanoseconds(const timespec& t) { return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec; }

stamps look(const fs::path& directory)
{
    stamps found;
    std::error_code error;
    for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
        auto name = at->path().filename().string();
        if (!is_configuration_file(name)) continue;
        struct stat facts {};
        if (::stat(at->path().c_str(), &facts) != 0) continue;
        found.emplace(std::move(name),
                      stamp{facts.st_dev, facts.st_ino, facts.st_size, nanoseconds(facts.st_mtim), nanoseconds(facts.st_ctim)});
    }
    return found;
}

class descriptor {
public:
    explicit descriptor(int number) : number_(number) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor()
    {
        if (number_ >= 0) ::close(number_);
    }
    int get() const noexcept { return number_; }

private:
    int number_;
};

fs::path whole(const fs::path& directory)
{
    std::error_code error;
    auto path = fs::absolute(directory, error).lexically_normal();
    return path.has_filename() ? path : path.parent_path();
}

constexpr std::uint32_t of_files = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB |
                                   IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr std::uint32_t of_directory = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR;

}  // namespace

struct watcher::state {
    state(const fs::path& path, std::function<void()> call, watch_options o)
        : directory(whole(path)),
          changed(std::move(call)),
          options(o),
          stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
          inotify(o.inotify ? ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK) : -1)
    {
        if (stop.get() < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
        watch();
        seen = look(directory);
        thread = std::thread([this] { run(); });
    }
    ~state()
    {
        const std::uint64_t one = 1;
        while (::write(stop.get(), &one, sizeof one) < 0 && errno == EINTR) {}
        thread.join();
    }

    // The directory may be another one by now; so may what its name stands for. Watching again what is watched
    // already changes nothing.
    void watch()
    {
        if (inotify.get() < 0) return;
        const int before = files_watch;
        files_watch = ::inotify_add_watch(inotify.get(), directory.c_str(), of_files);
        if (before >= 0 && before != files_watch) ::inotify_rm_watch(inotify.get(), before);
        if (parent_watch < 0) parent_watch = ::inotify_add_watch(inotify.get(), directory.parent_path().c_str(), of_directory);
    }

    // Whether one of the events that wait is about us.
    bool read_events()
    {
        bool ours = false;
        alignas(inotify_event) std::array<char, 16 << 10> buffer;
        for (;;) {
            const ssize_t got = ::read(inotify.get(), buffer.data(), buffer.size());
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) return ours;
            for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(got);) {
                inotify_event event;
                std::memcpy(&event, buffer.data() + at, sizeof event);
                const char* name = event.len > 0 ? buffer.data() + at + sizeof event : "";
                ours |= concerns_us(event, name);
                at += sizeof event + event.len;
            }
        }
    }
    bool concerns_us(const inotify_event& event, std::string_view name)
    {
        if ((event.mask & IN_Q_OVERFLOW) != 0) return true;
        if ((event.mask & IN_IGNORED) != 0) {
            // The kernel has dropped the watch together with what it watched.
            if (event.wd == files_watch) files_watch = -1;
            if (event.wd == parent_watch) parent_watch = -1;
            return false;  // what made it do so has been told before
        }
        if (event.wd == parent_watch) return name == directory.filename().string();
        if ((event.mask & (IN_DELETE_SELF | IN_MOVE_SELF)) != 0) return true;
        // Hidden names too: a volume of Kubernetes swaps its `..data`, through which all its files are links.
        return is_configuration_file(name) || name.starts_with("..");
    }

    void run()
    {
        bool dirty = false;
        clock::time_point first, last, next_look = clock::now() + options.poll;
        for (;;) {
            const auto due = dirty ? std::min(last + options.quiet, first + options.patience) : next_look;
            const auto left = std::chrono::ceil<milliseconds>(due - clock::now());
            std::array<pollfd, 2> waits{{{stop.get(), POLLIN, 0}, {inotify.get(), POLLIN, 0}}};  // a negative one is passed over
            const int ready = ::poll(waits.data(), waits.size(), static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000)));
            if (waits[0].revents != 0) return;
            if (ready < 0 && errno != EINTR) return;

            const auto now = clock::now();
            bool news = ready > 0 && waits[1].revents != 0 && read_events();
            if (news) watch();
            if (now >= next_look) {
                next_look = now + options.poll;
                watch();
                auto found = look(directory);
                news |= std::exchange(seen, found) != found;
            }
            if (news) {
                if (!dirty) first = now;
                last = now;
                dirty = true;
            }
            if (dirty && now >= std::min(last + options.quiet, first + options.patience)) {
                dirty = false;
                seen = look(directory);  // before it is read: what comes later is news again
                changed();
            }
        }
    }

    fs::path directory;
    std::function<void()> changed;
    watch_options options;
    descriptor stop;
    descriptor inotify;
    int files_watch = -1;
    int parent_watch = -1;
    stamps seen;
    std::thread thread;
};

watcher::watcher(const fs::path& directory, std::function<void()> changed, watch_options options)
    : state_(std::make_unique<state>(directory, std::move(changed), options))
{
}

watcher::~watcher() = default;

}  // namespace sallyport::config
