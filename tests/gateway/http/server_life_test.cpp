// The life of a server: waiting, stopping, limits, several cores, and where it can listen.
#include "gateway/http/server.hpp"

#include "tests/gateway/http/echo.hpp"
#include "tests/gateway/http/loopback.hpp"

#include <sys/stat.h>

#include <filesystem>

using namespace loopback;

TEST_CASE("waiting")
{
    signal event;
    std::promise<void> waits;
    std::promise<woke> woken;
    std::chrono::milliseconds limit = 20s;
    running server([&](exchange& call) -> awaitable<void> {
        if (call.head().target == "/next") {
            co_await call.respond(200, {}, "next");
            co_return;
        }
        const auto body = co_await call.read_body(1000);
        CHECK(*body == "hello");
        const std::string kept = call.take_body();
        call.release_buffers();
        // After this the loop goes on only when the wait began: whoever sees the promise sees the waiter.
        call.core().post([&waits] { waits.set_value(); });
        const woke why = co_await call.wait(event, std::chrono::steady_clock::now() + limit);
        woken.set_value(why);
        co_await call.respond(200, {}, kept);
    });
    const std::string request = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello";
    auto why = woken.get_future();
    const auto woke_by = [&why] {
        REQUIRE(why.wait_for(patience) == std::future_status::ready);
        return why.get();
    };
    client peer(server.port());
    SUBCASE("signalled")
    {
        peer.send(request);
        waits.get_future().wait();
        server.core().post([&event] { event.fire(); });
        CHECK(woke_by() == woke::signalled);
        CHECK(peer.response().ends_with("hello"));
        peer.send(get("/next"));
        CHECK(peer.response().ends_with("next"));
    }
    SUBCASE("signalled before")
    {
        std::promise<void> fired;
        server.core().post([&] {
            event.fire();
            fired.set_value();
        });
        fired.get_future().wait();
        peer.send(request);
        CHECK(woke_by() == woke::signalled);
        CHECK(!event.fired());
    }
    SUBCASE("the time passes")
    {
        limit = 100ms;
        peer.send(request);
        CHECK(woke_by() == woke::deadline);
        CHECK(peer.response().ends_with("hello"));
    }
    SUBCASE("the peer closes")
    {
        peer.send(request);
        waits.get_future().wait();
        peer.close();
        CHECK(woke_by() == woke::gone);
    }
    SUBCASE("the peer resets")
    {
        peer.send(request);
        waits.get_future().wait();
        peer.reset();
        CHECK(woke_by() == woke::gone);
    }
    SUBCASE("the next request comes already, read ahead with this one")
    {
        peer.send(request + get("/next"));
        waits.get_future().wait();
        server.core().post([&event] { event.fire(); });
        CHECK(woke_by() == woke::signalled);
        CHECK(peer.response().ends_with("hello"));
        CHECK(peer.response().ends_with("next"));
    }
    SUBCASE("the next request comes while it waits")
    {
        peer.send(request);
        waits.get_future().wait();
        peer.send(get("/next"));
        server.core().post([&event] { event.fire(); });
        CHECK(woke_by() == woke::signalled);
        CHECK(peer.response().ends_with("hello"));
        CHECK(peer.response().ends_with("next"));
    }
    SUBCASE("the next request comes, then the peer resets")
    {
        peer.send(request + get("/next"));
        waits.get_future().wait();
        peer.send(get("/next"));
        peer.reset();
        CHECK(woke_by() == woke::gone);
    }
    SUBCASE("the server stops")
    {
        peer.send(request);
        waits.get_future().wait();
        server.stop(5s);
        CHECK(woke_by() == woke::deadline);
        const std::string answer = peer.rest();
        CHECK(has(answer, "Connection: close"));
        CHECK(answer.ends_with("hello"));
    }
}

