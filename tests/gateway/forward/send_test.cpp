#include "gateway/forward/send.hpp"

#include "tests/gateway/forward/stand_in.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

using namespace stand_in;
using forward::sent_kind;
using loopback::begins;
using loopback::has;
using sallyport::problem;

namespace {

/// Takes what is too long, or refuses it from some point on.
struct collecting : forward::answer_sink {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    std::optional<std::uint64_t> length;
    std::string bytes;
    std::optional<bool> whole;
    std::size_t takes = SIZE_MAX;  // bytes, then no more

    http::awaitable<bool> begin(int s, std::span<const std::pair<std::string, std::string>> h, std::optional<std::uint64_t> l) override
    {
        status = s;
        headers.assign(h.begin(), h.end());
        length = l;
        co_return takes > 0;
    }
    http::awaitable<bool> write(std::string_view more) override
    {
        bytes += more;
        co_return bytes.size() < takes;
    }
    http::awaitable<void> end(bool all) override
    {
        whole = all;
        co_return;
    }
};

struct releasing {
    http::core core;
    std::unique_ptr<forward::upstream_pool> pool = std::make_unique<forward::upstream_pool>(core);
    std::optional<forward::injected_credential> credential;
    std::function<void()> when_sending = [] {};  // on the core, when the sending waits for the first time

    releasing() { core.start(); }
    ~releasing()
    {
        const auto end = [this]() -> http::awaitable<void> {
            CHECK(pool->counts().leased == 0);
            pool.reset();
            co_return;
        };
        loopback::on(core, end());
    }
    forward::sent send(const config::route& route, std::string_view body = "{\"a\":1}", std::uint64_t limit = 1000,
                       forward::answer_sink* sink = nullptr, std::string_view method = "POST")
    {
        const std::vector<sallyport::field> headers = {{"content-type", "application/json"}};
        const std::vector<sallyport::field> extra = {{"sallyport-receipt", "r"}};
        const forward::outgoing request{method, "/v1/refunds", route.upstream.authority, headers, credential, extra};
        const auto make = [&]() {
            core.post(when_sending);
            return forward::send(*pool, route, request, body, limit, sink);
        };
        return on_core<forward::sent>(core, make);
    }
};

const std::string ok = "HTTP/1.1 200 OK\r\n";

}  // namespace

TEST_CASE("a release: sent once, its answer kept")
{
    std::string seen, body;
    upstream there([&](peer& p, int) {
        seen = p.head();
        body = p.exactly(7);
        p.send("HTTP/1.1 201 Created\r\nX-Upstream: echo\r\nConnection: keep-alive\r\nSallyport-Hold: forged\r\nSet-Cookie: "
               "a=1\r\nSet-Cookie: b=2\r\n"
               "Content-Length: 5\r\n\r\nhello");
        p.rest();
    });
    releasing out;
    const auto told = out.send(route_to(there.port()));
    CHECK(told.kind == sent_kind::answered);
    CHECK_FALSE(told.why);
    CHECK(told.answer.status == 201);
    CHECK(told.answer.body == "hello");
    CHECK(told.answer.headers ==
          std::vector<std::pair<std::string, std::string>>{{"x-upstream", "echo"}, {"set-cookie", "a=1"}, {"set-cookie", "b=2"}});
    CHECK(begins(seen, "POST /v1/refunds HTTP/1.1\r\n"));
    CHECK(has(seen, "\r\ncontent-type: application/json\r\nsallyport-receipt: r\r\n"));
    CHECK(body == "{\"a\":1}");
    CHECK(told.request_bytes == seen.size() + body.size());
    CHECK(told.times.connected <= told.times.first_byte);
    CHECK(there.connections() == 1);
}

