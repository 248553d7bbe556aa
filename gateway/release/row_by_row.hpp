// Batches of holds in one transaction, as long as that goes well. Where one row cannot be dealt with, each gets a
// transaction of its own, and the bad one is set aside: it must not hold up time, release or record of all others.
#pragma once

#include "gateway/http/async.hpp"
#include "storage/database.hpp"
#include "storage/hold_store.hpp"
#include "workflows/ids.hpp"
#include "workflows/result.hpp"

#include <chrono>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::release {

/// Holds that could not be dealt with, left alone for a while. One thread at a time.
class set_aside {
public:
    using clock = std::chrono::steady_clock;
    static constexpr auto for_so_long = std::chrono::minutes(1);

    /// `doing`: the event of the operator's log, where it is an error.
    explicit set_aside(std::string_view doing) : doing_(doing) {}

    void add(hold_id, const failure&, clock::time_point now = clock::now());
    /// Those whose time is not yet over.
    std::vector<hold_id> ids(clock::time_point now = clock::now());

private:
    std::string_view doing_;
    std::map<hold_id, clock::time_point> until_;
};

/// Of the row and not of the database, or of a race: to try again does not help.
bool is_of_the_row(const failure&) noexcept;

/// Takes the rows picked, saying in `wanted` which, and gives what became of each. As for `database::run` it may run again.
template <class T>
using row_work =
    std::function<result<std::vector<T>>(storage::transaction&, const storage::hold_store::pick&, std::vector<hold_id>& wanted)>;

namespace detail {

template <class T>
struct row_batch {
    row_work<T> work;
    std::vector<hold_id> except, wanted;

    result<std::vector<T>> all(storage::transaction& tx, std::size_t limit)
    {
        wanted.clear();
        return work(tx, {limit, except}, wanted);
    }
    result<std::vector<T>> one(storage::transaction& tx, hold_id id) const
    {
        std::vector<hold_id> known;
        return work(tx, {1, {}, id}, known);
    }
};

/// False: the database is away, and the rest is for the next time.
template <class T>
bool take_one(result<std::vector<T>>& one, hold_id id, set_aside& bad, std::vector<T>& done)
{
    if (one)
        std::move(one->begin(), one->end(), std::back_inserter(done));
    else if (is_of_the_row(one.error()))
        bad.add(id, one.error());
    else
        return false;
    return true;
}

}  // namespace detail

/// Not on a core. What was done is given, also where the database went away in the middle of it.
template <class T>
result<std::vector<T>> run_rows(storage::database& db, set_aside& bad, std::size_t limit, row_work<T> work)
{
    detail::row_batch<T> batch{std::move(work), bad.ids(), {}};
    auto all = db.run_blocking([&](storage::transaction& tx) { return batch.all(tx, limit); });
    if (all || batch.wanted.empty() || !is_of_the_row(all.error())) return all;
    std::vector<T> done;
    for (const hold_id id : batch.wanted) {
        auto one = db.run_blocking([&](storage::transaction& tx) { return batch.one(tx, id); });
        if (!detail::take_one(one, id, bad, done)) break;
    }
    return done;
}

/// The same on a core. `db` and `bad` outlive the call.
template <class T>
http::awaitable<result<std::vector<T>>> run_rows(http::executor here, storage::database& db, set_aside& bad, std::size_t limit,
                                                 row_work<T> work)
{
    // Shared with the database's threads: this coroutine may be cancelled first.
    const auto batch = std::make_shared<detail::row_batch<T>>(detail::row_batch<T>{std::move(work), bad.ids(), {}});
    auto together = [batch, limit](storage::transaction& tx) { return batch->all(tx, limit); };
    auto all = co_await db.run(here, std::move(together));
    if (all || batch->wanted.empty() || !is_of_the_row(all.error())) co_return all;
    std::vector<T> done;
    for (const hold_id id : batch->wanted) {
        auto alone = [batch, id](storage::transaction& tx) { return batch->one(tx, id); };
        auto one = co_await db.run(here, std::move(alone));
        if (!detail::take_one(one, id, bad, done)) break;
    }
    co_return done;
}

}  // namespace sallyport::release
