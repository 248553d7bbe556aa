#include "storage/database.hpp"

#include "storage/connection.hpp"
#include "storage/migrations.hpp"
#include "storage/sql.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <thread>
#include <utility>
#include <vector>

namespace sallyport::storage {
namespace {

using steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto watch_every = 250ms;
constexpr auto longest_back_off = std::chrono::milliseconds(2000);
constexpr int most_attempts = 5;
constexpr std::size_t longest_notification = 7900;  // PostgreSQL's payloads end below 8000 bytes

constexpr std::string_view unreachable = "The database cannot be reached.";

const statement tell_listeners{"tell_listeners", "SELECT pg_notify($1, $2)"};

failure unavailable(std::string cause) { return fail(problem::storage_unavailable, std::string(unreachable), std::move(cause)); }

// What an attempt came to.
struct attempt_end {
    enum class kind { done, again, lost, failed } what = kind::done;
    failure why{};
    bool drop = false;  // the connection is of no more use
};

attempt_end failed(problem what, std::string detail, std::string cause, bool drop = false)
{
    return {attempt_end::kind::failed, fail(what, std::move(detail), std::move(cause)), drop};
}

attempt_end of_sql_error(const pqxx::sql_error& e, bool committing)
{
    const std::string& state = e.sqlstate();
    auto cause = state + ": " + words_of(e);
    const auto of_class = [&](std::string_view prefix) { return state.starts_with(prefix); };
    if (of_class("40")) return {attempt_end::kind::again, unavailable(std::move(cause))};
    // The server ends this session (57P01: shutdown, 57P02: crash of another, 57P03: starting); 08: of the connection. Without
    // a state it was libpq that spoke: the server went without a word.
    if (state.empty() || of_class("57P") || of_class("08")) {
        if (committing) return failed(problem::storage_unavailable, std::string(unreachable), "the commit is in doubt: " + cause, true);
        return {attempt_end::kind::lost, unavailable(std::move(cause)), true};
    }
    // A standby took over, or this one became one.
    if (state == "25006") return failed(problem::storage_unavailable, std::string(unreachable), std::move(cause), true);
    // Statement or lock timeout; out of disk, memory, connections.
    if (state == "57014" || state == "55P03" || of_class("53"))
        return failed(problem::storage_unavailable, "The database did not answer in time.", std::move(cause));
    if (state == "22021" || state == "22P05") return failed(problem::invalid_input, "A text is not valid UTF-8.", std::move(cause));
    return failed(problem::internal_error, "The gateway failed.", std::move(cause));
}

// Words of one channel together, as few notifications as their size allows: a commit with any takes a lock that is one
// for the whole database.
void send_notifications(transaction& tx)
{
    for (const auto& [channel, words] : tx.state().told) {
        std::string payload;
        for (const auto& word : words) {
            if (!payload.empty() && payload.size() + 1 + word.size() > longest_notification) {
                run(tx, tell_listeners, channel, payload);
                payload.clear();
            }
            if (!payload.empty()) payload += ' ';
            payload += word;
        }
        if (!payload.empty()) run(tx, tell_listeners, channel, payload);
    }
}

}  // namespace

class database::impl {
public:
    explicit impl(database_options options)
        : options_(std::move(options)),
          connection_string_(storage::connection_string(options_.uri, options_.password, options_.connect_timeout)),
          workers_(std::max<std::size_t>(options_.threads, 1))
    {
    }
    ~impl() { stop(); }

    result<void> start()
    {
        const auto migrated = migrate(connection_string_, options_.schema, migrations(), options_.given_up);
        if (!migrated) return migrated.error();
        if (*migrated > 0) event("schema migrated", std::to_string(*migrated));
        // One here, so that a statement that does not fit the schema stops the start.
        if (auto failure = open(workers_.front())) return std::move(*failure);
        for (auto& w : workers_) w.thread = std::thread([this, &w] { work(w); });
        watchdog_ = std::thread([this] { watch(); });
        return {};
    }

    bool available() const noexcept { return connected_.load(std::memory_order_acquire) > 0; }

