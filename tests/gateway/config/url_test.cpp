#include "gateway/config/url.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace sallyport::config {
namespace {

TEST_CASE("URLs in one form")
{
    struct row {
        std::string_view text, authority, path, host;
        std::uint16_t port;
        bool address;
    };
    const row rows[] = {
        {"https://api.example", "api.example", "", "api.example", 443, false},
        {"HTTPS://API.Example:443/", "api.example", "", "api.example", 443, false},
        {"http://api.example:8080/base/", "api.example:8080", "/base", "api.example", 8080, false},
        {"http://127.0.0.1:80/a/b", "127.0.0.1", "/a/b", "127.0.0.1", 80, true},
        {"http://[::1]:9", "[::1]:9", "", "::1", 9, true},
        {"http://a_b.example/%C3%A4", "a_b.example", "/%C3%A4", "a_b.example", 80, false},
    };
    for (const row& r : rows) {
        CAPTURE(r.text);
        std::string wrong;
        const auto u = read_url(r.text, "http", "https", wrong);
        REQUIRE_MESSAGE(u, wrong);
        CHECK(u->authority == r.authority);
        CHECK(u->path == r.path);
        CHECK(u->host == r.host);
        CHECK(u->port == r.port);
        CHECK(u->address == r.address);
    }
}

TEST_CASE("URLs that are refused, without being repeated")
{
    struct row {
        std::string_view text, message;
    };
    const row rows[] = {
        {"", "must be a URL"},
        {"api.example", "must be a URL"},
        {"not a url", "must be a URL"},
        {"https:/api.example", "must be a URL"},
        {"https://", "needs a host"},
        {"https://:80", "needs a host"},
        {"ftp://api.example", "must begin with http:// or https://"},
        {"https://ada@api.example", "user or password"},
        {"https://ada:hunter2@api.example", "user or password"},
        {"https://:@api.example", "user or password"},
        {"https://api.example?hunter2", "query"},
        {"https://api.example#hunter2", "fragment"},
        {"https://api.example:0", "port"},
        {"https://api.example:65536", "port"},
        {"https://%68ost.example", "host"},
        {"https://-api.example", "host"},
        {"https://api..example", "host"},
        {"https://api.example/a//b", "empty segment"},
        {"https://api.example/a/../b", "segment"},
        {"https://api.example/a%2fb", "refused in every call"},
        {"https://api.example/%61", "needs no escape"},
        {"https://api.example/a;b", "character"},
        {"https://[fe80::1%25eth0]/", "must be a URL"},
    };
    for (const row& r : rows) {
        CAPTURE(r.text);
        std::string wrong;
        CHECK(!read_url(r.text, "http", "https", wrong));
        CHECK_MESSAGE(wrong.find(r.message) != std::string::npos, wrong);
        CHECK(wrong.find("hunter2") == std::string::npos);
    }
}

TEST_CASE("paths in the form that is judged")
{
    for (const std::string_view right : {"/a", "/a/b", "/a.b/~c", "/%C3%A4", "/%20x", "/a:b@c", "/.a", "/..."}) {
        CAPTURE(right);
        CHECK(wrong_with_path(right).empty());
    }
    for (const std::string_view wrong :
         {"",     "a",    "/",    "/a/",  "//",   "//a",  "/./a", "/a/..", "/%2e", "/%C3%a4",   "/%",   "/%4",
          "/%zz", "/%5C", "/%00", "/%3B", "/a b", "/a;b", "/a?b", "/a#b",  "/\\",  "/\xC3\xA4", "/a\"b"}) {
        CAPTURE(wrong);
        CHECK(!wrong_with_path(wrong).empty());
    }
}

TEST_CASE("database URIs, without passwords")
{
    for (const std::string_view right : {"postgresql://", "postgres://user@host/db", "postgresql://host:5432/db",
                                         "postgresql://u@a:1,b:2/db?target_session_attrs=read-write",
                                         "postgresql:///db?host=/run/postgresql", "postgresql://u%40x@[::1]:5432/d"}) {
        CAPTURE(right);
        CHECK(wrong_with_database(right).empty());
    }
    for (const std::string_view wrong :
         {"", "host=x user=y", "mysql://x", "postgresql://u:p@host/db", "postgresql://u:@host", "postgresql://host/db?password=x",
          "postgresql://host/db?sslmode=require&pass%77ord=x", "postgresql://host/db?sslpassword=x", "postgresql://ho st/",
          "postgresql://h/%zz", "postgresql://h/%00"}) {
        CAPTURE(wrong);
        CHECK(!wrong_with_database(wrong).empty());
    }
}

TEST_CASE("addresses to listen at")
{
    const auto text = [](std::string_view t) {
        const auto a = read_listen_address(t);
        return a ? a->text() : std::string("none");
    };
    CHECK(text("127.0.0.1:8080") == "127.0.0.1:8080");
    CHECK(text("[::1]:0") == "[::1]:0");
    CHECK(text("LocalHost:65535") == "localhost:65535");
    for (const std::string_view wrong : {"", "127.0.0.1", ":80", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1: 80", "::1:80",
                                         "[x]:80", "[]:80", "a b:80", "[::1:80"}) {
        CAPTURE(wrong);
        CHECK(text(wrong) == "none");
    }
}

}  // namespace
}  // namespace sallyport::config
