// The way to PostgreSQL: a few threads with a connection each, because the driver blocks. Functions go in, values come
// out; the driver's exceptions end here.
//
//   auto found = co_await db.run(executor, [id](transaction& tx) { return hold_store::get(tx, id); });
//
// The function may run more than once (a serialization failure, a connection lost before the commit), so it does
// nothing that a rollback does not undo. It takes its values by copy: it runs on another thread.
//
// Failures: `storage_unavailable` when the database cannot be reached, does not answer in time, or more waits for it
// than `waiting`; `invalid_input` for text that PostgreSQL cannot hold (NUL, malformed UTF-8); `internal_error` for
// the rest, with the driver's words as cause. When the connection breaks during COMMIT the failure is
// `storage_unavailable` too, though the transaction may have happened: whoever repeats it must find that out.
#pragma once

#include "storage/transaction.hpp"
#include "workflows/result.hpp"
#include "workflows/secret.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace sallyport::storage {

using core_executor = boost::asio::io_context::executor_type;
template <class T>
using core_awaitable = boost::asio::awaitable<T, core_executor>;

struct database_options {
    std::string uri;                                    // libpq URI or `keyword=value` string, without a password
    secret password;                                    // empty: libpq's own ways (PGPASSFILE, peer)
    std::string schema = "sallyport";                   // made when it does not exist; `a-z 0-9 _`, beginning with a letter
    std::size_t threads = 4;                            // connections; more than cores help little
    std::size_t waiting = 4096;                         // functions that may wait for a thread; one more fails at once
    std::chrono::milliseconds longest_wait{5000};       // in that queue
    std::chrono::milliseconds statement_timeout{5000};  // the server ends a statement that takes longer
    std::chrono::seconds connect_timeout{5};
    std::chrono::milliseconds deaf_after{12000};  // a server that says nothing for so long is disconnected; above statement_timeout
    /// Cuts open() short: what it waits for then fails.
    std::stop_token given_up;
    /// Told of connections lost and regained, for the operator's log: any thread, must not block. May be empty.
    std::function<void(std::string_view event, std::string_view detail)> on_event;
};

namespace detail {

template <class T>
struct lift {
    using type = result<T>;
};
template <class T>
struct lift<result<T>> {
    using type = result<T>;
};

/// A function that waits for its transaction.
class job {
public:
    virtual ~job() = default;
    /// On a database thread, perhaps more than once; whether to commit.
    virtual bool attempt(transaction&) = 0;
    /// Exactly once, when all is over: `why` is null after the commit, or when the function itself gave a failure.
    virtual void finish(const failure* why) noexcept = 0;
};

}  // namespace detail

/// What `run` gives for a function of that type: a plain `T` becomes a `result<T>`.
template <class F>
using ran = typename detail::lift<std::invoke_result_t<F&, transaction&>>::type;

class database {
public:
    /// Connects, migrates (storage/migrations.hpp), prepares every statement, starts the threads. Blocks, at most
    /// for a minute while another replica migrates.
    static result<std::unique_ptr<database>> open(database_options);

    /// stop(), then joins.
    ~database();
    database(const database&) = delete;
    database& operator=(const database&) = delete;

    /// Whether a thread is connected just now. Any thread.
    bool available() const noexcept;

    /// Whatever it does is over by then: at that moment everything that waits or runs fails as if the connection were
    /// lost, and nothing more is taken. No new connection is tried that could take longer. Any thread.
    void end_by(std::chrono::steady_clock::time_point) noexcept;

    /// What waits fails with `storage_unavailable`, what runs comes to its end. Blocks until the threads are joined,
    /// at most `deaf_after`, or until `end_by`. Every io_context that awaits something here must outlive this call.
    void stop() noexcept;

    /// Blocks the calling thread, which must not be an I/O thread or a database thread.
    template <class F>
    ran<F> run_blocking(F f)
    {
        std::promise<ran<F>> promise;
        auto answer = promise.get_future();
        run_then(std::move(f), [promise = std::move(promise)](ran<F> r) mutable { promise.set_value(std::move(r)); });
        return answer.get();
    }

    /// Resumes on `executor`. Not cancellable: a commit belongs to nobody who might leave.
    template <class F>
    core_awaitable<ran<F>> run(core_executor executor, F f)
    {
        return boost::asio::async_initiate<const boost::asio::use_awaitable_t<core_executor>, void(ran<F>)>(
            [](auto handler, database* self, const core_executor& where, F function) {
                self->run_then(std::move(function), [handler = std::move(handler),
                                                     work = boost::asio::make_work_guard(where)](ran<F> r) mutable {
                    const auto to = work.get_executor();
                    boost::asio::post(to, [handler = std::move(handler), r = std::move(r)]() mutable { std::move(handler)(std::move(r)); });
                });
            },
            boost::asio::use_awaitable_t<core_executor>{}, this, executor, std::move(f));
    }

    /// `done` is called exactly once, on a database thread or, when refused at once, on the calling one. It must not
    /// throw or block.
    template <class F, class Done>
    void run_then(F f, Done done)
    {
        submit(std::make_unique<job_of<F, Done>>(std::move(f), std::move(done)));
    }

    class impl;

private:
    template <class F, class Done>
    class job_of final : public detail::job {
    public:
        job_of(F f, Done done) : function_(std::move(f)), done_(std::move(done)) {}
        bool attempt(transaction& tx) override
        {
            if constexpr (std::is_void_v<std::invoke_result_t<F&, transaction&>>) {
                function_(tx);
                answer_.emplace();
            } else {
                answer_.emplace(function_(tx));
            }
            return answer_->has_value();
        }
        void finish(const failure* why) noexcept override
        {
            if (why)
                done_(ran<F>(*why));
            else
                done_(std::move(*answer_));
        }

    private:
        F function_;
        Done done_;
        std::optional<ran<F>> answer_;
    };

    explicit database(std::unique_ptr<impl>) noexcept;
    void submit(std::unique_ptr<detail::job>);

    std::unique_ptr<impl> impl_;
};

}  // namespace sallyport::storage
