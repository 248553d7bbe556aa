#include "gateway/http/async.hpp"

#include "tests/gateway/http/loopback.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <stdexcept>

using namespace loopback;

namespace {

steady_time soon(std::chrono::milliseconds after) { return std::chrono::steady_clock::now() + after; }

struct running_core {
    running_core() { one.start(); }
    core one;
};

}  // namespace

TEST_CASE("deadlines are told in their time, in whatever order they are set, moved and cleared")
{
    boost::asio::io_context context(1);
    timers wheel(context);
    struct entry {
        explicit entry(timers& owner)
            : limit(
                  owner, [](void* self) noexcept { ++static_cast<entry*>(self)->told; }, this)
        {
        }
        int told = 0;
        deadline limit;
    };
    const steady_time t0 = std::chrono::steady_clock::now();
    entry a(wheel), b(wheel), c(wheel), d(wheel);
    a.limit.set(t0 + 1s);
    b.limit.set(t0 + 300s);  // beyond the wheel's round
    c.limit.set(t0 + 1s);
    c.limit.set(t0 + 5s);  // later: stays in its bucket until that is swept
    d.limit.set(t0 + 50s);
    d.limit.set(t0 + 2s);  // earlier
    {
        entry gone(wheel);
        gone.limit.set(t0 + 1s);
    }
    wheel.sweep(t0 + 900ms);
    CHECK(a.told == 0);
    wheel.sweep(t0 + 1s + 2 * timers::tick);
    CHECK(a.told == 1);
    CHECK(a.limit.passed());
    CHECK(c.told == 0);
    wheel.sweep(t0 + 2s + 2 * timers::tick);
    CHECK(d.told == 1);
    c.limit.clear();
    wheel.sweep(t0 + 20s);
    CHECK(c.told == 0);
    a.limit.set(t0 + 30s);
    CHECK(!a.limit.passed());
    for (auto at = 21s; at < 299s; at += 7s) wheel.sweep(t0 + at);
    CHECK(a.told == 2);
    CHECK(b.told == 0);
    wheel.sweep(t0 + 301s);
    CHECK(b.told == 1);
}

TEST_CASE("who is told may set, clear and destroy deadlines")
{
    boost::asio::io_context context(1);
    timers wheel(context);
    const steady_time t0 = std::chrono::steady_clock::now();
    struct entry {
        timers& wheel;
        steady_time t0;
        int told = 0;
        std::optional<deadline> self, other;
        void arm()
        {
            const auto tell = [](void* context) noexcept { static_cast<entry*>(context)->act(); };
            self.emplace(wheel, tell, this);
            other.emplace(wheel, tell, this);
            self->set(t0 + 1s);
            other->set(t0 + 1s);
        }
        void act() noexcept
        {
            ++told;
            other.reset();  // a neighbour in the list that is walked
            self->set(t0 + 2s * told + 1s);
        }
    } one{wheel, t0, 0, {}, {}};
    one.arm();
    wheel.sweep(t0 + 2s);
    CHECK(one.told == 1);
    wheel.sweep(t0 + 4s);
    CHECK(one.told == 2);
    wheel.sweep(t0 + 6s);
    CHECK(one.told == 3);
}

TEST_CASE("a signal wakes its waiter, keeps what was fired before, and gives up at its deadline")
{
    const auto script = [](http::core& here, signal& event, std::vector<bool>& seen) -> awaitable<void> {
        event.fire();
        seen.push_back(co_await event.wait(here.timers(), soon(10s)));  // fired before
        CHECK(!event.fired());
        here.post([&event] { event.fire(); });
        seen.push_back(co_await event.wait(here.timers(), soon(10s)));   // fired while it waits
        seen.push_back(co_await event.wait(here.timers(), soon(20ms)));  // never
        here.post([&event] {
            event.fire();
            event.fire();
        });
        seen.push_back(co_await event.wait(here.timers(), soon(10s)));  // twice is once
        CHECK(!event.fired());
    };
    running_core core;
    signal once;
    std::vector<bool> answers;
    on(core.one, script(core.one, once, answers));
    CHECK(answers == std::vector<bool>{true, true, false, true});
}

TEST_CASE("a group counts, joins, cancels and tells what its children threw")
{
    const auto script = [](http::core& here, std::vector<std::string>& errors) -> awaitable<void> {
        task_group group(here.get_executor(), [&errors](std::string_view what) { errors.emplace_back(what); });
        co_await group.join();  // nothing runs: at once
        signal go;
        int finished = 0;
        const auto child = [](http::core& where, signal& event, int& count) -> awaitable<void> {
            co_await event.wait(where.timers(), soon(10s));
            ++count;
        };
        const auto thrower = []() -> awaitable<void> {
            throw std::runtime_error("bang");
            co_return;
        };
        group.spawn(child(here, go, finished));
        group.spawn(thrower());
        CHECK(group.running() == 2);
        CHECK(finished == 0);
        go.fire();
        co_await group.join();
        CHECK(group.running() == 0);
        CHECK(finished == 1);

        signal never;
        const auto stubborn = [](http::core& where, signal& event, int& count) -> awaitable<void> {
            co_await event.wait(where.timers(), soon(10s));
            co_await event.wait(where.timers(), soon(10s));  // cancelled: throws here
            ++count;
        };
        group.spawn(stubborn(here, never, finished));
        here.post([&group] { group.cancel(); });
        co_await group.join();
        CHECK(finished == 1);
    };
    running_core core;
    std::vector<std::string> told;
    on(core.one, script(core.one, told));
    CHECK(told == std::vector<std::string>{"bang"});
}

TEST_CASE("a core runs what is posted from elsewhere, on its own thread, and survives what that throws")
{
    std::promise<std::string> told;
    core one;
    CHECK(one.is_here());
    one.start([&told](std::string_view line) { told.set_value(std::string(line)); });
    std::promise<bool> here;
    one.post([] { throw std::runtime_error("thrown into the loop"); });
    one.post([&] { here.set_value(one.is_here()); });
    auto answer = here.get_future();
    REQUIRE(answer.wait_for(patience) == std::future_status::ready);
    CHECK(answer.get());
    CHECK(!one.is_here());
    CHECK(told.get_future().get() == "thrown into the loop");
    const std::string date(one.date());
    CHECK(date.size() == 29);
    CHECK(date.ends_with(" GMT"));
}
