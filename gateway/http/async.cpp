#include "gateway/http/async.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <utility>

namespace sallyport::http {

void broken_invariant(const char* what) noexcept
{
    std::fputs(what, stderr);
    std::fputc('\n', stderr);
    std::abort();
}

awaitable<void> parking::park()
{
    if (sleeper_) broken_invariant("parking: a second coroutine would sleep in one place");
    const auto start = [this](handler resume) {
        auto slot = boost::asio::get_associated_cancellation_slot(resume);
        sleeper_.emplace(std::move(resume));
        if (slot.is_connected()) slot.assign([this](boost::asio::cancellation_type) { unpark(); });
    };
    boost::asio::use_awaitable_t<executor> plain;
    co_await boost::asio::async_initiate<boost::asio::use_awaitable_t<executor>, void()>(start, plain);
}

void parking::unpark() noexcept
{
    if (!sleeper_) return;
    handler resume = std::move(*sleeper_);
    sleeper_.reset();
    const executor where = resume.get_executor();
    boost::asio::post(where, std::move(resume));
}

void signal::fire() noexcept
{
    fired_ = true;
    const waker wake = std::exchange(waker_, {});
    if (wake.call) wake.call(wake.context);
}

awaitable<bool> signal::wait(timers& wheel, steady_time until)
{
    if (!fired_) {
        if (waker_.call) broken_invariant("signal: a second waiter");
        parking place;
        const auto wake = [](void* context) noexcept { static_cast<parking*>(context)->unpark(); };
        deadline limit(wheel, wake, &place);
        limit.set(until);
        waker_ = {wake, &place};
        // Cancelled, the coroutine may be destroyed at the next co_await: nothing may point to its frame then.
        struct forget {
            waker& one;
            ~forget() { one = {}; }
        } const forget_place{waker_};
        co_await place.park();
    }
    co_return std::exchange(fired_, false);
}

task_group::task_group(executor where, error_sink sink) : executor_(std::move(where)), sink_(std::move(sink)) {}

task_group::~task_group()
{
    if (!children_.empty()) broken_invariant("task_group: destroyed while a child runs");
}

void task_group::spawn(awaitable<void> task)
{
    children_.emplace_back();
    const auto child = std::prev(children_.end());
    auto ended = [this, child](const std::exception_ptr& thrown) {
        children_.erase(child);
        if (thrown) {
            try {
                std::rethrow_exception(thrown);
            } catch (const boost::system::system_error& error) {
                if (error.code() != boost::asio::error::operation_aborted && sink_) sink_(error.what());
            } catch (const std::exception& error) {
                if (sink_) sink_(error.what());
            } catch (...) {
                if (sink_) sink_("an exception of unknown type");
            }
        }
        if (children_.empty()) joiner_.unpark();
    };
    boost::asio::co_spawn(executor_, std::move(task), boost::asio::bind_cancellation_slot(child->slot(), std::move(ended)));
}

void task_group::cancel()
{
    // A child that ends at once takes itself from the list.
    for (auto child = children_.begin(); child != children_.end();) {
        const auto next = std::next(child);
        child->emit(boost::asio::cancellation_type::terminal);
        child = next;
    }
}

awaitable<void> task_group::join()
{
    while (!children_.empty()) co_await joiner_.park();
}

}  // namespace sallyport::http
