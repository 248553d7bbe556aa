#include "gateway/forward/pool.hpp"

#include "tests/gateway/forward/stand_in.hpp"

#include <string>

using namespace stand_in;
using loopback::begins;
using loopback::has;
using sallyport::problem;

namespace {

std::string get(std::string_view target) { return "GET " + std::string(target) + " HTTP/1.1\r\nHost: gate\r\n\r\n"; }

}  // namespace

TEST_CASE("a connection serves many calls, from many agents")
{
    upstream there([](peer& p, int) { echo_targets(p); });
    proxy gate(route_to(there.port()));
    for (int agents = 0; agents < 3; ++agents) {
        loopback::client agent(gate.port());
        for (int i = 0; i < 20; ++i) {
            agent.send(get("/" + std::to_string(i)));
            CHECK(agent.response().ends_with("/" + std::to_string(i)));
        }
    }
    CHECK(there.connections() == 1);
    const auto counts = gate.counts();
    CHECK(counts.opened == 1);
    CHECK(counts.reused == 59);
    CHECK(counts.idle == 1);
}

TEST_CASE("calls at once have a connection each, and no more than the limit is kept")
{
    std::promise<void> all_here;
    std::atomic<int> here{0};
    auto open = all_here.get_future().share();
    upstream there([&](peer& p, int) {
        p.head();
        if (++here == 5) all_here.set_value();
        open.wait_for(loopback::patience);
        p.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        p.rest();
    });
    forward::pool_options options;
    options.idle_per_upstream = 2;
    proxy gate(route_to(there.port()), options);
    std::vector<std::unique_ptr<loopback::client>> agents;
    for (int i = 0; i < 5; ++i) {
        agents.push_back(std::make_unique<loopback::client>(gate.port()));
        agents.back()->send(get("/x"));
    }
    for (const auto& agent : agents) CHECK(begins(agent->response(), "HTTP/1.1 200 "));
    CHECK(there.connections() == 5);
    CHECK(gate.counts().idle == 2);
    CHECK(gate.counts().leased == 0);
}

