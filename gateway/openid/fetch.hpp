// One HTTP exchange with a provider, by libcurl: bounded in time and size, certificates checked, no redirect followed.
// Blocks; any thread that is not a core's.
#pragma once

#include "workflows/result.hpp"
#include "workflows/secret.hpp"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::openid {

struct question {
    std::string url;
    std::optional<secret> form;  // posted; else it is a GET
    secret authorization;        // the field's value; empty: none
    std::filesystem::path ca;    // empty: the system's
    std::chrono::steady_clock::time_point deadline;
};

struct answer {
    long status = 0;
    std::string media_type;  // as sent
    std::string body;
};

inline constexpr std::size_t longest_answer = 512 << 10;
inline constexpr std::chrono::seconds connect_timeout{5};

/// `upstream_unreachable` or `upstream_timeout`, whose cause names the host and what happened, and nothing that was sent.
result<answer> fetch(const question&, const std::atomic<bool>& cut);

}  // namespace sallyport::openid
