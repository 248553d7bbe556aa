#include "gateway/openid/client.hpp"

#include <exception>
#include <optional>

namespace sallyport::openid {

// A function that gives a result<T>, run once on a thread of ours; whoever waits for it resumes on their executor.
template <class T, class F>
http::awaitable<result<T>> client::on_thread(http::executor executor, F function)
{
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<http::executor>, void(result<T>)>(
        [](auto handler, client* self, const http::executor& where, F f) {
            using handler_type = decltype(handler);
            struct one final : job {
                one(handler_type h, const http::executor& to, F what)
                    : handler(std::move(h)),
                      guard(boost::asio::make_work_guard(to)),
                      function(std::move(what))
                {
                }
                void run() noexcept override { finish(attempt()); }
                result<T> attempt() noexcept
                try {
                    return function();
                } catch (const std::exception& e) {
                    return fail(problem::internal_error, {}, e.what());
                }
                void finish(result<T> r)
                {
                    const auto to = guard.get_executor();
                    boost::asio::post(to, [h = std::move(handler), r = std::move(r)]() mutable { std::move(h)(std::move(r)); });
                }
                handler_type handler;
                boost::asio::executor_work_guard<http::executor> guard;
                F function;
            };
            std::unique_ptr<job> made = std::make_unique<one>(std::move(handler), where, std::move(f));
            auto& refused = static_cast<one&>(*made);
            if (!self->submit(made)) refused.finish(fail(problem::overloaded, {}, "too many sign in at once"));
        },
        boost::asio::use_awaitable_t<http::executor>{}, this, executor, std::move(function));
}

client::client(client_options options) : options_(options)
{
    for (std::size_t i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { work(); });
}

client::~client() { stop(); }

bool client::submit(std::unique_ptr<job>& one)
{
    {
        const std::lock_guard lock(mutex_);
        if (stopping_ || busy_ + jobs_.size() >= options_.threads + options_.waiting) return false;
        jobs_.push_back(std::move(one));
    }
    wake_.notify_one();
    return true;
}

void client::work()
{
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
        // What waits is run even then: it ends at once, and whoever waits for it is told.
        if (jobs_.empty()) return;
        const auto next = std::move(jobs_.front());
        jobs_.pop_front();
        ++busy_;
        lock.unlock();
        next->run();
        lock.lock();
        --busy_;
    }
}

void client::stop() noexcept
{
    cut();
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& t : threads_)
        if (t.joinable()) t.join();
}

// What is known of a provider goes with the settings by which it was asked.
std::shared_ptr<provider> client::provider_of(const config::oidc_sign_in& settings)
{
    const std::lock_guard lock(mutex_);
    if (!provider_ || provider_->settings() != settings) provider_ = std::make_shared<provider>(settings, cut_);
    return provider_;
}

http::awaitable<result<std::shared_ptr<const metadata>>> client::describe(http::core& core, config::snapshot with)
{
    const auto from = provider_of(*with->oidc);
    // Nobody waits behind those whom the provider keeps waiting only to be sent there.
    if (auto known = from->known()) co_return known;
    auto ask = [from, deadline = std::chrono::steady_clock::now() + options_.whole] { return from->description(deadline); };
    co_return co_await on_thread<std::shared_ptr<const metadata>>(core.get_executor(), std::move(ask));
}

http::awaitable<result<account>> client::redeem(http::core& core, const config::snapshot& with, attempt a, std::string code,
                                                std::string redirect_uri, time_point now)
{
    auto ask = [from = provider_of(*with->oidc), a = std::move(a), code = std::move(code), redirect_uri = std::move(redirect_uri), now,
                deadline = std::chrono::steady_clock::now() + options_.whole] {
        return from->redeem(a, code, redirect_uri, now, deadline);
    };
    return on_thread<account>(core.get_executor(), std::move(ask));
}

}  // namespace sallyport::openid
