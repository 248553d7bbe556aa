// What a part tells its operator, waited for: tests wait for what happens, never for time to pass.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::storage {

class events {
public:
    std::function<void(std::string_view, std::string_view)> teller()
    {
        return [this](std::string_view what, std::string_view) { tell(what); };
    }
    void tell(std::string_view what)
    {
        const std::lock_guard lock(mutex_);
        told_.emplace_back(what);
        news_.notify_all();
    }

    /// Whether that was told (that often) within half a minute.
    bool wait_for(std::string_view what, int times = 1)
    {
        std::unique_lock lock(mutex_);
        return news_.wait_for(lock, std::chrono::seconds(30), [&] { return count(what) >= times; });
    }
    int times(std::string_view what)
    {
        const std::lock_guard lock(mutex_);
        return count(what);
    }

private:
    int count(std::string_view what) const
    {
        int n = 0;
        for (const auto& t : told_) n += t == what ? 1 : 0;
        return n;
    }
    std::mutex mutex_;
    std::condition_variable news_;
    std::vector<std::string> told_;
};

}  // namespace sallyport::storage
