// One core: its event loop, its deadlines, its buffers, its thread. What belongs to a core is touched on its thread
// only: no lock, no strand. The one door in from other threads is `post`.
#pragma once

#include "gateway/http/async.hpp"
#include "gateway/http/buffers.hpp"
#include "gateway/http/timers.hpp"

#include <boost/asio/detail/reactor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <array>
#include <atomic>
#include <ctime>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

namespace sallyport::http {

class core {
public:
    core();
    /// join(). Whoever owns both a core and what runs on it joins before the latter goes.
    ~core();
    core(const core&) = delete;
    core& operator=(const core&) = delete;

    /// Runs the loop on a thread of its own until `stop()`. An exception that reaches the loop goes to `errors` and the
    /// loop goes on.
    void start(std::function<void(std::string_view)> errors = {});
    /// Runs the loop on the calling thread until `stop()`: for tests, and for a program whose main thread is a core.
    void run(std::function<void(std::string_view)> errors = {});
    /// From any thread. What is still suspended then stays so: join its groups first.
    void stop();
    /// stop(), and returns when the loop's own thread has ended: nothing runs on this core any more. Not on that thread.
    void join();

    /// From any thread: the function runs on this core, after what is running now.
    void post(std::function<void()>);
    /// Called on this core's thread, or before it has one.
    bool is_here() const noexcept;

    executor get_executor() noexcept { return context_.get_executor(); }
    boost::asio::io_context& context() noexcept { return context_; }
    /// Asio's own, for stream.cpp alone.
    boost::asio::detail::reactor& reactor() const noexcept { return reactor_; }
    http::timers& timers() noexcept { return timers_; }
    buffer_pool& buffers() noexcept { return buffers_; }

    /// One string that every writer on this core may fill, if it is done with it before it suspends.
    std::string& scratch() noexcept
    {
        scratch_.clear();
        return scratch_;
    }
    /// `Tue, 15 Nov 1994 08:12:31 GMT` (RFC 9110 §5.6.7), made once a second.
    std::string_view date() noexcept;

private:
    boost::asio::io_context context_;
    boost::asio::detail::reactor& reactor_;
    boost::asio::executor_work_guard<executor> work_;
    buffer_pool buffers_;
    http::timers timers_;
    std::string scratch_;
    std::array<char, 32> date_{};
    std::time_t date_second_ = 0;
    std::atomic<std::thread::id> runs_on_{};
    std::thread thread_;
};

}  // namespace sallyport::http