TEST_CASE("what is unfit is found before it is used")
{
    struct row {
        const char* name;
        std::string behind;
        bool closes;
    };
    const row rows[] = {
        {"closed while idle", "", true},
        {"bytes that nobody asked for", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged", false},
        {"a time-out told before closing", "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", true},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        std::promise<void> go_on, gone;
        upstream there([&](peer& p, int nth) {
            p.head();
            p.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ncall");
            if (nth > 0) return;
            go_on.get_future().wait_for(loopback::patience);
            p.send(r.behind);
            if (r.closes) p.close();
            gone.set_value();
            p.rest();
        });
        proxy gate(route_to(there.port()));
        loopback::client agent(gate.port());
        agent.send(get("/1"));
        CHECK(agent.response().ends_with("call"));
        CHECK(gate.counts().idle == 1);
        go_on.set_value();
        REQUIRE(gone.get_future().wait_for(loopback::patience) == std::future_status::ready);
        agent.send(get("/2"));
        CHECK(agent.response().ends_with("call"));
        CHECK(there.connections() == 2);
        CHECK(gate.counts().discarded == 1);
    }
}

TEST_CASE("a kept connection that dies with the request on it is not asked again")
{
    // The upstream takes the second request and closes: it may have done what was asked.
    std::atomic<int> requests{0};
    upstream there([&](peer& p, int) {
        while (!p.head().empty()) {
            if (++requests == 2) return;
            p.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
    });
    proxy gate(route_to(there.port()));
    loopback::client agent(gate.port());
    agent.send(get("/1"));
    CHECK(begins(agent.response(), "HTTP/1.1 200 "));
    agent.send(get("/2"));
    const std::string second = agent.response();
    CHECK(begins(second, "HTTP/1.1 502 "));
    CHECK(second.ends_with("outcome-unknown"));
    CHECK(requests == 2);
    CHECK(there.connections() == 1);
}

TEST_CASE("idle connections grow old")
{
    std::promise<void> ended;
    upstream there([&](peer& p, int) {
        echo_targets(p);
        ended.set_value();
    });
    forward::pool_options options;
    SUBCASE("by the pool's own measure") { options.idle_time = 300ms; }
    SUBCASE("by what the upstream allows") {}
    upstream allows([&](peer& p, int) {
        p.head();
        p.send("HTTP/1.1 200 OK\r\nKeep-Alive: max=5, timeout=1\r\nContent-Length: 0\r\n\r\n");
        p.rest();
        ended.set_value();
    });
    proxy gate(route_to(options.idle_time == 300ms ? there.port() : allows.port()), options);
    CHECK(begins(gate.get(), "HTTP/1.1 200 "));
    CHECK(ended.get_future().wait_for(loopback::patience) == std::future_status::ready);
    CHECK(gate.counts().idle == 0);
}

TEST_CASE("a new configuration uses nothing of before")
{
    upstream there([](peer& p, int) { echo_targets(p); });
    proxy gate(route_to(there.port()));
    CHECK(begins(gate.get(), "HTTP/1.1 200 "));
    CHECK(gate.counts().idle == 1);
    const auto refresh = [&gate]() -> http::awaitable<bool> {
        gate.pool().refresh();
        co_return true;
    };
    on_core<bool>(gate.core(), refresh);
    CHECK(gate.counts().idle == 0);
    CHECK(begins(gate.get(), "HTTP/1.1 200 "));
    CHECK(there.connections() == 2);

    SUBCASE("also a call that is under way")
    {
        std::promise<void> here, go_on;
        upstream slow([&](peer& p, int) {
            p.head();
            here.set_value();
            go_on.get_future().wait_for(loopback::patience);
            p.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            p.rest();
        });
        proxy other(route_to(slow.port()));
        loopback::client agent(other.port());
        agent.send(get("/x"));
        REQUIRE(here.get_future().wait_for(loopback::patience) == std::future_status::ready);
        const auto again = [&other]() -> http::awaitable<bool> {
            other.pool().refresh();
            co_return true;
        };
        on_core<bool>(other.core(), again);
        go_on.set_value();
        CHECK(begins(agent.response(), "HTTP/1.1 200 "));
        CHECK(other.counts().idle == 0);
    }
}

TEST_CASE("names are looked up")
{
    http::core core;
    core.start();
    auto names = std::make_unique<forward::resolver>(core);
    using found = sallyport::result<forward::resolver::endpoints>;
    const auto ask = [&](std::string host, std::chrono::milliseconds patience = 5s) {
        const auto make = [&names, host, patience]() { return names->resolve(host, 8080, std::chrono::steady_clock::now() + patience); };
        return on_core<found>(core, make);
    };
    for (const char* literal : {"127.0.0.1", "::1"}) {
        CAPTURE(literal);
        const auto one = ask(literal);
        REQUIRE(one.has_value());
        CHECK(one->size() == 1);
    }
    for (int i = 0; i < 2; ++i) {  // looked up, then remembered
        const auto local = ask("localhost");
        REQUIRE(local.has_value());
        CHECK_FALSE(local->empty());
    }
    const auto none = ask("no-such-name.invalid");
    REQUIRE(none.has_error());
    CHECK(none.error().what == problem::upstream_unreachable);
    CHECK(has(none.error().cause, "no-such-name.invalid"));

    SUBCASE("many who want one name share one look-up, and who is in no time does not wait")
    {
        std::atomic<int> told{0};
        std::promise<void> all;
        const auto one = [&names, &told, &all]() -> http::awaitable<void> {
            const auto answer = co_await names->resolve("localhost.localdomain.invalid", 1, std::chrono::steady_clock::now() + 5s);
            CHECK(answer.has_error());
            if (++told == 100) all.set_value();
        };
        const auto run = [&]() -> http::awaitable<void> {
            http::task_group group(core.get_executor(), {});
            for (int i = 0; i < 100; ++i) group.spawn(one());
            co_await group.join();
        };
        loopback::on(core, run());
        CHECK(all.get_future().wait_for(0s) == std::future_status::ready);
        const auto now = ask("another-name.invalid", 0ms);
        CHECK(now.has_error());
    }
    const auto end = [&]() -> http::awaitable<void> {
        names.reset();
        co_return;
    };
    loopback::on(core, end());
}

TEST_CASE("every address of a name is tried")
{
    // `localhost` has ::1 and 127.0.0.1 where IPv6 is there; the stand-in listens on the second alone.
    upstream there([](peer& p, int) { echo_targets(p); });
    auto route = route_to(there.port());
    route.upstream.host = "localhost";
    proxy gate(route);
    CHECK(begins(gate.get(), "HTTP/1.1 200 "));
}
