#include "gateway/serve/operations.hpp"

#include "tests/gateway/http/loopback.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

namespace sallyport::serve {
namespace {

using namespace loopback;

config::snapshot some_policy(std::string digest)
{
    auto made = std::make_shared<config::configuration>();
    made->digest = std::move(digest);
    return made;
}

std::string get(const std::string& target) { return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n"; }

TEST_CASE("what those who run the gateway see before there is a database, and as it ends")
{
    metrics::registry metrics;
    metrics.count("sallyport_test_total", "A test's.", {{"name", "x"}}).add();
    identity::standings standings{some_policy("aa11")};
    operations ops{metrics, standings};
    running server([&ops](exchange& x) { return ops.serve(x); });
    client peer(server.port());
    const auto ask = [&](const std::string& request) {
        peer.send(request);
        return peer.response();
    };

    struct row {
        const char* name;
        std::string request;
        const char* begins_with;
        const char* says;
    };
    const row rows[] = {
        {"it lives", get("/healthz"), "HTTP/1.1 200 ", "alive"},
        {"it is asked with a query", get("/healthz?x=1"), "HTTP/1.1 200 ", "alive"},
        {"it cannot work yet", get("/readyz"), "HTTP/1.1 503 ", "starting"},
        {"measurements", get("/metrics"), "HTTP/1.1 200 ", "sallyport_test_total{name=\"x\"} 1"},
        {"its policy is one", get("/metrics"), "HTTP/1.1 200 ", "sallyport_policy_info{digest=\"aa11\"} 1"},
        {"nothing else is here", get("/api/v1/holds"), "HTTP/1.1 404 ", "urn:sallyport:problem:not-found"},
        {"it is read only", "POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 405 ",
         "urn:sallyport:problem:method-not-allowed"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto answer = ask(r.request);
        CHECK(begins(answer, r.begins_with));
        CHECK(has(answer, r.says));
    }
    // What only the database knows is left out, not said to be nothing.
    CHECK_FALSE(has(ask(get("/metrics")), "sallyport_holds"));

    standings.publish(some_policy("bb22"));
    CHECK(has(ask(get("/metrics")), "digest=\"bb22\""));

    ops.started.store(true);
    ops.stopping = true;
    CHECK(has(ask(get("/readyz")), "stopping"));
}

}  // namespace
}  // namespace sallyport::serve
