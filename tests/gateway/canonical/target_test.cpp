#include "gateway/canonical/target.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

using namespace sallyport;

namespace {

constexpr target_options keep_all{true, true};

struct read_result {
    std::string path;
    std::optional<std::string> query;
    friend bool operator==(const read_result&, const read_result&) = default;
};

std::optional<read_result> read(std::string_view raw, target_options keep = {}, std::string_view host = "gate.example")
{
    std::string scratch = "from before";
    const auto t = read_target(raw, host, scratch);
    if (!t) {
        CHECK(t.error().what == problem::malformed_request);
        CHECK_FALSE(t.error().detail.empty());
        return std::nullopt;
    }
    if (const auto refused = t->refused_by(keep)) {
        CHECK(refused->what == problem::malformed_request);
        return std::nullopt;
    }
    read_result r{std::string(t->path), std::nullopt};
    if (t->query) r.query = std::string(*t->query);
    return r;
}

}  // namespace

TEST_CASE("one form for one target")
{
    struct row {
        const char* name;
        const char* raw;
        const char* path;
        std::optional<std::string> query;
    };
    const row rows[] = {
        {"the root", "/", "/", {}},
        {"as it is", "/payments/v1/refunds", "/payments/v1/refunds", {}},
        {"a slash at the end stays", "/crm/x/", "/crm/x/", {}},
        {"unreserved escapes are decoded", "/crm/%7e%41-%e2%82%ac/x", "/crm/~A-%E2%82%AC/x", {}},
        {"also in upper case", "/%41%2D%5F%7E%39", "/A-_~9", {}},
        {"reserved escapes stay escaped", "/a%3a%40%2b%26%3F%23%25", "/a%3A%40%2B%26%3F%23%25", {}},
        {"what is reserved stays unescaped", "/a:@+&=$,!*'()", "/a:@+&=$,!*'()", {}},
        {"an escaped percent is no second escape", "/%252e%252E/x", "/%252e%252E/x", {}},
        {"what RFC 3986 wants escaped is", "/a[0]|{b}^`\"<c>", "/a%5B0%5D%7C%7Bb%7D%5E%60%22%3Cc%3E", {}},
        {"three dots are a name", "/.../a..b/.c", "/.../a..b/.c", {}},
        {"an escaped control is kept", "/a%0ab", "/a%0Ab", {}},
        {"a query", "/a?b=c&d=%7e%c3%a4%2f%5c", "/a", "b=c&d=~%C3%A4%2F%5C"},
        {"a query keeps what is unwise in a path", "/a?f[x]={1}|2^`;/?//../\"<>\\", "/a", "f[x]={1}|2^`;/?//../\"<>\\"},
        {"a plus is not decoded", "/a?b=1+2%2b3", "/a", "b=1+2%2B3"},
        {"an empty query is one", "/a?", "/a", ""},
        {"a query behind a changed path", "/%61?%62=%7E", "/a", "b=~"},
        {"a changed query behind a path as it is", "/a?%62", "/a", "b"},
        {"absolute", "http://gate.example/a?b", "/a", "b"},
        {"absolute, in other letters", "HTTP://GATE.Example/%61", "/a", {}},
        {"absolute, the scheme's port", "http://gate.example:80/a", "/a", {}},
        {"absolute, https", "https://gate.example:443/a", "/a", {}},
        {"absolute, an empty port", "http://gate.example:/a", "/a", {}},
        {"absolute, no path", "http://gate.example", "/", {}},
        {"absolute, no path but a query", "http://gate.example?x=%41", "/", "x=A"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto got = read(r.raw);
        REQUIRE(got);
        CHECK(got->path == r.path);
        CHECK(got->query == r.query);
        // the form of the form is the form
        const std::string again = got->path + (got->query ? "?" + *got->query : "");
        CHECK(read(again) == got);
    }
}

TEST_CASE("nothing is copied when nothing changes")
{
    const std::string raw = "/payments/v1/refunds%2C1?x=%2F";
    std::string scratch = "untouched";
    const auto t = read_target(raw, "h", scratch);
    REQUIRE(t.has_value());
    CHECK(t->path.data() == raw.data());
    CHECK(scratch == "untouched");
}

TEST_CASE("what servers resolve differently is refused, whatever the route keeps")
{
    struct row {
        const char* name;
        std::string raw;
    };
    const row rows[] = {
        {"an empty segment", "/crm//x"},
        {"an empty first segment", "//crm"},
        {"only slashes", "//"},
        {"empty at the end", "/a//"},
        {"a dot", "/crm/./x"},
        {"a dot at the end", "/crm/."},
        {"two dots", "/crm/../x"},
        {"two dots at the end", "/crm/.."},
        {"two dots alone", "/.."},
        {"escaped dots", "/crm/%2e%2e/x"},
        {"half escaped dots", "/crm/.%2E/x"},
        {"an escaped dot", "/crm/%2e"},
        {"dots before a query", "/crm/..?x"},
        {"a backslash", "/crm\\x"},
        {"an escaped backslash", "/crm/a%5cb"},
        {"an escaped NUL", "/crm/%00"},
        {"an escaped NUL in the query", "/crm?a=%00"},
        {"a broken escape", "/crm/%zz"},
        {"an escape cut off", "/crm/%4"},
        {"a percent alone", "/crm/%"},
        {"a broken escape in the query", "/crm?%g0"},
        {"an escape cut off in the query", "/crm?a%f"},
        {"an escape across the question mark", "/crm/%4?1"},
        {"a space", "/crm/a b"},
        {"a tab", "/crm/a\tb"},
        {"a line feed", "/crm/a\nb"},
        {"a control in the query", "/crm?a\x01"},
        {"DEL", "/crm/\x7f"},
        {"not ASCII", "/crm/\xc3\xa4"},
        {"not ASCII in the query", "/crm?\xc3\xa4"},
        {"a fragment", "/crm#x"},
        {"a fragment in the query", "/crm?a#x"},
        {"a NUL", std::string("/crm\0x", 6)},
        {"dots behind an escaped slash", "/crm/a%2F.."},
        {"dots between escaped slashes", "/crm/a%2f%2e%2e%2fb"},
        {"dots before an escaped slash", "/crm/..%2fb"},
        {"dots before a parameter", "/crm/..;x/y"},
        {"dots before an escaped parameter", "/crm/..%3bx/y"},
        {"a dot before a parameter", "/crm/.;/y"},
        {"nothing before a parameter", "/crm/;x/y"},
        {"dots behind an escaped slash, before a parameter", "/crm/a%2f..;b/c"},
        {"the asterisk", "*"},
        {"an authority", "gate.example:443"},
        {"nothing", ""},
        {"a name", "crm"},
        {"a query alone", "?a"},
        {"another host", "http://other.example/a"},
        {"another port", "http://gate.example:8080/a"},
        {"https' port for http", "http://gate.example:443/a"},
        {"a user", "http://gate.example@other.example/a"},
        {"a user of the same host", "http://u@gate.example/a"},
        {"no authority", "http:///a"},
        {"another scheme", "ftp://gate.example/a"},
        {"no scheme", "://gate.example/a"},
        {"an absolute fragment", "http://gate.example#a"},
        {"absolute with dots", "http://gate.example/a/../b"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK_FALSE(read(r.raw, keep_all));
    }
}

TEST_CASE("escaped slashes and path parameters are the route's to keep")
{
    struct row {
        const char* raw;
        bool slash;
        bool parameter;
        const char* path;
    };
    const row rows[] = {{"/a%2fb", true, false, "/a%2Fb"},
                        {"/a%2Fb%2F/c", true, false, "/a%2Fb%2F/c"},
                        {"/https:%2f%2Fx", true, false, "/https:%2F%2Fx"},
                        {"/a;b=c/d", false, true, "/a;b=c/d"},
                        {"/a%3bb/d;", false, true, "/a%3Bb/d;"},
                        {"/a;..;/b", false, true, "/a;..;/b"},
                        {"/a%2Fb;c", true, true, "/a%2Fb;c"},
                        {"/a?%2F;%3B", false, false, "/a"}};
    for (const row& r : rows) {
        CAPTURE(r.raw);
        std::string scratch;
        const auto t = read_target(r.raw, "h", scratch);
        REQUIRE(t.has_value());
        CHECK(t->path == r.path);
        CHECK(t->has_encoded_slash == r.slash);
        CHECK(t->has_path_parameter == r.parameter);
        CHECK(t->refused_by({}).has_value() == (r.slash || r.parameter));
        CHECK(t->refused_by({true, false}).has_value() == r.parameter);
        CHECK(t->refused_by({false, true}).has_value() == r.slash);
        CHECK_FALSE(t->refused_by(keep_all).has_value());
    }
}

TEST_CASE("Host with a port")
{
    CHECK(read("http://127.0.0.1:8080/a", {}, "127.0.0.1:8080"));
    CHECK(read("http://[::1]:8080/a", {}, "[::1]:8080"));
    CHECK(read("http://[::1]/a", {}, "[::1]:80"));
    CHECK_FALSE(read("http://[::1]:81/a", {}, "[::1]:80"));
    CHECK_FALSE(read("http://gate.example/a", {}, ""));
    CHECK(host_name("API.Example:8443") == "api.example");
    CHECK(host_name("[2001:DB8::1]:8443") == "[2001:db8::1]");
    CHECK(host_name("plain") == "plain");
    CHECK(host_name("") == "");
}

TEST_CASE("the rest is appended to the upstream's base")
{
    CHECK(join_target("", "/v1/refunds", {}) == "/v1/refunds");
    CHECK(join_target("/base", "/v1", "a=b") == "/base/v1?a=b");
    CHECK(join_target("/base", "", {}) == "/base");
    CHECK(join_target("/base", "/", {}) == "/base/");
    CHECK(join_target("", "", {}) == "/");
    CHECK(join_target("", "", "q") == "/?q");
    CHECK(join_target("/base", "", "") == "/base?");
    std::string line = "GET ";
    append_target(line, "", "", {});
    CHECK(line == "GET /");
}
