// The running gateway: every part, built in order of dependency, and ended in the other.
#pragma once

#include "gateway/config/load.hpp"
#include "workflows/result.hpp"

#include <filesystem>
#include <memory>

namespace sallyport::serve {

class application {
public:
    /// Builds and starts everything. `config` has no errors. Fails when the data directory is in use, an address cannot
    /// be bound or the database cannot be reached. Blocks. Signals that end or reload must be blocked in the calling
    /// thread before, so that no thread made here takes them.
    static result<std::unique_ptr<application>> start(const std::filesystem::path& config_directory, const std::filesystem::path& data,
                                                      config::snapshot config);
    /// stop().
    ~application();
    application(const application&) = delete;
    application& operator=(const application&) = delete;

    /// Reads the configuration's directory again; if anything is wrong the old one stays and the log says why.
    void reload();
    /// What is done now and then: call it every few seconds.
    void housekeep();
    /// Calls in flight end, waiting ones get their 202, what is being released gets its outcome; within ten seconds.
    void stop() noexcept;

private:
    application();
    struct parts;
    std::unique_ptr<parts> parts_;
};

}  // namespace sallyport::serve
