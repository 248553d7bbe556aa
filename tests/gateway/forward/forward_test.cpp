#include "gateway/forward/forward.hpp"

#include "tests/gateway/forward/stand_in.hpp"

#include <string>
#include <string_view>
#include <tuple>
#include <vector>

using namespace stand_in;
using loopback::begins;
using loopback::has;
using sallyport::problem;

namespace {

std::string body_of(const std::string& answer)
{
    const auto at = answer.find("\r\n\r\n");
    return at == std::string::npos ? std::string() : answer.substr(at + 4);
}

std::string many_fields(int count)
{
    std::string text;
    for (int i = 0; i < count; ++i) text += "x-" + std::to_string(i) + ": y\r\n";
    return text;
}

std::string repeated(std::string_view text, int times)
{
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
}

}  // namespace

TEST_CASE("what is sent is built anew, and what comes back is passed on")
{
    std::string seen;
    upstream there([&seen](peer& p, int) {
        seen = p.head();
        p.send("HTTP/1.1 418 whatever\r\nX-Upstream: echo\r\nContent-Type: text/plain\r\nKeep-Alive: timeout=5\r\nConnection: x-hop\r\n"
               "X-Hop: 1\r\nSallyport-Action: act_forged\r\nContent-Length: 5\r\n\r\nhello");
    });
    proxy gate(route_to(there.port()));
    const std::string answer =
        gate.ask("GET /base/x?a=1 HTTP/1.1\r\nHost: gate\r\nAuthorization: Bearer agent\r\nX-Note: one\r\nConnection: close, x-mine\r\n"
                 "X-Mine: 1\r\nCookie: c=1\r\nAccept-Encoding: gzip\r\n\r\n");
    CHECK(seen == "GET /base/x?a=1 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(there.port()) +
                      "\r\nx-note: one\r\naccept-encoding: gzip\r\nVia: 1.1 sallyport\r\n\r\n");
    CHECK(begins(answer, "HTTP/1.1 418 "));
    CHECK(has(answer, "X-Upstream: echo\r\n"));
    CHECK(has(answer, "\r\nSallyport-Action: act_01\r\n"));
    CHECK_FALSE(has(answer, "forged"));
    CHECK_FALSE(has(answer, "X-Hop"));
    CHECK_FALSE(has(answer, "Keep-Alive:"));
    CHECK(has(answer, "\r\nContent-Length: 5\r\n"));
    CHECK(body_of(answer) == "hello");
    const forwarded told = gate.told();
    CHECK(told.status == 418);
    CHECK_FALSE(told.failed);
    CHECK(told.head_written);
    CHECK(told.response_bytes == 5);
    CHECK(told.request_bytes == seen.size());
    CHECK(told.times.connected > http::steady_time{});
    CHECK(told.times.connected <= told.times.first_byte);
    CHECK(told.times.first_byte <= told.times.ended);
}

