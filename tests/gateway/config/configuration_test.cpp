#include "gateway/config/configuration.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace sallyport::config {
namespace {

configuration with_routes()
{
    configuration c;
    const auto add = [&](std::string id, std::string prefix, std::string host) {
        route r;
        r.id = std::move(id);
        r.prefix = std::move(prefix);
        r.host = std::move(host);
        c.routes.push_back(std::move(r));
    };
    add("payments", "/payments", "");
    add("refunds", "/payments/v1/refunds", "");
    add("crm", "/crm", "");
    add("internal", "", "api.internal.example");
    add("six", "", "10.0.0.1");
    c.index_routes();
    return c;
}

TEST_CASE("a call's route: the longest prefix of whole segments, then the host")
{
    struct row {
        std::string name;
        std::string_view host, path, id, rest;
    };
    const row rows[] = {
        {"a prefix", "gate", "/payments/v1/x", "payments", "/v1/x"},
        {"nothing behind it", "gate", "/payments", "payments", ""},
        {"a slash behind it", "gate", "/payments/", "payments", "/"},
        {"the longest", "gate", "/payments/v1/refunds/7", "refunds", "/7"},
        {"the longest, exactly", "gate", "/payments/v1/refunds", "refunds", ""},
        {"half of the longer one", "gate", "/payments/v1", "payments", "/v1"},
        {"a longer segment", "gate", "/payments2", "", ""},
        {"a longer last segment", "gate", "/payments/v1/refundsx", "payments", "/v1/refundsx"},
        {"another case", "gate", "/Payments", "", ""},
        {"the root", "gate", "/", "", ""},
        {"no path", "gate", "", "", ""},
        {"the middle of a path", "gate", "/x/crm", "", ""},
        {"a host", "api.internal.example", "/x", "internal", "/x"},
        {"a host in capitals with a port", "API.Internal.Example:8080", "/x", "internal", "/x"},
        {"a prefix before a host", "api.internal.example", "/crm/x", "crm", "/x"},
        {"an address", "10.0.0.1:80", "/", "six", "/"},
        {"another host", "x.api.internal.example", "/x", "", ""},
        {"no host", "", "/x", "", ""},
        {"an address in brackets", "[::1]:80", "/x", "", ""},
        {"half a bracket", "[", "/x", "", ""},
    };
    const auto c = with_routes();
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto found = c.match_route(r.host, r.path);
        if (r.id.empty()) {
            CHECK(found.route == nullptr);
            continue;
        }
        REQUIRE(found.route);
        CHECK(found.route->id == r.id);
        CHECK(found.rest == r.rest);
    }
    CHECK(c.match_route(std::string(10'000, 'a'), "/x").route == nullptr);
}

TEST_CASE("a prefix of one slash takes what no other does")
{
    auto c = with_routes();
    route all;
    all.id = "all";
    all.prefix = "/";
    c.routes.push_back(all);
    c.index_routes();
    CHECK(c.match_route("gate", "/else/where").route->id == "all");
    CHECK(c.match_route("gate", "/else/where").rest == "/else/where");
    CHECK(c.match_route("gate", "/crm/x").route->id == "crm");
    CHECK(c.match_route("gate", "/").rest == "/");
}

TEST_CASE("routes are found by id, and know their place")
{
    const auto c = with_routes();
    REQUIRE(c.find_route("crm"));
    CHECK(c.find_route("crm")->index == 2);
    CHECK(c.find_route("crn") == nullptr);
    CHECK(c.find_route("") == nullptr);
    CHECK(configuration{}.find_route("crm") == nullptr);
    CHECK(configuration{}.match_route("gate", "/crm").route == nullptr);
}

TEST_CASE("what only a restart changes")
{
    const configuration running;
    CHECK(restart_needed(running, configuration{}).empty());
    configuration loaded;
    loaded.metrics.port = 1;
    loaded.public_url = "http://x";
    loaded.agents_url = "http://y";
    loaded.database_password = secret_source{secret_source::kind::env, "P", {}};
    loaded.people_tls = tls_files{"c", "k"};
    loaded.limits.holds = 1;
    CHECK(restart_needed(running, loaded) == std::vector<std::string_view>{"listen", "public_url", "agents_url", "database", "tls"});
}

TEST_CASE("what only a restart changes goes into what is loaded as it runs")
{
    configuration running;
    running.agents_url = "http://127.0.0.1:41234";
    running.people_tls = tls_files{"c", "k"};
    configuration loaded;
    loaded.agents_url = "http://elsewhere";
    loaded.database = "postgresql://h/d";
    loaded.limits.holds = 1;
    static_cast<process_settings&>(loaded) = running;  // NOLINT(cppcoreguidelines-slicing): only that part is what changes
    CHECK(restart_needed(running, loaded).empty());
    CHECK(loaded.agents_url == running.agents_url);
    CHECK(loaded.database.empty());
    CHECK(loaded.people_tls->key == "k");
    CHECK(loaded.limits.holds == 1);
}

TEST_CASE("URLs follow from the ports that were bound, unless they were given")
{
    struct row {
        const char* name;
        std::uint16_t agents, people;  // as written
        bool tls;
        const char *agents_url, *public_url;  // as written
        const char *agents_then, *public_then;
    };
    const row rows[] = {
        {"both chosen", 0, 0, false, "", "", "http://127.0.0.1:40001", "http://localhost:40002"},
        {"with certificates", 0, 0, true, "", "", "https://127.0.0.1:40001", "https://localhost:40002"},
        {"both given", 0, 0, false, "https://a.example", "https://p.example", "https://a.example", "https://p.example"},
        {"as they were", 40001, 40002, false, "", "", "http://127.0.0.1:40001", "http://localhost:40002"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        configuration c;
        c.agents.port = r.agents;
        c.people.port = r.people;
        c.agents_url = r.agents_url;
        c.public_url = r.public_url;
        if (r.tls) c.agents_tls = c.people_tls = tls_files{"c", "k"};
        c.settle_urls();
        c.bound(40001, 40002, 40003);
        CHECK(c.agents_url == r.agents_then);
        CHECK(c.public_url == r.public_then);
        CHECK(c.agents.port == 40001);
        CHECK(c.metrics.port == 40003);
    }
}

TEST_CASE("an address to listen at, as text")
{
    CHECK(listen_address{"127.0.0.1", 8080}.text() == "127.0.0.1:8080");
    CHECK(listen_address{"::1", 80}.text() == "[::1]:80");
}

}  // namespace
}  // namespace sallyport::config
