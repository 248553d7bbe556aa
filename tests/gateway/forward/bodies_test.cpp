#include "gateway/forward/forward.hpp"

#include "tests/gateway/forward/stand_in.hpp"

#include <string>
#include <string_view>

using namespace stand_in;
using loopback::begins;
using loopback::has;
using sallyport::problem;

namespace {

std::string post(std::string_view fields, std::string_view body = "")
{
    return "POST /x HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

std::string chunk(std::string_view bytes)
{
    return std::string(std::string_view(http::chunk_size_line(bytes.size()))) + std::string(bytes) + "\r\n";
}

constexpr std::string_view ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Bytes that show where they belong.
std::string pattern(std::size_t size)
{
    std::string made(size, '\0');
    for (std::size_t i = 0; i < size; ++i) made[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
    return made;
}

std::string unchunked(std::string_view coded)
{
    std::string decoded;
    http::chunk_decoder chunks;
    while (!chunks.done()) {
        const auto piece = chunks.next(coded);
        if (!piece || coded.empty()) return "broken";
        decoded += piece->data;
        coded.remove_prefix(piece->used);
    }
    return decoded;
}

}  // namespace

TEST_CASE("a body goes upstream to the byte, framed as the agent framed it")
{
    for (const std::size_t size : {0u, 1u, 300u, 4096u, 16384u, 70'000u, 900'000u}) {
        for (const bool first : {false, true}) {
            for (const bool chunked : {false, true}) {
                CAPTURE(size);
                CAPTURE(first);
                CAPTURE(chunked);
                std::string head, body;
                upstream there([&](peer& p, int) {
                    head = p.head();
                    if (has(head, "Transfer-Encoding: chunked"))
                        body = unchunked(p.until("\r\n0\r\n\r\n"));
                    else if (const auto at = head.find("Content-Length: "); at != std::string::npos)
                        body = p.exactly(static_cast<std::size_t>(std::stoul(head.substr(at + 16))));
                    p.send(ok);
                    p.rest();
                });
                proxy gate(route_to(there.port()));
                if (first) gate.read_bodies_first();
                const std::string sent = pattern(size);
                if (chunked) {
                    std::string coded;
                    for (std::size_t at = 0; at < size; at += 5000) coded += chunk(std::string_view(sent).substr(at, 5000));
                    coded += "0\r\nX-Trailer: dropped\r\n\r\n";
                    CHECK(begins(gate.ask(post("Transfer-Encoding: chunked\r\n", coded)), "HTTP/1.1 200 "));
                    CHECK_FALSE(has(head, "railer"));
                } else {
                    CHECK(begins(gate.ask(post("Content-Length: " + std::to_string(size) + "\r\n", sent)), "HTTP/1.1 200 "));
                    CHECK(has(head, "\r\nContent-Length: " + std::to_string(size) + "\r\n"));
                }
                CHECK(body == sent);
                CHECK(gate.told().request_bytes >= head.size() + size);
                CHECK(gate.counts().idle == 1);
            }
        }
    }
}

TEST_CASE("a body is passed on while it comes")
{
    std::promise<void> upstream_has_it;
    std::string body;
    upstream there([&](peer& p, int) {
        p.head();
        body = p.until("first");
        upstream_has_it.set_value();
        body += p.until("last\r\n0\r\n\r\n");
        p.send(ok);
    });
    proxy gate(route_to(there.port()));
    loopback::client agent(gate.port());
    agent.send(post("Transfer-Encoding: chunked\r\n", "5\r\nfirst\r\n"));
    // The second part is not there before the upstream has the first.
    REQUIRE(upstream_has_it.get_future().wait_for(loopback::patience) == std::future_status::ready);
    agent.send("4\r\nlast\r\n0\r\n\r\n");
    CHECK(begins(agent.rest(), "HTTP/1.1 200 "));
    CHECK(body == "5\r\nfirst\r\n4\r\nlast\r\n0\r\n\r\n");
}

TEST_CASE("a slow agent is not a slow upstream")
{
    std::promise<void> upstream_has_it;
    upstream there([&](peer& p, int) {
        p.head();
        p.exactly(5);
        upstream_has_it.set_value();
        p.exactly(5);
        p.send(ok);
    });
    proxy gate(route_to(there.port(), 200ms));
    loopback::client agent(gate.port());
    agent.send(post("Content-Length: 10\r\n", "01234"));
    REQUIRE(upstream_has_it.get_future().wait_for(loopback::patience) == std::future_status::ready);
    // Longer than the route's timeout, by the wheel that would end it.
    const auto wait = [&gate]() -> http::awaitable<bool> {
        http::signal never;
        co_return co_await never.wait(gate.core().timers(), std::chrono::steady_clock::now() + 500ms);
    };
    CHECK_FALSE(on_core<bool>(gate.core(), wait));
    agent.send("56789");
    CHECK(begins(agent.rest(), "HTTP/1.1 200 "));
}

TEST_CASE("Expect: 100-continue is the gateway's to answer")
{
    std::string head;
    upstream there([&](peer& p, int) {
        head = p.head();
        p.exactly(5);
        p.send(ok);
    });
    proxy gate(route_to(there.port()));
    loopback::client agent(gate.port());
    agent.send(post("Expect: 100-continue\r\nContent-Length: 5\r\n"));
    CHECK(agent.until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
    agent.send("hello");
    CHECK(begins(agent.rest(), "HTTP/1.1 200 "));
    CHECK_FALSE(has(head, "xpect"));
}

TEST_CASE("an agent's body that fails ends the upstream's request in the middle")
{
    struct row {
        const char* name;
        std::string first, second;
        bool closes;
        problem what;
    };
    const std::string chunked = "Transfer-Encoding: chunked\r\n";
    const row rows[] = {
        {"a broken chunk", post(chunked, "5\r\nhello\r\n"), "zz\r\n", false, problem::malformed_request},
        {"too many bytes", post(chunked, "5\r\nhello\r\n"), "2000\r\n" + std::string(0x2000, 'x') + "\r\n0\r\n\r\n", false,
         problem::body_too_large},
        {"it stops short of its length", post("Content-Length: 100\r\n", "hello"), "", true, problem::malformed_request},
        {"it stops in a chunk", post(chunked, "5\r\nhello\r\n5\r\nhe"), "", true, problem::malformed_request},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        std::promise<void> upstream_has_it;
        std::promise<bool> ended;
        std::string seen;
        upstream there([&](peer& p, int) {
            p.head();
            seen = p.until("hello");
            upstream_has_it.set_value();
            seen += p.rest();
            ended.set_value(p.was_reset());
        });
        auto route = route_to(there.port());
        route.body_limit = 4096;
        proxy gate(route);
        loopback::client agent(gate.port());
        agent.send(r.first);
        REQUIRE(upstream_has_it.get_future().wait_for(loopback::patience) == std::future_status::ready);
        agent.send(r.second);
        if (r.closes) agent.shutdown_send();
        const std::string answer = agent.rest();
        const auto& known = sallyport::facts(r.what);
        CHECK(begins(answer, "HTTP/1.1 " + std::to_string(known.status) + " "));
        CHECK(answer.ends_with(known.name));
        const forwarded told = gate.told();
        REQUIRE(told.failed);
        CHECK(told.failed->what == r.what);
        CHECK_FALSE(told.head_written);
        CHECK(gate.counts().idle == 0);
        auto cut = ended.get_future();
        REQUIRE(cut.wait_for(loopback::patience) == std::future_status::ready);
        CHECK(cut.get());
        CHECK_FALSE(has(seen, "0\r\n\r\n"));
    }
}

TEST_CASE("too much is known before anything is sent")
{
    upstream there(answers(std::string(ok)));
    auto route = route_to(there.port());
    route.body_limit = 10;
    proxy gate(route);
    CHECK(begins(gate.ask(post("Content-Length: 11\r\n", "hello, worl")), "HTTP/1.1 413 "));
    CHECK(begins(gate.ask(post("Transfer-Encoding: chunked\r\n", "b\r\nhello, worl\r\n0\r\n\r\n")), "HTTP/1.1 413 "));
    CHECK(there.connections() == 0);
}

TEST_CASE("an early answer: the rest of the request is not sent, and the answer is passed on")
{
    // More than the sockets between can hold, so that the sender is in the middle of it.
    const std::string large = pattern(32 << 20);
    const std::string refusal = "HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nstop";
    for (const bool closes : {false, true}) {
        for (const bool read_before : {false, true}) {
            CAPTURE(closes);
            CAPTURE(read_before);
            std::promise<void> done;
            upstream there([&](peer& p, int) {
                p.head();
                p.send(refusal);
                if (closes) p.shutdown_send();
                done.get_future().wait_for(loopback::patience);  // reads nothing more
            });
            auto route = route_to(there.port());
            route.body_limit = 64 << 20;
            proxy gate(route);
            if (read_before) gate.read_bodies_first();
            loopback::client agent(gate.port());
            agent.send(post("Content-Length: " + std::to_string(large.size()) + "\r\n"));
            std::thread sender([&] { agent.send(large); });
            const std::string answer = agent.until("stop");
            ::shutdown(agent.descriptor(), SHUT_RDWR);
            sender.join();
            CHECK(begins(answer, "HTTP/1.1 413 "));
            CHECK(answer.ends_with("stop"));
            const forwarded told = gate.told();
            CHECK_FALSE(told.failed);
            CHECK(told.status == 413);
            CHECK(told.request_bytes < large.size());
            CHECK(gate.counts().idle == 0);  // half a request went over it
            done.set_value();
        }
    }
}

TEST_CASE("an answer that begins before the request is sent does not end the request")
{
    const std::string large = pattern(8 << 20);
    for (const bool chunked : {false, true}) {
        for (const bool read_before : {false, true}) {
            CAPTURE(chunked);
            CAPTURE(read_before);
            // Passes on what it gets, piece by piece, and reads no further while nobody takes that.
            upstream there([&](peer& p, int) {
                const std::string head = p.head();
                p.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                for (std::size_t at = 0; at < large.size(); at += 65536) {
                    std::string piece = p.exactly(65536);
                    if (piece.empty()) return;
                    p.send(chunk(piece));
                }
                p.send("0\r\n\r\n");
                p.rest();
            });
            auto route = route_to(there.port(), 2s);
            route.body_limit = 64 << 20;
            proxy gate(route);
            if (read_before) gate.read_bodies_first();
            loopback::client agent(gate.port());
            std::thread sender([&] {
                agent.send(post("Content-Length: " + std::to_string(large.size()) + "\r\n"));
                agent.send(large);
            });
            const std::string head = agent.until("\r\n\r\n");
            const std::string body = agent.rest();
            sender.join();
            CHECK(begins(head, "HTTP/1.1 200 "));
            CHECK(unchunked(body) == large);
            CHECK_FALSE(gate.told().failed);
            CHECK(gate.counts().idle == 1);
        }
    }
}

TEST_CASE("an answer that ends before the request is sent: whoever keeps the connection reads on")
{
    const std::string large = pattern(32 << 20);
    for (const bool keeps : {true, false}) {
        CAPTURE(keeps);
        std::promise<void> answered, done;
        std::promise<std::size_t> seen;
        upstream there([&](peer& p, int) {
            p.head();
            p.send(std::string("HTTP/1.1 200 OK\r\n") + (keeps ? "" : "Connection: close\r\n") + "Content-Length: 2\r\n\r\nok");
            answered.get_future().wait_for(loopback::patience);
            if (!keeps) done.get_future().wait_for(loopback::patience);
            seen.set_value(p.exactly(large.size()).size());
            p.rest();
        });
        auto route = route_to(there.port(), 5s);
        route.body_limit = 64 << 20;
        proxy gate(route);
        loopback::client agent(gate.port());
        agent.send(post("Content-Length: " + std::to_string(large.size()) + "\r\n"));
        std::thread sender([&] { agent.send(large); });
        const std::string head = agent.until("\r\n\r\n");
        CHECK(begins(head, "HTTP/1.1 200 "));
        CHECK(agent.exactly(2) == "ok");
        answered.set_value();
        const forwarded told = gate.told();
        done.set_value();
        CHECK(told.status == 200);
        CHECK_FALSE(told.failed);
        CHECK((told.request_bytes > large.size()) == keeps);
        CHECK(gate.counts().idle == (keeps ? 1 : 0));
        ::shutdown(agent.descriptor(), SHUT_RDWR);
        sender.join();
        auto all = seen.get_future();
        REQUIRE(all.wait_for(loopback::patience) == std::future_status::ready);
        CHECK((all.get() == large.size()) == keeps);
    }
}

TEST_CASE("both ways at once: a slow agent is not a slow upstream")
{
    upstream there([&](peer& p, int) {
        p.head();
        p.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(p.exactly(5)));
        p.send(chunk(p.exactly(5)) + "0\r\n\r\n");
    });
    proxy gate(route_to(there.port(), 200ms));
    loopback::client agent(gate.port());
    agent.send(post("Content-Length: 10\r\n", "01234"));
    agent.until("5\r\n01234\r\n");
    const auto wait = [&gate]() -> http::awaitable<bool> {
        http::signal never;
        co_return co_await never.wait(gate.core().timers(), std::chrono::steady_clock::now() + 500ms);
    };
    CHECK_FALSE(on_core<bool>(gate.core(), wait));
    agent.send("56789");
    CHECK(agent.rest() == "5\r\n56789\r\n0\r\n\r\n");
    CHECK_FALSE(gate.told().failed);
}

TEST_CASE("both ways at once: an agent's body that fails cuts request and answer")
{
    std::promise<bool> ended;
    upstream there([&](peer& p, int) {
        p.head();
        p.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk("begun"));
        p.rest();
        ended.set_value(p.was_reset());
    });
    proxy gate(route_to(there.port()));
    loopback::client agent(gate.port());
    agent.send(post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"));
    agent.until("begun\r\n");
    agent.send("zz\r\n");
    CHECK(agent.rest().empty());  // no last chunk
    const forwarded told = gate.told();
    REQUIRE(told.failed);
    CHECK(told.failed->what == problem::malformed_request);
    CHECK(told.head_written);
    auto cut = ended.get_future();
    REQUIRE(cut.wait_for(loopback::patience) == std::future_status::ready);
    CHECK(cut.get());
}

TEST_CASE("an upstream that takes no more and says nothing is late")
{
    const std::string large = pattern(32 << 20);
    std::promise<void> done;
    upstream there([&](peer& p, int) {
        p.head();
        done.get_future().wait_for(loopback::patience);
    });
    auto route = route_to(there.port(), 400ms);
    route.body_limit = 64 << 20;
    proxy gate(route);
    gate.read_bodies_first();
    CHECK(begins(gate.ask(post("Content-Length: " + std::to_string(large.size()) + "\r\n", large)), "HTTP/1.1 504 "));
    const forwarded told = gate.told();
    REQUIRE(told.failed);
    CHECK(told.failed->what == problem::upstream_timeout);
    done.set_value();
}

TEST_CASE("large both ways, each as fast as the other takes it")
{
    const std::string large = pattern(8 << 20);
    upstream there([&](peer& p, int) {
        p.head();
        const std::string body = p.exactly(large.size());
        p.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (std::size_t at = 0; at < body.size(); at += 100'000) p.send(chunk(std::string_view(body).substr(at, 100'000)));
        p.send("0\r\n\r\n");
        p.rest();
    });
    auto route = route_to(there.port());
    route.body_limit = 64 << 20;
    proxy gate(route);
    loopback::client agent(gate.port());
    std::thread sender([&] { agent.send(post("Content-Length: " + std::to_string(large.size()) + "\r\n", large)); });
    agent.until("\r\n\r\n");
    const std::string body = agent.rest();
    sender.join();
    CHECK(unchunked(body) == large);
    CHECK_FALSE(gate.told().failed);
    CHECK(gate.counts().idle == 1);
}

