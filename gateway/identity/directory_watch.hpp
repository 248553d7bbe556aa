// Keeps the standing's directory and credentials as the database has them: told by NOTIFY, and looking twice a second
// in case a word was lost, so that a suspended agent is refused within a second on every replica.
#pragma once

#include "gateway/identity/standing.hpp"
#include "gateway/jose/sealing.hpp"
#include "storage/database.hpp"
#include "workflows/result.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace sallyport::identity {

class directory_watch {
public:
    directory_watch(storage::database&, keyring, standings&);
    ~directory_watch();
    directory_watch(const directory_watch&) = delete;
    directory_watch& operator=(const directory_watch&) = delete;

    /// Reads and publishes now, if anything changed. Blocks; not on an I/O thread. Called once before start().
    result<void> refresh();
    void start();
    /// Look soon. Any thread.
    void wake() noexcept;
    void stop() noexcept;

private:
    void run();

    storage::database& db_;
    keyring keys_;
    standings& standings_;
    std::mutex reading_;  // one reader at a time, so that nothing older is published over something newer
    std::mutex mutex_;
    std::condition_variable wake_;
    bool woken_ = false;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace sallyport::identity
