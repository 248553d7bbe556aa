// Names to addresses without stopping a core. getaddrinfo blocks, and cannot be cancelled: each look-up has a thread of
// its own, and whoever waits can leave before it ends. (Asio's resolver has one thread a context: a name whose server
// does not answer would hold up all others, and the end of the program.)
#pragma once

#include "gateway/http/async.hpp"
#include "gateway/http/core.hpp"
#include "gateway/http/stream.hpp"
#include "workflows/result.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::forward {

/// Belongs to one core; destroyed on it (or after its loop has ended), when nobody waits in `resolve`.
class resolver {
public:
    using endpoints = std::vector<http::stream::endpoint>;
    using steady_time = http::steady_time;

    /// An answer is used again for so long: getaddrinfo does not tell what the records allow.
    static constexpr std::chrono::seconds kept_for{5};
    /// Look-ups at once; beyond, `resolve` fails.
    static constexpr std::size_t at_once = 16;

    explicit resolver(http::core&);
    ~resolver();
    resolver(const resolver&) = delete;
    resolver& operator=(const resolver&) = delete;

    /// Every address of `host`, in the order in which they should be tried; never empty. Literal addresses need no
    /// look-up, and those who want the same name at once share one. Fails with `upstream_unreachable`.
    http::awaitable<result<endpoints>> resolve(const std::string& host, std::uint16_t port, steady_time until);

    /// Whoever waits is told at once that there is no answer.
    void stop() noexcept;

private:
    struct inbox;
    struct lookup {
        std::vector<http::signal*> waiters;
        std::vector<std::vector<unsigned char>> addresses;  // of 4 or 16 bytes (and a scope)
        std::string error;
        steady_time good_until{};
        bool running = false;
    };
    bool start(const std::string& host);
    void finished(const std::string& host, std::vector<std::vector<unsigned char>> addresses, std::string error);

    http::core* core_;
    std::shared_ptr<inbox> inbox_;  // shared with the threads; outlives this
    std::map<std::string, lookup, std::less<>> lookups_;
    std::size_t running_ = 0;
};

}  // namespace sallyport::forward