    void submit(std::unique_ptr<detail::job> job)
    {
        std::string_view refused;
        {
            const std::lock_guard lock(mutex_);
            if (stopping_ || over_)
                refused = "stopping";
            else if (unreachable_)
                refused = "not connected";
            else if (queue_.size() >= options_.waiting)
                refused = "the queue is full";
            else
                queue_.push_back({std::move(job), steady::now() + options_.longest_wait});
        }
        if (!job) {
            wake_.notify_one();
            return;
        }
        const auto why = unavailable(std::string(refused));
        job->finish(&why);  // NOLINT(bugprone-use-after-move): it was moved only into the queue
    }

    void end_by(steady::time_point when) noexcept
    {
        const std::lock_guard lock(mutex_);
        ends_at_ = when;
        watch_wake_.notify_all();
    }

    void stop() noexcept
    {
        {
            const std::lock_guard lock(mutex_);
            if (stopping_) return;
            stopping_ = true;
        }
        wake_.notify_all();
        stopped_.notify_all();
        for (auto& w : workers_)
            if (w.thread.joinable()) w.thread.join();
        {
            const std::lock_guard lock(mutex_);
            joined_ = true;
            connected_ = 0;
        }
        watch_wake_.notify_all();
        if (watchdog_.joinable()) watchdog_.join();
        refuse_queue("stopping");
    }

private:
    struct waiting {
        std::unique_ptr<detail::job> job;
        steady::time_point until;
    };
    struct worker {
        std::thread thread;
        std::unique_ptr<pqxx::connection> connection;  // its thread's
        std::atomic<std::int64_t> heard{0};
        bool lost = false;                 // its thread's: what was told to be lost is told to be back
        std::atomic<bool> suspect{false};  // the watchdog saw the connection end while it was idle
        std::mutex socket_mutex;           // over what follows: the watchdog must not shut down a socket of somebody else
        int socket = -1;
        bool busy = false;
    };

    void event(std::string_view what, std::string_view detail) const
    {
        if (options_.on_event) options_.on_event(what, detail);
    }

    // None, or why not.
    std::optional<failure> open(worker& w)
    {
        try {
            auto connection = connect(connection_string_);
            set_socket(w, connection->sock(), true);
            const std::stop_callback cut(options_.given_up, [socket = connection->sock()] { ::shutdown(socket, SHUT_RDWR); });
            prepare(*connection);
            w.connection = std::move(connection);
            set_socket(w, w.connection->sock(), false);
            w.suspect = false;
            {
                const std::lock_guard lock(mutex_);
                connected_.fetch_add(1, std::memory_order_release);
                unreachable_ = false;
            }
            if (std::exchange(w.lost, false)) event("database connected", "");
            return std::nullopt;
        } catch (const pqxx::broken_connection& e) {
            set_socket(w, -1, false);
            return unavailable(words_of(e));
        } catch (const pqxx::sql_error& e) {
            set_socket(w, -1, false);
            const auto end = of_sql_error(e, false);
            // A statement that does not fit the schema names itself in the query: [PREPARE name].
            return fail(end.why.what, end.why.detail, e.query() + ' ' + end.why.cause);
        } catch (const std::exception& e) {
            set_socket(w, -1, false);
            return unavailable(words_of(e));
        }
    }

    void prepare(pqxx::connection& connection) const
    {
        {
            pqxx::nontransaction settings(connection);
            settings.exec("SET search_path = " + options_.schema +
                          "; SET statement_timeout = " + std::to_string(options_.statement_timeout.count()) +
                          // A replica that stands still does not hold its locks for ever.
                          "; SET idle_in_transaction_session_timeout = " + std::to_string(2 * options_.statement_timeout.count()) +
                          "; SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET bytea_output = 'hex'; SET client_min_messages = warning"
                          "; SET default_transaction_isolation = 'read committed'; SET standard_conforming_strings = on");
        }
        for (const statement* s = statement::first(); s; s = s->next()) {
            connection.prepare(s->name(), s->text());
            connection.prepare_now(s->name());
        }
    }

    void set_socket(worker& w, int socket, bool busy)
    {
        const std::lock_guard lock(w.socket_mutex);
        w.socket = socket;
        w.busy = busy;
        w.heard = steady::now().time_since_epoch().count();
    }