TEST_CASE("what went while the reader waited was sent, though nothing went at once")
{
    constexpr char junk = 'j';
    for (const bool reset : {false, true}) {
        CAPTURE(reset);
        std::promise<void> filled;
        std::promise<void> done;
        std::string seen;
        upstream there([&](peer& p, int) {
            filled.get_future().wait_for(loopback::patience);
            // The junk, and of the request the head and a part of the body.
            seen = p.until("\r\n\r\n");
            p.exactly(100);
            if (reset) return p.reset();
            p.shutdown_send();
            done.get_future().wait_for(loopback::patience);
        });
        releasing out;
        const auto route = route_to(there.port(), 2s);
        // An idle connection that takes not one byte more now.
        const auto fill = [&]() -> http::awaitable<bool> {
            auto taken = co_await out.pool->take(route.upstream, route.ca, std::chrono::steady_clock::now() + 5s);
            REQUIRE(taken.has_value());
            const std::string much(100'000, junk);
            // The kernel makes room for a while: until a pause has made none.
            for (bool took = true; took;) {
                took = false;
                while (!(*taken)->stream.try_write(much).error) took = true;
                http::signal never;
                co_await never.wait(out.core.timers(), std::chrono::steady_clock::now() + 200ms);
            }
            (*taken)->idle_time = 30s;
            taken->give_back();
            co_return true;
        };
        REQUIRE(on_core<bool>(out.core, fill));
        out.when_sending = [&filled] { filled.set_value(); };
        const auto told = out.send(route, std::string(32 << 20, 'b'));
        CHECK(has(seen, "POST /v1/refunds HTTP/1.1\r\n"));
        CHECK(told.kind == sent_kind::unknown);
        CHECK(told.request_bytes > 0);
        CHECK(there.connections() == 1);
        done.set_value();
    }
}

TEST_CASE("an end that comes together with a part of the head is noticed at once")
{
    upstream there([](peer& p, int) {
        p.head();
        p.exactly(7);
        p.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        p.head();
        p.exactly(7);
        p.send_with_end();
        p.send("HTTP/1.1 200 OK\r\nCon");
    });
    releasing out;
    CHECK(out.send(route_to(there.port())).kind == sent_kind::answered);
    const auto began = std::chrono::steady_clock::now();
    CHECK(out.send(route_to(there.port(), 4s)).kind == sent_kind::unknown);
    CHECK(std::chrono::steady_clock::now() - began < 3s);
}

TEST_CASE("how a release ends")
{
    struct row {
        const char* name;
        std::string answer;
        bool stays;
        sent_kind kind;
        int status;
        std::string body;
    };
    const row rows[] = {
        {"5xx is an answer", "HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno", true, sent_kind::answered, 500, "no"},
        {"no content", "HTTP/1.1 204 No Content\r\n\r\n", true, sent_kind::answered, 204, ""},
        {"chunked", ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", true, sent_kind::answered, 200, "abc"},
        {"until the end", ok + "\r\nabc", false, sent_kind::answered, 200, "abc"},
        {"after 1xx", "HTTP/1.1 102 P\r\n\r\n" + ok + "Content-Length: 1\r\n\r\na", true, sent_kind::answered, 200, "a"},
        {"exactly the limit", ok + "Content-Length: 1000\r\n\r\n" + std::string(1000, 'x'), true, sent_kind::answered, 200,
         std::string(1000, 'x')},
        {"longer, by its length", ok + "Content-Length: 1001\r\n\r\n" + std::string(1001, 'x'), true, sent_kind::too_long, 200, ""},
        {"longer, as it turns out", ok + "\r\n" + std::string(100'000, 'x'), false, sent_kind::too_long, 200, ""},
        {"longer, and cut", ok + "Content-Length: 5000\r\n\r\n" + std::string(3000, 'x'), false, sent_kind::unknown, 0, ""},
        {"nothing, closed", "", false, sent_kind::unknown, 0, ""},
        {"nothing, open", "", true, sent_kind::unknown, 0, ""},
        {"half a head", ok + "Con", false, sent_kind::unknown, 0, ""},
        {"malformed", ok + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", true, sent_kind::unknown, 0, ""},
        {"the body is cut", ok + "Content-Length: 10\r\n\r\nabc", false, sent_kind::unknown, 0, ""},
        {"the body stalls", ok + "Content-Length: 10\r\n\r\nabc", true, sent_kind::unknown, 0, ""},
        {"no last chunk", ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", false, sent_kind::unknown, 0, ""},
        {"a broken chunk", ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", true, sent_kind::unknown, 0, ""},
        {"101", "HTTP/1.1 101 S\r\n\r\n", true, sent_kind::unknown, 0, ""},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        upstream there([&r](peer& p, int) {
            p.head();
            p.exactly(7);
            p.send(r.answer);
            if (r.stays) p.rest();
        });
        releasing out;
        const auto told = out.send(route_to(there.port(), 400ms));
        CHECK(told.kind == r.kind);
        CHECK(told.answer.status == r.status);
        CHECK(told.answer.body == r.body);
        CHECK(told.why.has_value() == (r.kind == sent_kind::unknown));
        if (told.why) CHECK(told.why->what == problem::outcome_unknown);
        CHECK(there.connections() == 1);
    }
}

TEST_CASE("the whole answer has the route's timeout: drops do not prolong it")
{
    std::promise<void> told_it;
    upstream there([&](peer& p, int) {
        p.head();
        p.exactly(7);
        p.send(ok + "Transfer-Encoding: chunked\r\n\r\n");
        // A byte at a time for as long as anybody listens, paced by the other side's silence.
        auto tick = told_it.get_future();
        while (tick.wait_for(50ms) != std::future_status::ready && p.send("1\r\nx\r\n")) {}
    });
    releasing out;
    const auto began = std::chrono::steady_clock::now();
    const auto told = out.send(route_to(there.port(), 400ms));
    told_it.set_value();
    CHECK(told.kind == sent_kind::unknown);
    CHECK(std::chrono::steady_clock::now() - began < 2s);
}

TEST_CASE("nothing sent: may be tried again")
{
    std::uint16_t gone = 0;
    {
        upstream there([](peer&, int) {});
        gone = there.port();
    }
    releasing out;
    const auto told = out.send(route_to(gone));
    CHECK(told.kind == sent_kind::nothing_sent);
    REQUIRE(told.why);
    CHECK(told.why->what == problem::upstream_unreachable);
    CHECK(told.request_bytes == 0);
    CHECK(told.times.first_byte == http::steady_time{});
}

TEST_CASE("HEAD keeps what Content-Length said")
{
    upstream there([](peer& p, int) {
        p.head();
        p.send(ok + "Content-Length: 77\r\n\r\n");
        p.rest();
    });
    releasing out;
    const auto told = out.send(route_to(there.port()), "", 1000, nullptr, "HEAD");
    CHECK(told.kind == sent_kind::answered);
    CHECK(told.answer.body.empty());
    CHECK(told.answer.declared_length == 77u);
}

TEST_CASE("a kept connection that closed is replaced, one that took the request is not")
{
    std::promise<void> go_on, gone;
    std::atomic<int> requests{0};
    upstream there([&](peer& p, int nth) {
        while (!p.head().empty()) {
            p.exactly(7);
            if (++requests == 3) return;  // takes it, says nothing
            p.send(ok + "Content-Length: 0\r\n\r\n");
            if (nth == 0) {
                go_on.get_future().wait_for(loopback::patience);
                p.close();
                gone.set_value();
                return;
            }
        }
    });
    releasing out;
    CHECK(out.send(route_to(there.port())).kind == sent_kind::answered);
    go_on.set_value();
    REQUIRE(gone.get_future().wait_for(loopback::patience) == std::future_status::ready);
    CHECK(out.send(route_to(there.port())).kind == sent_kind::answered);
    CHECK(there.connections() == 2);
    CHECK(out.send(route_to(there.port())).kind == sent_kind::unknown);
    CHECK(requests == 3);
    CHECK(there.connections() == 2);
}

TEST_CASE("an answer that is too long goes to whoever still waits")
{
    const std::string large(300'000, 'z');
    struct row {
        const char* name;
        std::string answer;
        std::optional<std::uint64_t> length;
        std::size_t takes;
        sent_kind kind;
    };
    const row rows[] = {
        {"with a length", ok + "X-A: 1\r\nContent-Length: 300000\r\n\r\n" + large, 300'000, SIZE_MAX, sent_kind::too_long},
        {"chunked",
         ok + "X-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n493e0\r\n" + large + "\r\n0\r\n\r\n",
         {},
         SIZE_MAX,
         sent_kind::too_long},
        {"the sink wants nothing", ok + "X-A: 1\r\nContent-Length: 300000\r\n\r\n" + large, 300'000, 0, sent_kind::too_long},
        {"the sink leaves", ok + "X-A: 1\r\nContent-Length: 300000\r\n\r\n" + large, 300'000, 5000, sent_kind::too_long},
        {"it is cut", ok + "X-A: 1\r\nContent-Length: 300001\r\n\r\n" + large, 300'001, SIZE_MAX, sent_kind::unknown},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        upstream there([&r](peer& p, int) {
            p.head();
            p.exactly(7);
            p.send(r.answer);
            if (r.kind == sent_kind::too_long) p.rest();
        });
        releasing out;
        collecting sink;
        sink.takes = r.takes;
        const auto told = out.send(route_to(there.port()), "{\"a\":1}", 1000, &sink);
        CHECK(told.kind == r.kind);
        CHECK(sink.status == 200);
        CHECK(sink.headers == std::vector<std::pair<std::string, std::string>>{{"x-a", "1"}});
        CHECK(sink.length == r.length);
        if (r.takes == SIZE_MAX) {
            CHECK(sink.bytes == large);
            CHECK(sink.whole == (r.kind == sent_kind::too_long));
        } else {
            CHECK_FALSE(sink.whole.has_value());
        }
        CHECK(told.answer.body.empty());
    }
}

TEST_CASE("the credential is not kept either")
{
    upstream there([](peer& p, int) {
        const std::string head = p.head();
        CHECK(has(head, "\r\nAuthorization: Basic dXNlcjpwYXNzLXdvcmQ=\r\n"));
        p.exactly(7);
        p.send(ok + "X-Echo: Basic dXNlcjpwYXNzLXdvcmQ=\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "a\r\nuser:pass-\r\n4\r\nword\r\n1\r\n!\r\n0\r\n\r\n");
        p.rest();
    });
    releasing out;
    const forward::credential_forms forms("Basic dXNlcjpwYXNzLXdvcmQ=", "user:pass-word");
    out.credential = forward::injected_credential{"Authorization", "Basic dXNlcjpwYXNzLXdvcmQ=", &forms};
    const auto told = out.send(route_to(there.port()));
    CHECK(told.kind == sent_kind::answered);
    CHECK(told.answer.body == "[credential]!");
    CHECK(told.answer.headers == std::vector<std::pair<std::string, std::string>>{{"x-echo", "[credential]"}});
}

TEST_CASE("a large request that is answered before it is sent")
{
    const std::string large(32 << 20, 'y');
    std::promise<void> done;
    upstream there([&](peer& p, int) {
        p.head();
        p.send("HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno");
        done.get_future().wait_for(loopback::patience);
    });
    releasing out;
    const auto told = out.send(route_to(there.port()), large);
    done.set_value();
    CHECK(told.kind == sent_kind::answered);
    CHECK(told.answer.status == 413);
    CHECK(told.request_bytes < large.size());
}
