#include "gateway/http/server.hpp"

#include "tests/gateway/http/echo.hpp"
#include "tests/gateway/http/loopback.hpp"

#include <stdexcept>

using namespace loopback;

namespace {

awaitable<void> answer_nothing_read(exchange& call) { co_await call.respond(413, {}, "no"); }

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

TEST_CASE("a client that reads, but slowly, has its time in all")
{
    const std::string large(200'000'000, 'L');
    std::promise<bool> went;
    running server(
        [&](exchange& call) -> awaitable<void> {
            const bool sent = co_await call.respond(200, {}, large);
            went.set_value(sent);
        },
        [](server_options& options) {
            options.body_time = 300ms;
            options.body_rate = 1 << 30;
            options.linger_time = 100ms;
        });
    client peer(server.port());
    peer.send(get("/"));
    auto answer = went.get_future();
    const auto began = std::chrono::steady_clock::now();
    while (answer.wait_for(20ms) != std::future_status::ready && std::chrono::steady_clock::now() - began < patience) peer.exactly(16384);
    REQUIRE(answer.wait_for(0s) == std::future_status::ready);
    CHECK(!answer.get());
}
