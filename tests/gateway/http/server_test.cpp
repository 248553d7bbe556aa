#include "gateway/http/server.hpp"

#include "loopback.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <stdexcept>

using namespace loopback;

namespace {

// Answers with method, target and body.
awaitable<void> echo(exchange& call)
{
    const auto body = co_await call.read_body(100'000);
    if (!body) {
        const std::string text = std::string(facts(body.error().what).name) + ": " + body.error().detail;
        co_await call.respond(facts(body.error().what).status, {}, text);
        co_return;
    }
    std::pmr::string text(&call.arena());
    text += call.head().method;
    text += ' ';
    text += call.head().target;
    text += '\n';
    text += *body;
    const field headers[] = {{"Content-Type", "text/plain"}};
    co_await call.respond(200, headers, text);
}

awaitable<void> answer_nothing_read(exchange& call) { co_await call.respond(413, {}, "no"); }

std::string get(std::string_view target, std::string_view lines = "")
{
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(lines) + "\r\n";
}

}  // namespace

TEST_CASE("one connection serves many requests")
{
    running server(echo);
    client peer(server.port());
    peer.send(get("/1"));
    const std::string first = peer.response();
    CHECK(begins(first, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: "));
    CHECK(has(first, "\r\nContent-Length: 7\r\n\r\nGET /1\n"));
    CHECK(!has(first, "Connection"));
    peer.send("POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    CHECK(has(peer.response(), "POST /2\nhello"));
    peer.send("POST /3 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nX: y\r\n\r\n");
    CHECK(has(peer.response(), "POST /3\nhello"));
    peer.send(get("/4", "Connection: close\r\n"));
    const std::string last = peer.response();
    CHECK(has(last, "\r\nConnection: close\r\n"));
    CHECK(peer.ended());
    CHECK(!peer.was_reset());
}

TEST_CASE("pipelined requests are answered in order")
{
    running server(echo);
    client peer(server.port());
    std::string all;
    for (int i = 0; i < 50; ++i)
        all += i % 3 == 0 ? get("/" + std::to_string(i))
                          : "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\nContent-Length: 300\r\n\r\n" + std::string(300, 'b');
    SUBCASE("at once") { peer.send(all); }
    SUBCASE("in pieces of 7")
    {
        for (std::size_t at = 0; at < all.size(); at += 7) peer.send(std::string_view(all).substr(at, 7));
    }
    for (int i = 0; i < 50; ++i) {
        CAPTURE(i);
        const std::string answer = peer.response();
        REQUIRE(has(answer, " /" + std::to_string(i) + "\n"));
        REQUIRE(answer.ends_with(i % 3 == 0 ? "\n" : std::string(300, 'b')));
    }
}

TEST_CASE("bodies of every size, beside their heads and beyond")
{
    running server(echo);
    client peer(server.port());
    for (const std::size_t size : {1u, 100u, 3900u, 4096u, 5000u, 16384u, 60000u, 100000u}) {
        CAPTURE(size);
        const std::string body(size, static_cast<char>('a' + size % 26));
        peer.send("POST /s HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" + body);
        CHECK(peer.response().ends_with("\n" + body));
        std::string chunked;
        for (std::size_t at = 0; at < size; at += 1000) {
            const std::string piece = body.substr(at, 1000);
            chunked += std::string(std::string_view(chunk_size_line(piece.size()))) + piece + "\r\n";
        }
        peer.send("POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked + "0\r\n\r\n");
        CHECK(peer.response().ends_with("\n" + body));
    }
}

TEST_CASE("a body beyond the limit")
{
    running server(echo);
    SUBCASE("said by Content-Length: not one byte is waited for")
    {
        client peer(server.port());
        peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100001\r\n\r\n");
        const std::string answer = peer.response();
        CHECK(begins(answer, "HTTP/1.1 413 "));
        CHECK(has(answer, "Connection: close"));
        CHECK(peer.ended());
    }
    SUBCASE("said by the count")
    {
        client peer(server.port());
        peer.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n186a1\r\n" + std::string(100001, 'x'));
        CHECK(begins(peer.response(), "HTTP/1.1 413 "));
    }
    SUBCASE("the client that sends on sees the answer (lingering close)")
    {
        client peer(server.port());
        peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n");
        for (int i = 0; i < 300; ++i) peer.send(std::string(10000, 'x'));
        CHECK(begins(peer.response(), "HTTP/1.1 413 "));
        CHECK(peer.ended());
        CHECK(!peer.was_reset());
    }
}

TEST_CASE("a body that nobody reads does not become the next request")
{
    running server(answer_nothing_read);
    client peer(server.port());
    peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 32\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\n" + get("/next"));
    const std::string first = peer.response(), second = peer.response();
    CHECK(begins(first, "HTTP/1.1 413 "));
    CHECK(begins(second, "HTTP/1.1 413 "));
    peer.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    CHECK(begins(peer.rest(), "HTTP/1.1 413 "));
}

TEST_CASE("broken chunks end the connection after the answer")
{
    running server(echo);
    const char* const bodies[] = {"5;x=y\r\nhello\r\n0\r\n\r\n", "5\r\nhello!\r\n", "-1\r\n", "zz\r\n", "5\nhello\n0\n\n"};
    for (const char* body : bodies) {
        CAPTURE(body);
        client peer(server.port());
        peer.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(body) + get("/smuggled"));
        const std::string all = peer.rest();
        CHECK(begins(all, "HTTP/1.1 400 "));
        CHECK(has(all, "malformed-request"));
        CHECK(!has(all, "smuggled"));
        CHECK(!peer.was_reset());
    }
}

TEST_CASE("a head that is refused is answered and the connection closed, whatever follows")
{
    running server(echo);
    const std::string heads[] = {
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /" + std::string(70'000, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n",
        "\x16\x03\x01\x02",
    };
    for (const std::string& head : heads) {
        CAPTURE(head.substr(0, 80));
        client peer(server.port());
        peer.send(head + get("/smuggled"));
        const std::string all = peer.rest();
        CHECK(begins(all, "HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\n"));
        CHECK(has(all, "\r\nConnection: close\r\n"));
        CHECK(has(all, "malformed-request: "));
        CHECK(!has(all, "smuggled"));
        CHECK(!peer.was_reset());
    }
    SUBCASE("also behind a good one, to HEAD, in HTTP/1.0")
    {
        client peer(server.port());
        peer.send("HEAD /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nbad\r\n\r\n");
        const std::string all = peer.rest();
        CHECK(begins(all, "HTTP/1.1 200 OK"));
        CHECK(has(all, "HTTP/1.1 400 Bad Request"));
        CHECK(has(all, "malformed-request: "));
    }
}

TEST_CASE("HEAD, and the statuses without a body")
{
    running server([](exchange& call) -> awaitable<void> {
        const int status = call.head().target == "/204" ? 204 : call.head().target == "/304" ? 304 : 200;
        co_await call.respond(status, {}, "the body");
    });
    client peer(server.port());
    peer.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(has(peer.response(true), "\r\nContent-Length: 8\r\n\r\n"));
    peer.send(get("/204"));
    CHECK(!has(peer.until("\r\n\r\n"), "Content-Length"));
    peer.send(get("/304"));
    CHECK(!has(peer.until("\r\n\r\n"), "Content-Length"));
    peer.send(get("/"));
    CHECK(peer.response().ends_with("the body"));
}

TEST_CASE("HTTP/1.0 closes unless it asks otherwise")
{
    running server(echo);
    SUBCASE("closes")
    {
        client peer(server.port());
        peer.send("GET / HTTP/1.0\r\n\r\n");
        CHECK(has(peer.rest(), "Connection: close"));
    }
    SUBCASE("keeps")
    {
        client peer(server.port());
        peer.send("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        CHECK(has(peer.response(), "Connection: keep-alive"));
        peer.send("GET /2 HTTP/1.0\r\n\r\n");
        CHECK(has(peer.rest(), "GET /2"));
    }
}

TEST_CASE("Expect: 100-continue is answered when the body is asked for, and only then")
{
    SUBCASE("asked for")
    {
        running server(echo);
        client peer(server.port());
        peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n");
        CHECK(peer.until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
        peer.send("hello" + get("/next"));
        CHECK(peer.response().ends_with("hello"));
        CHECK(has(peer.response(), "/next"));
    }
    SUBCASE("the body is there already")
    {
        running server(echo);
        client peer(server.port());
        peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello");
        CHECK(begins(peer.response(), "HTTP/1.1 200 "));
    }
    SUBCASE("refused: the connection ends, for the client may send the body or not")
    {
        running server(answer_nothing_read);
        client peer(server.port());
        peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
        const std::string all = peer.rest();
        CHECK(begins(all, "HTTP/1.1 413 "));
        CHECK(has(all, "Connection: close"));
    }
    SUBCASE("not in HTTP/1.0")
    {
        running server(echo);
        client peer(server.port());
        peer.send("POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
        peer.send("hello");
        CHECK(begins(peer.rest(), "HTTP/1.1 200 "));
    }
}

TEST_CASE("bodies and responses in pieces")
{
    running server([](exchange& call) -> awaitable<void> {
        std::optional<std::uint64_t> length;
        if (call.head().target == "/known") length = call.head().content_length;
        const bool promise_more = call.head().target == "/short";
        if (promise_more) length = 1'000'000;
        co_await call.begin_response(200, {}, length);
        for (;;) {
            const auto piece = co_await call.read_some_body(1 << 20);
            if (!piece) {
                call.abort_response();
                co_return;
            }
            if (piece->empty()) break;
            co_await call.write_body(*piece);
        }
        co_await call.end_response();
    });
    const std::string body(200'000, 'z');
    SUBCASE("chunked, both ways")
    {
        client peer(server.port());
        peer.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
        CHECK(has(peer.until("\r\n\r\n"), "\r\nTransfer-Encoding: chunked\r\n"));
        CHECK(peer.until("0\r\n\r\n") == "5\r\nhello\r\n0\r\n\r\n");
        peer.send(get("/"));
        CHECK(peer.until("0\r\n\r\n").ends_with("\r\n\r\n0\r\n\r\n"));
    }
    SUBCASE("of known length, more than buffers hold")
    {
        client peer(server.port());
        peer.send("POST /known HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n" + body);
        CHECK(peer.response().ends_with(body));
    }
    SUBCASE("HTTP/1.0: until the end")
    {
        client peer(server.port());
        peer.send("POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 200000\r\n\r\n" + body);
        const std::string all = peer.rest();
        CHECK(has(all, "Connection: close"));
        CHECK(!has(all, "chunked"));
        CHECK(all.ends_with("\r\n\r\n" + body));
    }
    SUBCASE("less than promised: cut")
    {
        client peer(server.port());
        peer.send("POST /short HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
        CHECK(peer.rest().ends_with("\r\n\r\nhello"));
    }
    SUBCASE("aborted: no final chunk")
    {
        client peer(server.port());
        peer.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nnonsense");
        const std::string all = peer.rest();
        CHECK(has(all, "5\r\nhello\r\n"));
        CHECK(!has(all, "0\r\n\r\n"));
    }
}

TEST_CASE("a response larger than the socket takes at once")
{
    const std::string large(8'000'000, 'L');
    running server([&large](exchange& call) -> awaitable<void> {
        if (call.head().target == "/raw")
            co_await call.respond_raw("HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n" + std::string(call.connection_fields()) + "\r\n",
                                      large);
        else
            co_await call.respond(200, {}, large);
    });
    client peer(server.port());
    peer.send(get("/") + get("/raw") + get("/"));
    for (int i = 0; i < 3; ++i) CHECK(peer.response().ends_with(large));
}

TEST_CASE("what would end a header line is not written")
{
    running server([](exchange& call) -> awaitable<void> {
        const field headers[] = {
            {"X-Good", "yes"}, {"X-Split", "a\r\nX-Evil: 1"}, {"X-Evil: 2\r\nX", "a"}, {"Content-Length", "99"}, {"Connection", "x"}};
        co_await call.respond(200, headers, "body");
    });
    client peer(server.port());
    peer.send(get("/"));
    const std::string answer = peer.response();
    CHECK(has(answer, "X-Good: yes"));
    CHECK(!has(answer, "Evil"));
    CHECK(!has(answer, "99"));
    CHECK(answer.ends_with("body"));
}

TEST_CASE("a handler that throws, or forgets to answer, is a 500")
{
    running server([](exchange& call) -> awaitable<void> {
        if (call.head().target == "/late") {
            co_await call.begin_response(200, {});
            co_await call.write_body("half");
        }
        if (call.head().target != "/silent") throw std::runtime_error("the secret inside");
    });
    SUBCASE("throws")
    {
        client peer(server.port());
        peer.send(get("/throw"));
        const std::string all = peer.rest();
        CHECK(begins(all, "HTTP/1.1 500 "));
        CHECK(!has(all, "secret"));
        REQUIRE(server.log().size() == 1);
        CHECK(has(server.log()[0], "the secret inside"));
    }
    SUBCASE("forgets")
    {
        client peer(server.port());
        peer.send(get("/silent"));
        CHECK(begins(peer.rest(), "HTTP/1.1 500 "));
    }
    SUBCASE("throws inside the response: cut")
    {
        client peer(server.port());
        peer.send(get("/late"));
        CHECK(peer.rest().ends_with("4\r\nhalf\r\n"));
    }
}

TEST_CASE("slow clients")
{
    const auto hurry = [](server_options& options) {
        options.head_time = 200ms;
        options.idle_time = 200ms;
        options.progress_time = 200ms;
        options.linger_time = 200ms;
    };
    running server(echo, hurry);
    SUBCASE("a head that does not end: answered, closed")
    {
        client peer(server.port());
        peer.send("GET / HTTP/1.1\r\nHost: h\r\nX:");
        const std::string all = peer.rest();
        CHECK(begins(all, "HTTP/1.1 400 "));
        CHECK(has(all, "in time"));
    }
    SUBCASE("a second head that does not end")
    {
        client peer(server.port());
        peer.send(get("/1") + "GET /2");
        CHECK(has(peer.response(), "/1"));
        CHECK(begins(peer.rest(), "HTTP/1.1 400 "));
    }
    SUBCASE("nothing at all: closed without a word")
    {
        client peer(server.port());
        CHECK(peer.rest().empty());
    }
    SUBCASE("nothing after a request: closed without a word")
    {
        client peer(server.port());
        peer.send(get("/1"));
        CHECK(has(peer.response(), "/1"));
        CHECK(peer.rest().empty());
    }
    SUBCASE("a body that stops")
    {
        client peer(server.port());
        peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\nhello");
        const std::string all = peer.rest();
        CHECK(begins(all, "HTTP/1.1 400 "));
        CHECK(has(all, "the body did not arrive in time"));
    }
}

TEST_CASE("a head that comes byte by byte is not given time anew with each byte")
{
    // The client sends as long as it may; the server must end this, not the client.
    running server(echo, [](server_options& options) {
        options.head_time = 300ms;
        options.linger_time = 100ms;
    });
    client peer(server.port());
    const auto began = std::chrono::steady_clock::now();
    bool closed = false;
    peer.send("GET /");
    while (!closed && std::chrono::steady_clock::now() - began < patience) {
        closed = !peer.send("a");
        pollfd one{peer.descriptor(), POLLIN, 0};
        closed = closed || ::poll(&one, 1, 5) == 1;
    }
    CHECK(closed);
    CHECK(begins(peer.until("\r\n\r\n"), "HTTP/1.1 400 "));
}

TEST_CASE("a body that makes progress, but slowly, has its time in all")
{
    std::promise<std::string> said;
    running server(
        [&](exchange& call) -> awaitable<void> {
            const auto body = co_await call.read_body(100 << 20);
            said.set_value(body ? "all of it" : body.error().detail);
            if (body) co_await call.respond(200, {}, "");
        },
        [](server_options& options) {
            options.body_time = 300ms;
            options.body_rate = 50 << 20;
            options.linger_time = 100ms;
        });
    client peer(server.port());
    peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 104857600\r\n\r\n");
    auto answer = said.get_future();
    const auto began = std::chrono::steady_clock::now();
    const std::string piece(5000, 'p');  // enough to be progress, each time
    while (answer.wait_for(20ms) != std::future_status::ready && std::chrono::steady_clock::now() - began < patience) peer.send(piece);
    REQUIRE(answer.wait_for(0s) == std::future_status::ready);
    CHECK(answer.get() == "the body did not arrive in time");
}

TEST_CASE("a client that reads nothing does not hold a connection for ever")
{
    const std::string large(50'000'000, 'L');
    std::promise<bool> went;
    running server(
        [&](exchange& call) -> awaitable<void> {
            const bool sent = co_await call.respond(200, {}, large);
            went.set_value(sent);
        },
        [](server_options& options) {
            options.progress_time = 200ms;
            options.linger_time = 100ms;
        });
    client peer(server.port());
    peer.send(get("/"));
    auto answer = went.get_future();
    REQUIRE(answer.wait_for(patience) == std::future_status::ready);
    CHECK(!answer.get());
}

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
    const auto bound = std::move(server::bind(cores, std::move(options)).value());
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