TEST_CASE("an agent that leaves in the middle of the answer")
{
    std::promise<void> ended;
    upstream there([&](peer& p, int) {
        p.head();
        p.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        while (p.send(chunk(std::string(100'000, 'x')))) {}
        ended.set_value();
    });
    proxy gate(route_to(there.port()));
    {
        loopback::client agent(gate.port());
        agent.send("GET /x HTTP/1.1\r\nHost: gate\r\n\r\n");
        agent.until("\r\n\r\n");
        agent.reset();
    }
    const forwarded told = gate.told();
    CHECK(told.agent_gone);
    CHECK_FALSE(told.failed);
    CHECK(told.status == 200);
    CHECK(ended.get_future().wait_for(loopback::patience) == std::future_status::ready);
    CHECK(gate.counts().idle == 0);
}

TEST_CASE("an agent that leaves in the middle of its body")
{
    std::promise<void> upstream_has_it;
    std::promise<bool> ended;
    upstream there([&](peer& p, int) {
        p.head();
        p.until("hello");
        upstream_has_it.set_value();
        p.rest();
        ended.set_value(p.was_reset());
    });
    proxy gate(route_to(there.port()));
    {
        loopback::client agent(gate.port());
        agent.send(post("Content-Length: 100\r\n", "hello"));
        REQUIRE(upstream_has_it.get_future().wait_for(loopback::patience) == std::future_status::ready);
        agent.reset();
    }
    const forwarded told = gate.told();
    REQUIRE(told.failed);
    CHECK(told.failed->what == problem::malformed_request);
    auto cut = ended.get_future();
    REQUIRE(cut.wait_for(loopback::patience) == std::future_status::ready);
    CHECK(cut.get());
}

TEST_CASE("the gateway stops while calls are under way")
{
    std::promise<void> both;
    std::atomic<int> here{0};
    upstream there([&](peer& p, int) {
        p.head();
        if (++here == 2) both.set_value();
        p.rest();
    });
    proxy gate(route_to(there.port(), 30s));
    loopback::client waiting(gate.port()), sending(gate.port());
    waiting.send("GET /x HTTP/1.1\r\nHost: gate\r\n\r\n");
    sending.send(post("Content-Length: 100\r\n", "hello"));
    REQUIRE(both.get_future().wait_for(loopback::patience) == std::future_status::ready);
    const auto stop = [&gate]() -> http::awaitable<bool> {
        gate.pool().stop();
        co_return true;
    };
    on_core<bool>(gate.core(), stop);
    for (std::size_t nth = 0; nth < 2; ++nth) {
        const forwarded told = gate.told(nth);
        REQUIRE(told.failed);
        CHECK(told.failed->what == problem::outcome_unknown);
    }
    CHECK(begins(waiting.response(), "HTTP/1.1 502 "));
    CHECK(gate.get().ends_with("upstream-unreachable"));  // nothing new is sent
}