    void drop(worker& w, std::string_view why)
    {
        if (!w.connection) return;
        set_socket(w, -1, false);
        w.connection.reset();
        connected_.fetch_sub(1, std::memory_order_acq_rel);
        w.lost = true;
        event("database connection lost", why);
    }

    // What waits may go on waiting while the last connection was lost and its successor is being made; no longer than that.
    void refuse_if_unreachable()
    {
        {
            const std::lock_guard lock(mutex_);
            if (connected_.load(std::memory_order_relaxed) > 0) return;
            unreachable_ = true;
        }
        refuse_queue("not connected");
    }

    void refuse_queue(std::string_view why) noexcept
    {
        std::deque<waiting> refused;
        {
            const std::lock_guard lock(mutex_);
            refused.swap(queue_);
        }
        const auto failure = unavailable(std::string(why));
        for (auto& r : refused) r.job->finish(&failure);
    }

    void work(worker& w)
    {
        ::pthread_setname_np(::pthread_self(), "database");
        auto back_off = 0ms;
        for (;;) {
            if (!w.connection && !reconnect(w, back_off)) {
                if (stopped()) return;
                continue;
            }
            waiting next;
            {
                std::unique_lock lock(mutex_);
                wake_.wait(lock, [&] { return stopping_ || w.suspect || !queue_.empty(); });
                if (stopping_) break;
                if (!queue_.empty()) {
                    next = std::move(queue_.front());
                    queue_.pop_front();
                }
            }
            if (next.job)
                perform(w, next);
            else
                drop(w, "closed by the server");
        }
        set_socket(w, -1, false);
        w.connection.reset();
    }

    bool stopped()
    {
        const std::lock_guard lock(mutex_);
        return stopping_;
    }

    // Whether an attempt that begins now is over before end_by().
    bool in_time_to_connect()
    {
        const std::lock_guard lock(mutex_);
        return ends_at_ - steady::now() > options_.connect_timeout;
    }

    // False when it was cut short by stop().
    bool pause(std::chrono::milliseconds how_long)
    {
        std::unique_lock lock(mutex_);
        return !stopped_.wait_for(lock, how_long, [&] { return stopping_; });
    }

    // After a pause that doubles with each failure.
    bool reconnect(worker& w, std::chrono::milliseconds& back_off)
    {
        if (!pause(back_off)) return false;
        if (!in_time_to_connect()) {
            refuse_if_unreachable();
            back_off = longest_back_off;
            return false;
        }
        if (const auto failure = open(w)) {
            refuse_if_unreachable();
            if (back_off == 0ms) event("database cannot be reached", failure->cause);
            w.lost = true;
            back_off = std::min(back_off == 0ms ? 50ms : back_off * 2, longest_back_off);
            return false;
        }
        back_off = 0ms;
        return true;
    }

    void perform(worker& w, waiting& next)
    {
        detail::job& job = *next.job;
        if (steady::now() > next.until) {
            const auto why = fail(problem::storage_unavailable, "The database did not answer in time.", "waited too long for a connection");
            job.finish(&why);
            return;
        }
        bool reconnected = false;
        for (int attempt = 1;; ++attempt) {
            set_socket(w, w.connection->sock(), true);
            const auto end = try_once(w, job);
            set_socket(w, w.connection->sock(), false);
            if (end.drop || !w.connection->is_open()) drop(w, end.why.cause);
            switch (end.what) {
            case attempt_end::kind::done: job.finish(nullptr); return;
            case attempt_end::kind::failed: job.finish(&end.why); return;
            case attempt_end::kind::again:
                // Not at once: whoever waited for our locks has to get them before we ask for them again.
                if (attempt < most_attempts && w.connection && pause(5ms * attempt * attempt)) continue;
                break;
            case attempt_end::kind::lost:
                // Nothing was committed, so that it may be tried again; once, if there is a server at all.
                if (w.connection) drop(w, end.why.cause);
                if (!reconnected && !stopped() && in_time_to_connect()) {
                    reconnected = !open(w);
                    if (reconnected) continue;
                    refuse_if_unreachable();
                }
                break;
            }
            job.finish(&end.why);
            return;
        }
    }

