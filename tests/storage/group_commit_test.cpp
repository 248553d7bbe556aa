#include "storage/group_commit.hpp"

#include "storage/sql.hpp"
#include "tests/storage/holds.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <semaphore>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace sallyport::storage {
namespace {

using namespace std::chrono_literals;

const statement test_put_journal{"test_put_journal", "INSERT INTO journals (id, position) VALUES ($1, $2)"};

using ints = group_commit<int, int>;

// Writes each number; 13 cannot be written, 7 is refused by itself.
ints::writer writer(std::atomic<int>& batches, std::function<void()> first = {})
{
    return [&batches, first](transaction& tx, std::span<const int> items) -> result<std::vector<result<int>>> {
        if (batches++ == 0 && first) first();
        std::vector<result<int>> answers;
        for (const int i : items) {
            if (i == 7) {
                answers.emplace_back(fail(problem::conflict, "seven"));
                continue;
            }
            run(tx, test_put_journal, std::to_string(i), i == 13 ? -1 : i);
            answers.emplace_back(i * 10);
        }
        return answers;
    };
}

}  // namespace

TEST_CASE("what gathers while a commit runs is the next one, and each item has its own answer")
{
    fixture f(2);
    std::atomic<int> batches{0};
    std::binary_semaphore begun(0), go_on(0);
    std::vector<std::promise<result<int>>> promises(20);
    {
        ints group(f.db(), writer(batches, [&] { begun.release(), go_on.acquire(); }), {128, 1, 100});
        const auto submit = [&](int i) {
            group.submit_then(i, [&promises, i](result<int> r) { promises[static_cast<std::size_t>(i)].set_value(std::move(r)); });
        };
        submit(0);
        begun.acquire();
        for (int i = 1; i < 12; ++i) submit(i);
        go_on.release();
        for (int i = 0; i < 12; ++i) {
            CAPTURE(i);
            const auto answer = promises[static_cast<std::size_t>(i)].get_future().get();
            if (i == 7) {
                REQUIRE_FALSE(answer.has_value());
                CHECK(answer.error().detail == "seven");
            } else {
                CHECK(answer.value() == i * 10);
            }
        }
    }
    CHECK(batches == 2);
    CHECK(f.ask("SELECT count(*) FROM journals") == "11");
}

TEST_CASE("one that cannot be written fails alone")
{
    fixture f(2);
    std::atomic<int> batches{0};
    std::binary_semaphore begun(0), go_on(0);
    std::vector<std::promise<result<int>>> promises(20);
    ints group(f.db(), writer(batches, [&] { begun.release(), go_on.acquire(); }), {128, 1, 100});
    for (int i = 10; i < 16; ++i) {
        group.submit_then(i, [&promises, i](result<int> r) { promises[static_cast<std::size_t>(i)].set_value(std::move(r)); });
        if (i == 10) begun.acquire();
    }
    go_on.release();
    for (int i = 10; i < 16; ++i) {
        CAPTURE(i);
        CHECK(promises[static_cast<std::size_t>(i)].get_future().get().has_value() == (i != 13));
    }
    CHECK(f.ask("SELECT count(*) FROM journals") == "5");
}

TEST_CASE("more than may wait is refused at once; without a database everything is")
{
    fixture f(1);
    std::atomic<int> batches{0};
    std::binary_semaphore begun(0), go_on(0);
    {
        ints group(f.db(), writer(batches, [&] { begun.release(), go_on.acquire(); }), {128, 1, 2});
        std::atomic<int> good{0};
        const auto count = [&](result<int> r) { good += r ? 1 : 0; };
        group.submit_then(1, count);
        begun.acquire();
        group.submit_then(2, count);
        group.submit_then(3, count);
        std::promise<problem> refused;
        group.submit_then(4, [&](result<int> r) { refused.set_value(r ? problem::internal_error : r.error().what); });
        CHECK(refused.get_future().get() == problem::storage_unavailable);
        go_on.release();
        while (good < 3) std::this_thread::yield();
    }
    f.db().stop();
    ints late(f.db(), writer(batches), {});
    for (int i = 0; i < 1000; ++i) {
        bool told = false;
        late.submit_then(i, [&](result<int> r) { told = !r && r.error().what == problem::storage_unavailable; });
        REQUIRE(told);
    }
}

TEST_CASE("a group is awaited on the core that asked")
{
    fixture f(2);
    std::atomic<int> batches{0};
    ints group(f.db(), writer(batches), {});
    boost::asio::io_context core(1);
    auto ask = [](ints& all, core_executor where, int i) -> core_awaitable<result<int>> { co_return co_await all.submit(where, i); };
    auto one = boost::asio::co_spawn(core, ask(group, core.get_executor(), 1), boost::asio::use_future);
    auto two = boost::asio::co_spawn(core, ask(group, core.get_executor(), 2), boost::asio::use_future);
    core.run();
    CHECK(one.get().value() == 10);
    CHECK(two.get().value() == 20);
}

TEST_CASE_FIXTURE(holds, "holds, one by one and in groups (figures, no judgement)")
{
    const auto t = now();
    constexpr unsigned count = 3000;
    const auto measure = [&](const std::string& name, group_limits limits, unsigned from, unsigned how_many) {
        std::atomic<unsigned> made{0};
        std::promise<void> all;
        const auto begin = std::chrono::steady_clock::now();
        {
            using holds_group = group_commit<new_hold, created>;
            holds_group group(
                db(),
                [](transaction& tx, std::span<const new_hold> items) -> result<std::vector<result<created>>> {
                    auto answers = hold_store::create(tx, items, {1'000'000, 1'000'000});
                    return std::vector<result<created>>(answers.begin(), answers.end());
                },
                limits);
            for (unsigned n = from; n < from + how_many; ++n)
                group.submit_then(make(n, t), [&](result<created> r) {
                    REQUIRE(r.has_value());
                    REQUIRE(r->what == created::kind::created);
                    if (++made == how_many) all.set_value();
                });
            all.get_future().get();
        }
        const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        MESSAGE(name << ": " << static_cast<int>(how_many / took) << " holds a second, " << how_many << " of them");
    };
    measure("one a commit, one at a time", {1, 1, 100'000}, 1, 300);
    measure("groups of up to 32, two at once", {32, 2, 100'000}, 10'000, count);
    measure("groups of up to 128, two at once", {128, 2, 100'000}, 20'000, count);
    CHECK(ask("SELECT count(*) FROM holds") == std::to_string(300 + 2 * count));
}

}  // namespace sallyport::storage
