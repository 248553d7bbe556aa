// Notices that the configuration's directory has changed: inotify, and behind it a look at the modification stamps
// every second, for file systems that tell nothing, for links into other directories and for a machine out of watches.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>

namespace sallyport::config {

struct watch_options {
    std::chrono::milliseconds quiet{200};     // so long nothing more must change before the call
    std::chrono::milliseconds patience{800};  // but it comes at most so long after the first change
    std::chrono::milliseconds poll{1000};     // between two looks at the stamps
    bool inotify = true;                      // false: stamps alone
};

/// Owns one thread. Files written in place, renamed into place or removed, and the whole directory removed, replaced or
/// made anew, all end in one call of `changed`, on that thread; a call too many can happen. What changes after the
/// constructor has returned is seen: start the watcher first, then load. SIGHUP is the caller's own.
class watcher {
public:
    /// `changed` must not throw and must not destroy the watcher.
    watcher(const std::filesystem::path& directory, std::function<void()> changed, watch_options = {});
    /// Ends the thread; waits for a call of `changed` that is under way.
    ~watcher();
    watcher(const watcher&) = delete;
    watcher& operator=(const watcher&) = delete;

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace sallyport::config