TEST_CASE("stopping")
{
    std::promise<void> entered;
    signal go;
    running server([&](exchange& call) -> awaitable<void> {
        if (call.head().target == "/long") {
            entered.set_value();
            co_await go.wait(call.core().timers(), std::chrono::steady_clock::now() + 20s);
            CHECK(call.stopping());
        }
        co_await call.respond(200, {}, "done");
    });
    client idle(server.port()), fresh(server.port()), busy(server.port());
    idle.send(get("/"));
    CHECK(idle.response().ends_with("done"));
    busy.send(get("/long"));
    entered.get_future().wait();
    const std::uint16_t port = server.port();
    // The idle ones end at once; only then does the busy one.
    std::promise<void> stopped;
    auto stopping = [](http::server& one, std::promise<void>& done) -> awaitable<void> {
        co_await one.stop(std::chrono::steady_clock::now() + 10s);
        done.set_value();
    }(server.server(), stopped);
    boost::asio::co_spawn(server.core().get_executor(), std::move(stopping), [](const std::exception_ptr&) {});
    CHECK(idle.ended());
    CHECK(fresh.ended());
    auto done = stopped.get_future();
    CHECK(done.wait_for(0s) == std::future_status::timeout);
    server.core().post([&go] { go.fire(); });
    const std::string answer = busy.rest();
    CHECK(has(answer, "Connection: close"));
    CHECK(answer.ends_with("done"));
    REQUIRE(done.wait_for(patience) == std::future_status::ready);
    const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(::connect(probe, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0);
    ::close(probe);
}

TEST_CASE("at the end of its grace the server cuts who still talks")
{
    std::promise<bool> sent;
    running server([&](exchange& call) -> awaitable<void> {
        const auto body = co_await call.read_body(1000);
        sent.set_value(body.has_value());
        co_await call.respond(200, {}, "");
    });
    client peer(server.port());
    peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    CHECK(begins(peer.until("\r\n\r\n"), "HTTP/1.1 100"));
    server.stop(100ms);
    CHECK(!sent.get_future().get());
}

TEST_CASE("too many connections are told so")
{
    running server(echo, [](server_options& options) { options.max_connections = 2; });
    client one(server.port()), two(server.port());
    one.send(get("/1"));
    CHECK(has(one.response(), "/1"));
    two.send(get("/2"));
    CHECK(has(two.response(), "/2"));
    {
        client three(server.port());
        three.send(get("/3"));
        const std::string all = three.rest();
        CHECK(begins(all, "HTTP/1.1 503 "));
        CHECK(has(all, "\r\nRetry-After: "));
        CHECK(has(all, "Connection: close"));
        CHECK(has(all, "overloaded"));
    }
    one.send(get("/4"));
    CHECK(has(one.response(), "/4"));
    // A place that becomes free is given to the next; the server sees the end of `two` before the new one's request or after.
    two.close();
    std::string answer;
    for (int i = 0; i < 1000 && !has(answer, "/5"); ++i) {
        client next(server.port());
        next.send(get("/5"));
        answer = next.response();
    }
    CHECK(has(answer, "/5"));
}

TEST_CASE("limits change for the connections that come")
{
    running server(echo, [](server_options& options) { options.max_connections = 1; });
    client one(server.port());
    one.send(get("/1"));
    CHECK(has(one.response(), "/1"));
    server.server().change({nullptr, 1 << 10, 2});
    client two(server.port());
    two.send(get("/2"));
    CHECK(has(two.response(), "/2"));
    // The earlier connection reads heads as it did, the later one as it is now.
    const std::string long_field = "X: " + std::string(4 << 10, 'x') + "\r\n";
    one.send("GET /long HTTP/1.1\r\nHost: a\r\n" + long_field + "\r\n");
    CHECK(has(one.response(), "/long"));
    two.send("GET /long HTTP/1.1\r\nHost: a\r\n" + long_field + "\r\n");
    CHECK(begins(two.rest(), "HTTP/1.1 400 "));
}

TEST_CASE("a server that was never started stops at once, though its cores do not run")
{
    core others, mine;
    core* const cores[] = {&others};
    server_options options;
    options.address = "127.0.0.1:0";
    const auto bound = server::bind(cores, std::move(options)).value();
    mine.start();
    on(mine, bound->stop(std::chrono::steady_clock::now() + patience));
    mine.join();
}

TEST_CASE("several cores share one address")
{
    running server(echo, {}, 3);
    std::vector<client> peers;
    for (int i = 0; i < 60; ++i) peers.emplace_back(server.port());
    for (client& peer : peers) peer.send(get("/x"));
    for (client& peer : peers) CHECK(has(peer.response(), "/x"));
    SUBCASE("and nobody else may have it")
    {
        core other;
        core* const cores[] = {&other, &other};
        server_options options;
        options.address = server.server().address();
        const auto second = server::bind(cores, options);
        REQUIRE(second.has_error());
        CHECK(second.error().what == problem::conflict);
        CHECK(has(second.error().detail, options.address));
    }
}

TEST_CASE("addresses that cannot be listened on")
{
    core one;
    core* const cores[] = {&one};
    for (const char* address :
         {"", "here", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:99999", "192.0.2.1:0", "no.such.host.invalid:80", "/no/such/directory/s"}) {
        CAPTURE(std::string(address));
        server_options options;
        options.address = address;
        CHECK(server::bind(cores, options).has_error());
    }
}

TEST_CASE("a Unix socket")
{
    const std::filesystem::path directory = std::filesystem::temp_directory_path() / ("sallyport-http-" + std::to_string(::getpid()));
    std::filesystem::create_directory(directory);
    const std::string path = (directory / "s").string();
    {
        const auto there = [&path](server_options& options) { options.address = path; };
        auto server = std::make_unique<running>(echo, there);
        struct stat facts {};
        REQUIRE(::stat(path.c_str(), &facts) == 0);
        CHECK((facts.st_mode & 0777) == 0600);
        client peer(path);
        peer.send(get("/unix"));
        CHECK(has(peer.response(), "/unix"));
        SUBCASE("in use")
        {
            core one;
            core* const cores[] = {&one};
            server_options options;
            options.address = path;
            CHECK(server::bind(cores, options).error().what == problem::conflict);
        }
        SUBCASE("gone with its server")
        {
            server.reset();
            CHECK(!std::filesystem::exists(path));
        }
    }
    SUBCASE("a path beyond what an address holds")
    {
        const std::filesystem::path deep = directory / std::string(150, 'd');
        std::filesystem::create_directory(deep);
        const std::string there = (deep / "s").string();
        for (int i = 0; i < 2; ++i) {
            running server(echo, [&there](server_options& options) { options.address = there; });
            struct stat facts {};
            REQUIRE(::stat(there.c_str(), &facts) == 0);
            CHECK(S_ISSOCK(facts.st_mode));
            CHECK((facts.st_mode & 0777) == 0600);
            const auto link = directory / "link";
            std::filesystem::remove(link);
            std::filesystem::create_directory_symlink(deep, link);
            client peer((link / "s").string());
            peer.send(get("/deep"));
            CHECK(has(peer.response(), "/deep"));
        }
        CHECK(!std::filesystem::exists(there));
    }
    SUBCASE("left by a dead process")
    {
        const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un to{};
        to.sun_family = AF_UNIX;
        path.copy(to.sun_path, sizeof to.sun_path - 1);
        REQUIRE(::bind(dead, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
        ::close(dead);
        running server(echo, [&path](server_options& options) { options.address = path; });
        client peer(path);
        peer.send(get("/again"));
        CHECK(has(peer.response(), "/again"));
    }
    std::filesystem::remove_all(directory);
}

TEST_CASE("clients that leave at every moment leave nothing behind")
{
    running server(echo);
    const std::string whole = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + get("/2");
    for (std::size_t n = 0; n <= whole.size(); ++n) {
        client peer(server.port());
        peer.send(std::string_view(whole).substr(0, n));
        if (n % 2 == 0) peer.reset();
    }
    client last(server.port());
    last.send(get("/alive"));
    CHECK(has(last.response(), "/alive"));
    CHECK(server.log().empty());
}
