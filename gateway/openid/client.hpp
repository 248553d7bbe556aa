// The way from a core to the provider: a few threads of its own, because asking blocks, and no more who wait than these can
// serve in the time that a person waits.
//
// Thread: `begin` and `redeem` on any core, where they resume; the rest on any thread.
#pragma once

#include "gateway/config/configuration.hpp"
#include "gateway/http/async.hpp"
#include "gateway/http/core.hpp"
#include "gateway/openid/provider.hpp"
#include "workflows/result.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace sallyport::openid {

struct client_options {
    std::size_t threads = 4;
    std::size_t waiting = 16;        // beyond them it is `overloaded` at once
    std::chrono::seconds whole{15};  // of everything that one sign-in asks the provider
};

class client {
public:
    explicit client(client_options = {});
    /// stop().
    ~client();
    client(const client&) = delete;
    client& operator=(const client&) = delete;

    http::awaitable<result<std::shared_ptr<const metadata>>> describe(http::core&, config::snapshot);
    http::awaitable<result<account>> redeem(http::core&, const config::snapshot&, attempt, std::string code, std::string redirect_uri,
                                            time_point now);

    /// Whoever asks the provider is told at once that it cannot be reached.
    void cut() noexcept { cut_ = true; }
    /// cut(), and joins. Every core that awaits something here must outlive this call.
    void stop() noexcept;

private:
    struct job {
        virtual ~job() = default;
        virtual void run() noexcept = 0;
    };
    template <class T, class F>
    http::awaitable<result<T>> on_thread(http::executor, F);
    bool submit(std::unique_ptr<job>&);
    void work();
    std::shared_ptr<provider> provider_of(const config::oidc_sign_in&);

    const client_options options_;
    std::atomic<bool> cut_ = false;
    std::mutex mutex_;  // for the members below
    std::condition_variable wake_;
    std::deque<std::unique_ptr<job>> jobs_;
    std::size_t busy_ = 0;
    std::shared_ptr<provider> provider_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace sallyport::openid
