#include "gateway/http/core.hpp"

#include <boost/asio/detail/concurrency_hint.hpp>
#include <boost/asio/post.hpp>

#include <pthread.h>

#include <cstdio>
#include <exception>
#include <utility>

namespace sallyport::http {

// One thread runs the loop, and sockets are touched on it alone, so that they need no lock; posting from others stays
// allowed (HINT_UNSAFE would forbid it).
core::core()
    : context_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      reactor_(boost::asio::use_service<boost::asio::detail::reactor>(context_)),
      work_(context_.get_executor()),
      timers_(context_)
{
}

core::~core() { join(); }

void core::start(std::function<void(std::string_view)> errors)
{
    thread_ = std::thread([this, errors = std::move(errors)]() mutable {
        ::pthread_setname_np(::pthread_self(), "core");
        run(std::move(errors));
    });
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): it lives as long as the thread
void core::run(std::function<void(std::string_view)> errors)
{
    runs_on_ = std::this_thread::get_id();
    for (;;) {
        try {
            context_.run();
            break;
        } catch (const std::exception& error) {
            if (errors) errors(error.what());
        } catch (...) {
            if (errors) errors("an exception of unknown type reached the event loop");
        }
    }
    runs_on_ = std::thread::id();
}

void core::stop() { context_.stop(); }

void core::join()
{
    stop();
    if (thread_.joinable()) thread_.join();
}

void core::post(std::function<void()> function) { boost::asio::post(context_, std::move(function)); }

bool core::is_here() const noexcept
{
    const std::thread::id on = runs_on_;
    return on == std::thread::id() || on == std::this_thread::get_id();
}

std::string_view core::date() noexcept
{
    const std::time_t now = std::time(nullptr);
    if (now != date_second_) {
        std::tm parts{};
        gmtime_r(&now, &parts);
        // No strftime: its names follow the locale.
        static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
        static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        std::snprintf(date_.data(), date_.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT", days[parts.tm_wday], parts.tm_mday,
                      months[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
        date_second_ = now;
    }
    return date_.data();
}

}  // namespace sallyport::http