TEST_CASE("well-formed answers of every framing")
{
    struct row {
        const char* name;
        std::string answer;
        int status;
        std::string body;
        bool connection_kept;
    };
    const std::string big(300'000, 'z');
    const row rows[] = {
        {"Content-Length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", true},
        {"an empty body", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "", true},
        {"chunked", "HTTP/1.1 201 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3\r\n, k\r\n0\r\n\r\n", 201, "ok, k", true},
        {"chunked and empty", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, "", true},
        {"chunked with trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n", 200, "ok", true},
        {"until the connection ends", "HTTP/1.1 200 OK\r\n\r\nall of it", 200, "all of it", false},
        {"no content", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", true},
        {"not modified", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nETag: x\r\n\r\n", 304, "", true},
        {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false},
        {"it says that it closes", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false},
        {"no idle time at all", "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=0\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false},
        {"bytes behind it", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n", 200, "ok", false},
        {"100 before it", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", true},
        {"several 1xx", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 P\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
         200, "ok", true},
        {"a long one", "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + big, 200, big, true},
        {"a long chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n493e0\r\n" + big + "\r\n0\r\n\r\n", 200, big, true},
        {"5xx is an answer too", "HTTP/1.1 503 Busy\r\nRetry-After: 3\r\nContent-Length: 2\r\n\r\nno", 503, "no", true},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        upstream there([&r](peer& p, int) {
            p.head();
            p.send(r.answer);
            if (r.answer.find("\r\nContent-Length") != std::string::npos || r.answer.find("\r\nTransfer") != std::string::npos ||
                r.status == 204)
                p.rest();  // stays open
        });
        proxy gate(route_to(there.port()));
        loopback::client agent(gate.port());
        agent.send("GET /x HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n");
        const std::string head = agent.until("\r\n\r\n");
        std::string body = agent.rest();
        if (has(head, "Transfer-Encoding: chunked")) {
            http::chunk_decoder chunks;
            std::string decoded;
            std::string_view left = body;
            while (!chunks.done()) {
                const auto piece = chunks.next(left);
                REQUIRE(piece.has_value());
                decoded += piece->data;
                left.remove_prefix(piece->used);
                REQUIRE((chunks.done() || !left.empty()));
            }
            body = decoded;
        }
        CHECK(begins(head, "HTTP/1.1 " + std::to_string(r.status) + " "));
        CHECK(body == r.body);
        const forwarded told = gate.told();
        CHECK(told.status == r.status);
        CHECK_FALSE(told.failed);
        CHECK(told.response_bytes == r.body.size());
        CHECK(gate.counts().idle == (r.connection_kept ? 1 : 0));
        CHECK(there.connections() == 1);
    }
}

TEST_CASE("what is no answer: named as what it is, and never asked again")
{
    struct row {
        const char* name;
        std::string answer;
        enum { closes, resets, stays } then;
        problem what;
    };
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    const row rows[] = {
        {"closes at once", "", row::closes, problem::outcome_unknown},
        {"resets at once", "", row::resets, problem::outcome_unknown},
        {"says nothing", "", row::stays, problem::upstream_timeout},
        {"half a status line, closes", "HTTP/1.1 20", row::closes, problem::outcome_unknown},
        {"half a head, closes", ok + "Content-Le", row::closes, problem::outcome_unknown},
        {"half a head, resets", ok + "Content-Le", row::resets, problem::outcome_unknown},
        {"half a head, silence", ok + "Content-Le", row::stays, problem::outcome_unknown},
        {"100 and silence", "HTTP/1.1 100 Continue\r\n\r\n", row::stays, problem::upstream_timeout},
        {"100 and the end", "HTTP/1.1 100 Continue\r\n\r\n", row::closes, problem::outcome_unknown},
        {"no HTTP at all", "SSH-2.0-OpenSSH\r\n", row::stays, problem::outcome_unknown},
        {"HTTP/2", "HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n", row::stays, problem::outcome_unknown},
        {"a status of four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", row::stays, problem::outcome_unknown},
        {"status 600", "HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n", row::stays, problem::outcome_unknown},
        {"101 that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", row::stays,
         problem::outcome_unknown},
        {"1xx without end", repeated("HTTP/1.1 103 Early Hints\r\n\r\n", 100), row::stays, problem::outcome_unknown},
        {"Content-Length and chunked", ok + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", row::stays,
         problem::outcome_unknown},
        {"two lengths", ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nok", row::stays, problem::outcome_unknown},
        {"the same length twice", ok + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", row::stays, problem::outcome_unknown},
        {"a list of lengths", ok + "Content-Length: 2, 2\r\n\r\nok", row::stays, problem::outcome_unknown},
        {"a negative length", ok + "Content-Length: -2\r\n\r\nok", row::stays, problem::outcome_unknown},
        {"a length beyond 64 bits", ok + "Content-Length: 99999999999999999999\r\n\r\nok", row::stays, problem::outcome_unknown},
        {"another coding", ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", row::stays, problem::outcome_unknown},
        {"bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", row::stays, problem::outcome_unknown},
        {"a folded line", ok + "X: a\r\n b\r\nContent-Length: 0\r\n\r\n", row::stays, problem::outcome_unknown},
        {"white space before the colon", ok + "Content-Length : 0\r\n\r\n", row::stays, problem::outcome_unknown},
        {"a NUL in a value", ok + std::string("X: a\0b\r\n", 8) + "Content-Length: 0\r\n\r\n", row::stays, problem::outcome_unknown},
        {"a head of 70 KB", ok + "X: " + std::string(70'000, 'x') + "\r\n\r\n", row::stays, problem::outcome_unknown},
        {"a head without end", ok + "X: " + std::string(200'000, 'x'), row::stays, problem::outcome_unknown},
        {"too many fields", ok + many_fields(200) + "Content-Length: 0\r\n\r\n", row::stays, problem::outcome_unknown},
        {"a chunk's size is none", ok + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", row::stays, problem::outcome_unknown},
        {"a chunk's size with a sign", ok + "Transfer-Encoding: chunked\r\n\r\n+2\r\nok\r\n0\r\n\r\n", row::stays,
         problem::outcome_unknown},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        upstream there([&r](peer& p, int) {
            p.head();
            p.send(r.answer);
            if (r.then == row::resets) p.reset();
            if (r.then == row::stays) p.rest();
        });
        proxy gate(route_to(there.port(), 400ms));
        const std::string answer = gate.get();
        const auto& known = sallyport::facts(r.what);
        CHECK(begins(answer, "HTTP/1.1 " + std::to_string(known.status) + " "));
        CHECK(body_of(answer) == known.name);
        const forwarded told = gate.told();
        REQUIRE(told.failed);
        CHECK(told.failed->what == r.what);
        CHECK_FALSE(told.head_written);
        CHECK(told.status == 0);
        CHECK(told.request_bytes > 0);
        CHECK(gate.counts().idle == 0);
        CHECK(there.connections() == 1);
    }
}

TEST_CASE("an answer that ends too early is passed on without its end")
{
    struct row {
        const char* name;
        std::string first, second;  // the second when the agent has the first
        bool stays;
    };
    const std::string sized = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
                      chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const row rows[] = {
        {"short of its length", sized + "0123456789", "", false},
        {"only the head", sized, "", false},
        {"no last chunk", chunked + "a\r\n0123456789\r\n", "", false},
        {"in the middle of a chunk", chunked + "a\r\n01234", "", false},
        {"a broken chunk later", chunked + "a\r\n0123456789\r\n", "nonsense\r\n", true},
        {"a chunk longer than its size", chunked + "a\r\n0123456789\r\n", "2\r\nabc\r\n", true},
        {"it stalls", sized + "0123456789", "", true},
        {"it stalls in a chunk", chunked + "64\r\n01234", "", true},
    };
    for (const row& r : rows) {
        for (const char* version : {"HTTP/1.1", "HTTP/1.0"}) {
            CAPTURE(r.name);
            CAPTURE(version);
            std::promise<void> agent_has_it;
            upstream there([&](peer& p, int) {
                p.head();
                p.send(r.first);
                agent_has_it.get_future().wait_for(loopback::patience);
                p.send(r.second);
                if (r.stays) p.rest();
            });
            proxy gate(route_to(there.port(), 400ms));
            loopback::client agent(gate.port());
            agent.send("GET /x " + std::string(version) + "\r\nHost: gate\r\n\r\n");
            const std::string head = agent.until("\r\n\r\n");
            CHECK(begins(head, "HTTP/1.1 200 "));
            agent_has_it.set_value();
            const std::string body = agent.rest();
            CHECK(body.size() < 100);
            CHECK_FALSE(has(body, "0\r\n\r\n"));
            // HTTP/1.0 has no other sign than this.
            if (std::string_view(version) == "HTTP/1.0" && !has(head, "Content-Length")) CHECK(agent.was_reset());
            const forwarded told = gate.told();
            CHECK(told.head_written);
            CHECK(told.status == 200);
            REQUIRE(told.failed);
            CHECK(told.failed->what == problem::outcome_unknown);
            CHECK(gate.counts().idle == 0);
        }
    }
}

TEST_CASE("a body that ends with the connection is cut by a reset")
{
    std::promise<void> agent_has_it;
    upstream there([&](peer& p, int) {
        p.head();
        p.send("HTTP/1.1 200 OK\r\n\r\nsome");
        agent_has_it.get_future().wait_for(loopback::patience);
        p.reset();
    });
    proxy gate(route_to(there.port()));
    loopback::client agent(gate.port());
    agent.send("GET /x HTTP/1.1\r\nHost: gate\r\n\r\n");
    CHECK(has(agent.until("some"), "Transfer-Encoding: chunked"));
    agent_has_it.set_value();
    CHECK_FALSE(has(agent.rest(), "0\r\n\r\n"));
    REQUIRE(gate.told().failed);
}

TEST_CASE("HEAD: no body, whatever its fields say")
{
    upstream there([](peer& p, int) {
        CHECK(begins(p.head(), "HEAD /x HTTP/1.1\r\n"));
        p.send("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n");
        CHECK(begins(p.head(), "HEAD /y HTTP/1.1\r\n"));
        p.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    });
    proxy gate(route_to(there.port()));
    loopback::client agent(gate.port());
    agent.send("HEAD /x HTTP/1.1\r\nHost: gate\r\n\r\n");
    CHECK(has(agent.response(true), "\r\nContent-Length: 1234\r\n"));
    agent.send("HEAD /y HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n");
    const std::string second = agent.rest();
    CHECK(second.ends_with("\r\n\r\n"));
    CHECK_FALSE(has(second, "Content-Length"));
    CHECK(there.connections() == 1);
}

TEST_CASE("nothing was sent: unreachable")
{
    std::uint16_t gone = 0;
    {
        upstream there([](peer&, int) {});
        gone = there.port();
    }
    SUBCASE("nobody listens")
    {
        proxy gate(route_to(gone));
        CHECK(body_of(gate.get()) == "upstream-unreachable");
        const forwarded told = gate.told();
        CHECK(told.request_bytes == 0);
        CHECK(told.failed->detail.find("127.0.0.1") == std::string::npos);  // where upstreams are is nothing for agents
    }
    SUBCASE("no such name")
    {
        auto route = route_to(gone);
        route.upstream.host = "no-such-name.invalid";
        proxy gate(route);
        CHECK(body_of(gate.get()) == "upstream-unreachable");
    }
    SUBCASE("the port swallows everything: a full queue of connections")
    {
        const int full = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in here{};
        here.sin_family = AF_INET;
        here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof here;
        REQUIRE(::bind(full, reinterpret_cast<const sockaddr*>(&here), size) == 0);
        REQUIRE(::listen(full, 0) == 0);
        REQUIRE(::getsockname(full, reinterpret_cast<sockaddr*>(&here), &size) == 0);
        std::vector<int> waiting;
        for (int i = 0; i < 4; ++i) {
            waiting.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
            std::ignore = ::connect(waiting.back(), reinterpret_cast<const sockaddr*>(&here), sizeof here);
        }
        {
            proxy gate(route_to(ntohs(here.sin_port), 500ms));
            CHECK(body_of(gate.get()) == "upstream-unreachable");
            CHECK(gate.told().request_bytes == 0);
        }
        for (const int one : waiting) ::close(one);
        ::close(full);
    }
}
