#include "gateway/release/handover.hpp"

#include "tests/gateway/http/loopback.hpp"
#include "tests/workflows/cast.hpp"

#include <atomic>

using namespace sallyport::release;
using namespace loopback;
using sallyport::cast::id_of;

namespace {

const auto the_hold = id_of<hold_id>(1);
const auto the_action = id_of<action_id>(2);

// Agents that wait for the hold on one core, and a sender on another.
struct house {
    handovers all;
    http::core sender;
    std::atomic<int> waiting{0};
    std::atomic<bool> give_up{false};
    running agents{[this](http::exchange& x) { return wait(x); }};

    house() { sender.start(); }
    ~house()
    {
        agents.stop(0s);
        sender.stop();
    }

    http::awaitable<void> wait(http::exchange& x)
    {
        http::signal told;
        waiting_agent here(all, the_hold, x.core(), told);
        x.release_buffers();
        ++waiting;
        while (!here.offered()) {
            if (co_await x.wait(told, std::chrono::steady_clock::now() + 50ms) == woke::gone) co_return;
            if (give_up) {
                co_await x.respond(202, {}, "later");
                co_return;
            }
        }
        co_await here.pass_on(x);
    }
    client agent(int nth = 1)
    {
        client c(agents.port());
        REQUIRE(c.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
        while (waiting < nth) {}
        return c;
    }
    void send(std::function<http::awaitable<void>(long_answer&)> what)
    {
        const auto run = [&]() -> http::awaitable<void> {
            long_answer to(all, the_hold, the_action, sender);
            co_await what(to);
        };
        on(sender, run());
    }
};

const std::vector<std::pair<std::string, std::string>> text{{"content-type", "text/plain"}};

}  // namespace

TEST_CASE("an answer goes to who waits, on another core, as it comes")
{
    house h;
    client c = h.agent();
    const std::string piece(1 << 20, 'x');
    h.send([&](long_answer& to) -> http::awaitable<void> {
        bool took = co_await to.begin(200, text, piece.size() * 3);
        CHECK(took);
        // More than any socket buffers: each write ends once the agent takes it.
        std::thread reader([&] {
            const auto head = c.until("\r\n\r\n");
            CHECK(begins(head, "HTTP/1.1 200 OK\r\n"));
            CHECK(has(head, "content-type: text/plain\r\n"));
            CHECK(has(head, "Content-Length: 3145728\r\n"));
            CHECK(has(head, "Sallyport-Action: " + the_action.text()));
            CHECK(has(head, "Sallyport-Hold: " + the_hold.text()));
            CHECK(c.exactly(piece.size() * 3).size() == piece.size() * 3);
        });
        for (int i = 0; i < 3; ++i) {
            took = co_await to.write(piece);
            CHECK(took);
        }
        co_await to.end(true);
        reader.join();
    });
}

TEST_CASE("nobody waits")
{
    house h;
    h.send([](long_answer& to) -> http::awaitable<void> {
        const bool took = co_await to.begin(200, text, std::nullopt);
        CHECK_FALSE(took);
    });
}

TEST_CASE("an answer that is cut off does not look whole")
{
    for (const bool cancelled : {false, true}) {
        CAPTURE(cancelled);
        house h;
        client c = h.agent();
        h.send([&](long_answer& to) -> http::awaitable<void> {
            bool took = co_await to.begin(200, text, std::nullopt);
            CHECK(took);
            took = co_await to.write("half");
            CHECK(took);
            if (!cancelled) co_await to.end(false);
        });
        const auto all = c.rest();
        CHECK(has(all, "4\r\nhalf\r\n"));
        CHECK_FALSE(has(all, "0\r\n\r\n"));
    }
}

TEST_CASE("an agent that leaves takes nothing more, and the sender learns it")
{
    house h;
    client c = h.agent();
    h.send([&](long_answer& to) -> http::awaitable<void> {
        bool took = co_await to.begin(200, text, std::nullopt);
        CHECK(took);
        took = co_await to.write("half");
        CHECK(took);
        c.until("half");
        c.reset();
        // One may still go into the socket.
        const std::string more(1 << 16, 'x');
        for (int i = 0; took && i < 1000; ++i) took = co_await to.write(more);
        CHECK_FALSE(took);
        took = co_await to.begin(200, text, std::nullopt);
        CHECK_FALSE(took);
    });
}

TEST_CASE("whoever waits no longer declines, and the next one is asked")
{
    house h;
    client first = h.agent(1), second = h.agent(2);
    first.close();
    h.send([&](long_answer& to) -> http::awaitable<void> {
        bool took = co_await to.begin(201, text, 2);
        CHECK(took);
        took = co_await to.write("ok");
        if (!took) {
            // The first took it before it was seen to be gone.
            took = co_await to.begin(201, text, 2);
            CHECK(took);
            took = co_await to.write("ok");
            CHECK(took);
        }
        co_await to.end(true);
    });
    CHECK(has(second.response(), "\r\n\r\nok"));
}