    attempt_end try_once(worker& w, detail::job& job)
    {
        bool committing = false;
        try {
            pqxx::work work(*w.connection);
            transaction_state state{work, w.heard};
            transaction tx(state);
            detail::heard(state);
            if (!job.attempt(tx)) {
                work.abort();
                return {};
            }
            if (state.failed) {
                work.abort();
                return failed(problem::internal_error, "The gateway failed.", "a failed statement was passed over: nothing is committed");
            }
            send_notifications(tx);
            committing = true;
            work.commit();
            return {};
        } catch (const pqxx::in_doubt_error& e) {
            return failed(problem::storage_unavailable, std::string(unreachable), "the commit is in doubt: " + words_of(e), true);
        } catch (const pqxx::statement_completion_unknown& e) {
            return failed(problem::storage_unavailable, std::string(unreachable), "the commit is in doubt: " + words_of(e), true);
        } catch (const pqxx::transaction_rollback& e) {
            return {attempt_end::kind::again, unavailable(words_of(e))};
        } catch (const pqxx::broken_connection& e) {
            // libpqxx throws it from commit() only when the connection was broken before.
            return {attempt_end::kind::lost, unavailable(words_of(e)), true};
        } catch (const pqxx::sql_error& e) {
            return of_sql_error(e, committing);
        } catch (const bad_text& e) {
            return failed(problem::invalid_input, "A text holds a NUL.", e.what());
        } catch (const std::exception& e) {
            if (!w.connection->is_open() && !committing) return {attempt_end::kind::lost, unavailable(words_of(e)), true};
            return failed(problem::internal_error, "The gateway failed.", words_of(e));
        } catch (...) {
            return failed(problem::internal_error, "The gateway failed.", "something that is no exception was thrown");
        }
    }

    // Sees idle connections end, so that available() is true only of a server that is there; and ends those whose
    // server has fallen silent, so that every wait ends.
    void watch()
    {
        std::unique_lock lock(mutex_);
        for (;;) {
            const auto next = std::min(steady::now() + watch_every, ends_at_ > steady::now() ? ends_at_ : steady::time_point::max());
            if (!joined_) watch_wake_.wait_until(lock, next);
            if (joined_) return;
            const auto now = steady::now();
            const bool over = now >= ends_at_;
            over_ = over;
            lock.unlock();
            if (over) refuse_queue("stopping");
            bool suspects = false;
            for (auto& w : workers_) {
                const std::lock_guard socket_lock(w.socket_mutex);
                if (w.socket < 0) continue;
                if (w.busy) {
                    const bool deaf = now.time_since_epoch() - steady::duration(w.heard.load()) > options_.deaf_after;
                    if (over || deaf) ::shutdown(w.socket, SHUT_RDWR);
                } else if (!w.suspect) {
                    pollfd p{w.socket, POLLRDHUP, 0};
                    if (::poll(&p, 1, 0) > 0) suspects = w.suspect = true;
                }
            }
            lock.lock();
            if (suspects) wake_.notify_all();
        }
    }

    const database_options options_;
    const secret connection_string_;
    std::atomic<int> connected_{0};
    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable stopped_;
    std::condition_variable watch_wake_;
    std::deque<waiting> queue_;
    bool unreachable_ = false;  // none is connected, and the last attempt at it failed
    bool stopping_ = false;
    bool joined_ = false;  // the workers
    bool over_ = false;    // ends_at_ has passed
    steady::time_point ends_at_ = steady::time_point::max();
    std::deque<worker> workers_;
    std::thread watchdog_;
};

result<std::unique_ptr<database>> database::open(database_options options)
{
    if (!valid_schema(options.schema)) return fail(problem::invalid_input, "The schema's name must be of a-z, 0-9 and _.");
    auto inner = std::make_unique<impl>(std::move(options));
    if (const auto started = inner->start(); !started) return started.error();
    return std::unique_ptr<database>(new database(std::move(inner)));
}

database::database(std::unique_ptr<impl> inner) noexcept : impl_(std::move(inner)) {}
database::~database() { stop(); }
bool database::available() const noexcept { return impl_->available(); }
void database::end_by(std::chrono::steady_clock::time_point when) noexcept { impl_->end_by(when); }
void database::stop() noexcept { impl_->stop(); }
void database::submit(std::unique_ptr<detail::job> job) { impl_->submit(std::move(job)); }

}  // namespace sallyport::storage
