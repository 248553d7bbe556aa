// Coroutines as this program uses them: typed on the context of one core, errors as values, every spawned coroutine
// owned by somebody. All of it belongs to one core and is touched on that core's thread only.
#pragma once

#include "gateway/http/timers.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstddef>
#include <functional>
#include <list>
#include <optional>
#include <string_view>

namespace sallyport::http {

using executor = boost::asio::io_context::executor_type;

/// Concrete in its executor: `any_io_executor` costs an indirect call and a count for every operation.
template <class T>
using awaitable = boost::asio::awaitable<T, executor>;

/// `auto [error, bytes] = co_await socket.async_read_some(buffer, token);`
inline constexpr auto token = boost::asio::as_tuple(boost::asio::use_awaitable_t<executor>{});

/// Ends the program, in release builds too: going on would use what is gone.
[[noreturn]] void broken_invariant(const char* what) noexcept;

/// A place where at most one coroutine sleeps until `unpark()`. Lost wake-ups are the caller's matter: look at the
/// state, then park, with no suspension between.
class parking {
public:
    parking() = default;
    parking(const parking&) = delete;
    parking& operator=(const parking&) = delete;

    /// Returns after `unpark()`, or when the coroutine is cancelled (the next co_await throws then).
    awaitable<void> park();
    /// Resumes the sleeper by way of its executor, never inside this call; nothing when nobody sleeps.
    void unpark() noexcept;
    bool occupied() const noexcept { return sleeper_.has_value(); }

private:
    using handler = boost::asio::async_result<boost::asio::use_awaitable_t<executor>, void()>::handler_type;
    std::optional<handler> sleeper_;
};

/// An event of one core with one waiter, which `wait` takes back: an event fired while nobody waits is kept for the
/// next wait. From another thread: `core::post`.
class signal {
public:
    signal() = default;
    signal(const signal&) = delete;
    signal& operator=(const signal&) = delete;

    void fire() noexcept;
    bool fired() const noexcept { return fired_; }
    void reset() noexcept { fired_ = false; }

    /// True: it was fired (and is taken back). False: `until` passed first, or the coroutine was cancelled.
    awaitable<bool> wait(timers&, steady_time until);

private:
    friend class exchange;
    struct waker {
        void (*call)(void*) noexcept = nullptr;
        void* context = nullptr;
    };
    waker waker_;
    bool fired_ = false;
};

/// The owner of spawned coroutines. It outlives them: whoever destroys a group with a child still running ends the
/// program, for that child would go on with references to nothing.
class task_group {
public:
    /// What a child threw, as text; a cancelled child is no error. Called on the core.
    using error_sink = std::function<void(std::string_view)>;

    task_group(executor, error_sink);
    ~task_group();
    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;

    /// The task starts from the event loop, not inside this call. Pass values to it, not references to locals.
    void spawn(awaitable<void> task);
    /// Asks every child to end: its pending operation is cancelled, its next co_await throws operation_aborted.
    void cancel();
    std::size_t running() const noexcept { return children_.size(); }
    /// Returns when no child runs; one caller at a time.
    awaitable<void> join();

private:
    executor executor_;
    error_sink sink_;
    std::list<boost::asio::cancellation_signal> children_;
    parking joiner_;
};

}  // namespace sallyport::http
