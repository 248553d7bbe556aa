// Many small writes as few transactions: what has gathered while the last commit ran is the next one. Alone a write is
// as quick as without it; under load it is several times the rate (PostgreSQL pays for the commit, not for the row).
//
// Every item gets its own answer. When a batch fails for a reason of its own (one bad item), its items are tried again
// one by one, so that a bad item fails alone.
#pragma once

#include "storage/database.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <iterator>
#include <mutex>
#include <span>
#include <vector>

namespace sallyport::storage {

struct group_limits {
    std::size_t batch = 128;     // items in a transaction
    std::size_t at_once = 2;     // transactions that run side by side
    std::size_t waiting = 8192;  // items that wait; one more fails at once with storage_unavailable
};

template <class Item, class Answer>
class group_commit {
public:
    /// Writes all the items in the transaction given and answers each, in their order; as for `database::run` it may
    /// run again. A failure of the whole means that nothing of the batch happened.
    using writer = std::function<result<std::vector<result<Answer>>>(transaction&, std::span<const Item>)>;

    group_commit(database& db, writer write, group_limits limits = {}) : db_(db), write_(std::move(write)), limits_(limits) {}

    /// Waits for what runs; nothing may be submitted any more. The database outlives this.
    ~group_commit()
    {
        std::unique_lock lock(mutex_);
        idle_.wait(lock, [this] { return running_ == 0; });
    }
    group_commit(const group_commit&) = delete;
    group_commit& operator=(const group_commit&) = delete;

    /// Any thread. `done` is called once, on a database thread (or this one, when refused at once); it must not throw.
    template <class Done>
    void submit_then(Item item, Done done)
    {
        auto told = std::make_unique<callback_of<Done>>(std::move(done));
        {
            const std::lock_guard lock(mutex_);
            if (waiting_.size() < limits_.waiting) {
                waiting_.push_back(entry{std::move(item), std::move(told)});
                if (running_ >= limits_.at_once) return;
                ++running_;
            }
        }
        if (told)
            // NOLINTNEXTLINE(bugprone-use-after-move): it was moved only into the queue
            (*told)(fail(problem::storage_unavailable, "Too much waits for the database.", "group commit: the queue is full"));
        else
            next();
    }

    /// Resumes on `executor`.
    core_awaitable<result<Answer>> submit(core_executor executor, Item item)
    {
        return boost::asio::async_initiate<const boost::asio::use_awaitable_t<core_executor>, void(result<Answer>)>(
            [](auto handler, group_commit* self, const core_executor& where, Item i) {
                self->submit_then(std::move(i), [handler = std::move(handler),
                                                 work = boost::asio::make_work_guard(where)](result<Answer> r) mutable {
                    const auto to = work.get_executor();
                    boost::asio::post(to, [handler = std::move(handler), r = std::move(r)]() mutable { std::move(handler)(std::move(r)); });
                });
            },
            boost::asio::use_awaitable_t<core_executor>{}, this, executor, std::move(item));
    }

private:
    struct callback {
        virtual ~callback() = default;
        virtual void operator()(result<Answer>) noexcept = 0;
    };
    template <class Done>
    struct callback_of final : callback {
        explicit callback_of(Done d) : done(std::move(d)) {}
        void operator()(result<Answer> r) noexcept override { done(std::move(r)); }
        Done done;
    };
    struct entry {
        Item item;
        std::unique_ptr<callback> done;
    };
    struct batch {
        std::vector<Item> items;
        std::vector<std::unique_ptr<callback>> done;
    };

    // Runs in one of the `running_` places: takes what has gathered, or gives the place back.
    void next()
    {
        auto taken = std::make_shared<batch>();
        {
            const std::lock_guard lock(mutex_);
            const auto count = std::min(limits_.batch, waiting_.size());
            taken->items.reserve(count);
            for (std::size_t i = 0; i < count; ++i) {
                taken->items.push_back(std::move(waiting_.front().item));
                taken->done.push_back(std::move(waiting_.front().done));
                waiting_.pop_front();
            }
            if (count == 0) {
                --running_;
                idle_.notify_all();  // under the lock: the destructor may end us right after it
                return;
            }
        }
        db_.run_then([this, taken](transaction& tx) { return write_(tx, taken->items); },
                     [this, taken](result<std::vector<result<Answer>>> answers) { finished(taken, std::move(answers)); });
    }

    void finished(const std::shared_ptr<batch>& taken, result<std::vector<result<Answer>>> answers)
    {
        const auto count = taken->items.size();
        if (answers && answers->size() != count)
            answers = fail(problem::internal_error, "The gateway failed.", "group commit: not one answer for each item");
        if (answers) {
            for (std::size_t i = 0; i < count; ++i) (*taken->done[i])(std::move((*answers)[i]));
        } else if (count > 1 && answers.error().what != problem::storage_unavailable) {
            one_by_one(taken, 0);
            return;
        } else {
            for (auto& done : taken->done) (*done)(answers.error());
        }
        next();
    }

    void one_by_one(const std::shared_ptr<batch>& taken, std::size_t at)
    {
        if (at == taken->items.size()) {
            next();
            return;
        }
        db_.run_then([this, taken, at](transaction& tx) { return write_(tx, std::span<const Item>(taken->items).subspan(at, 1)); },
                     [this, taken, at](result<std::vector<result<Answer>>> answers) {
                         auto& done = *taken->done[at];
                         if (!answers)
                             done(answers.error());
                         else if (answers->size() != 1)
                             done(fail(problem::internal_error, "The gateway failed.", "group commit: not one answer for one item"));
                         else
                             done(std::move(answers->front()));
                         one_by_one(taken, at + 1);
                     });
    }

    database& db_;
    const writer write_;
    const group_limits limits_;
    std::mutex mutex_;  // over what follows
    std::condition_variable idle_;
    std::deque<entry> waiting_;
    std::size_t running_ = 0;
};

}  // namespace sallyport::storage
