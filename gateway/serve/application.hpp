// The running gateway: every part, built in order of dependency, and ended in the other.
#pragma once

#include "gateway/config/configuration.hpp"
#include "workflows/result.hpp"

#include <chrono>
#include <filesystem>
#include <memory>
#include <stop_token>

namespace sallyport::serve {

class application {
public:
    /// Builds and starts everything. `config` has no errors. Fails when the data directory is in use, an address cannot
    /// be bound or the database cannot be reached, and soon after `given_up`. Blocks. Signals that end or reload must be
    /// blocked in the calling thread before, so that no thread made here takes them.
    static result<std::unique_ptr<application>> start(const std::filesystem::path& config_directory, const std::filesystem::path& data,
                                                      std::shared_ptr<config::configuration> config, const std::stop_token& given_up);
    /// stop().
    ~application();
    application(const application&) = delete;
    application& operator=(const application&) = delete;

    /// Reads the configuration's directory and the listeners' certificates again; if anything is wrong the old ones stay
    /// and the log says why. The settings that only a restart changes stay as they run.
    void reload();
    /// What is done now and then: call it every few seconds.
    void housekeep();
    /// Calls in flight end, waiting ones get their 202, what is being released gets its outcome. What has not ended by
    /// itself is cut in time, upstreams, database and PostgreSQL in this order: done within `longest_stop`.
    void stop() noexcept;
    static constexpr std::chrono::milliseconds longest_stop{9500};

private:
    application();
    struct parts;
    std::unique_ptr<parts> parts_;
};

}  // namespace sallyport::serve
