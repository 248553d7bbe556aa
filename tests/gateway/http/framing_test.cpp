#include "gateway/http/framing.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace sallyport;
using namespace sallyport::http;
using namespace std::string_literals;

namespace {

constexpr std::size_t limit = 64 << 10;

// A request with these header lines, Host among them where the test wants one.
std::string post(const std::string& lines) { return "POST /a HTTP/1.1\r\n" + lines + "\r\n"; }
std::string get(const std::string& line) { return line + "\r\nHost: a\r\n\r\n"; }
std::string ok(const std::string& lines) { return "HTTP/1.1 200 OK\r\n" + lines + "\r\n"; }

}  // namespace

TEST_CASE("request heads that are refused")
{
    struct row {
        const char* name;
        std::string head;
    };
    const row rows[] = {
        // RFC 9112 §2.2: line ends
        {"bare LF ends the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n"},
        {"bare LF ends a field", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"},
        {"bare LF ends the head", "GET / HTTP/1.1\r\nHost: a\r\n\n"},
        {"two LF end the head", "GET / HTTP/1.1\r\nHost: a\n\n"},
        {"bare CR in the request line", "GET / HTTP/1.1\rHost: a\r\n\r\n"},
        {"bare CR in a value", post("Host: a\r\nX: a\rb\r\n")},
        {"CR CR LF", post("Host: a\r\nX: a\r\r\n")},
        {"an empty line first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"an empty line of LF first", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"space first", " GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"TLS on a plain port", "\x16\x03\x01\x02\x00\x01"s},
        // RFC 9112 §3: the request line
        {"no version (HTTP/0.9)", get("GET /")},
        {"nothing but a method", get("GET")},
        {"two spaces before the target", get("GET  / HTTP/1.1")},
        {"two spaces before the version", get("GET /  HTTP/1.1")},
        {"a tab before the target", get("GET\t/ HTTP/1.1")},
        {"a tab before the version", get("GET /\tHTTP/1.1")},
        {"space behind the version", get("GET / HTTP/1.1 ")},
        {"space in the target", get("GET /a b HTTP/1.1")},
        {"vertical tab in the target", get("GET /a\vb HTTP/1.1")},
        {"NUL in the target", get("GET /a\0b HTTP/1.1"s)},
        {"DEL in the target", get("GET /a\x7f HTTP/1.1")},
        {"UTF-8 in the target", get("GET /\xc3\xa4 HTTP/1.1")},
        {"a fragment", get("GET /a#b HTTP/1.1")},
        {"an empty target", get("GET  HTTP/1.1")},
        {"a relative target", get("GET a HTTP/1.1")},
        {"HTTP/1.2", get("GET / HTTP/1.2")},
        {"HTTP/2.0", get("GET / HTTP/2.0")},
        {"HTTP/1.10", get("GET / HTTP/1.10")},
        {"HTTP/01.1", get("GET / HTTP/01.1")},
        {"http/1.1", get("GET / http/1.1")},
        {"HTTP/1.", get("GET / HTTP/1.")},
        {"HTTP/1,1", get("GET / HTTP/1,1")},
        {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
        {"a method in lower case", get("get / HTTP/1.1")},
        {"a method in mixed case", get("Post / HTTP/1.1")},
        {"a method with a sign", get("GE:T / HTTP/1.1")},
        {"a method that is too long", get(std::string(25, 'A') + " / HTTP/1.1")},
        {"CONNECT", get("CONNECT a:443 HTTP/1.1")},
        {"CONNECT with a path", get("CONNECT / HTTP/1.1")},
        {"TRACE", get("TRACE / HTTP/1.1")},
        // RFC 9112 §3.2: forms of the target
        {"asterisk-form", get("OPTIONS * HTTP/1.1")},
        {"authority-form", get("GET a:80 HTTP/1.1")},
        {"absolute-form of another scheme", get("GET ftp://a/ HTTP/1.1")},
        {"absolute-form without authority", get("GET http:///a HTTP/1.1")},
        {"absolute-form with user information", get("GET http://u@a/ HTTP/1.1")},
        {"absolute-form with a bad port", get("GET http://a:x/ HTTP/1.1")},
        {"absolute-form of nothing", get("GET http:// HTTP/1.1")},
        // RFC 9112 §3.2, §7.2: Host
        {"no Host", post("")},
        {"two Hosts", post("Host: a\r\nHost: b\r\n")},
        {"the same Host twice", post("Host: a\r\nhost: a\r\n")},
        {"an empty Host", post("Host:\r\n")},
        {"Host with a path", post("Host: a/b\r\n")},
        {"Host with user information", post("Host: u@a\r\n")},
        {"Host with a list", post("Host: a, b\r\n")},
        {"Host with a space", post("Host: a b\r\n")},
        {"Host with an empty port", post("Host: a:\r\n")},
        {"Host with a bad port", post("Host: a:8o\r\n")},
        {"Host with a port too large", post("Host: a:65536\r\n")},
        {"Host with a signed port", post("Host: a:+80\r\n")},
        {"Host with two ports", post("Host: a:80:80\r\n")},
        {"Host with only a port", post("Host: :80\r\n")},
        {"Host with an open bracket", post("Host: [::1\r\n")},
        {"Host with no address in brackets", post("Host: [a]\r\n")},
        {"Host with text behind brackets", post("Host: [::1]a\r\n")},
        {"Host with an escape", post("Host: a%2eb\r\n")},
        {"Host in UTF-8", post("Host: \xc3\xa4\r\n")},
        // RFC 9112 §5: fields
        {"obs-fold", post("Host: a\r\nX: a\r\n b\r\n")},
        {"obs-fold with a tab", post("Host: a\r\nX: a\r\n\tb\r\n")},
        {"obs-fold before any field", post(" Host: a\r\n")},
        {"space before the colon", post("Host: a\r\nX : b\r\n")},
        {"tab before the colon", post("Host: a\r\nX\t: b\r\n")},
        {"Host with space before the colon", post("Host : a\r\n")},
        {"no colon", post("Host: a\r\nX\r\n")},
        {"an empty name", post("Host: a\r\n: b\r\n")},
        {"a name with a space", post("Host: a\r\nX Y: b\r\n")},
        {"a name with NUL", post("Host: a\r\nX\0: b\r\n"s)},
        {"a name with a slash", post("Host: a\r\nX/Y: b\r\n")},
        {"a name in UTF-8", post("Host: a\r\n\xc3\xa4: b\r\n")},
        {"a name in parentheses", post("Host: a\r\n(X): b\r\n")},
        {"NUL in a value", post("Host: a\r\nX: a\0b\r\n"s)},
        {"a control in a value", post("Host: a\r\nX: a\x01"
                                      "b\r\n")},
        {"a control far behind in a value", post("Host: a\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\x1b\r\n")},
        {"DEL in a value", post("Host: a\r\nX: 12345678\x7f\r\n")},
        {"a control between tabs", post("Host: a\r\nX: a\t\t\t\t\t\t\t\t\t\x02\r\n")},
        // RFC 9112 §6: the body's length
        {"Content-Length and Transfer-Encoding", post("Host: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n")},
        {"Transfer-Encoding and Content-Length", post("Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n")},
        {"Transfer-Encoding and Content-Length 0", post("Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n")},
        {"two Content-Length", post("Host: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n")},
        {"two equal Content-Length", post("Host: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n")},
        {"a list of lengths", post("Host: a\r\nContent-Length: 3, 3\r\n")},
        {"a positive sign", post("Host: a\r\nContent-Length: +3\r\n")},
        {"a negative sign", post("Host: a\r\nContent-Length: -3\r\n")},
        {"a hexadecimal length", post("Host: a\r\nContent-Length: 0x3\r\n")},
        {"an octal length", post("Host: a\r\nContent-Length: 010\r\n")},
        {"a length with a fraction", post("Host: a\r\nContent-Length: 3.0\r\n")},
        {"a length with a space inside", post("Host: a\r\nContent-Length: 1 0\r\n")},
        {"an empty length", post("Host: a\r\nContent-Length:\r\n")},
        {"a length of 2^63", post("Host: a\r\nContent-Length: 9223372036854775808\r\n")},
        {"a length of 2^64 + 3", post("Host: a\r\nContent-Length: 18446744073709551619\r\n")},
        {"a length in other digits", post("Host: a\r\nContent-Length: \xd9\xa3\r\n")},
        {"Content_Length", post("Host: a\r\nContent_Length: 3\r\n")},
        {"Transfer_Encoding", post("Host: a\r\nTransfer_Encoding: chunked\r\n")},
        {"another coding", post("Host: a\r\nTransfer-Encoding: gzip\r\n")},
        {"gzip, chunked", post("Host: a\r\nTransfer-Encoding: gzip, chunked\r\n")},
        {"chunked, chunked", post("Host: a\r\nTransfer-Encoding: chunked, chunked\r\n")},
        {"chunked twice", post("Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")},
        {"chunked and identity", post("Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n")},
        {"identity", post("Host: a\r\nTransfer-Encoding: identity\r\n")},
        {"xchunked", post("Host: a\r\nTransfer-Encoding: xchunked\r\n")},
        {"chunkedx", post("Host: a\r\nTransfer-Encoding: chunkedx\r\n")},
        {"chunked;a=b", post("Host: a\r\nTransfer-Encoding: chunked;a=b\r\n")},
        {"a comma behind chunked", post("Host: a\r\nTransfer-Encoding: chunked,\r\n")},
        {"quoted chunked", post("Host: a\r\nTransfer-Encoding: \"chunked\"\r\n")},
        {"vertical tab before chunked", post("Host: a\r\nTransfer-Encoding: \vchunked\r\n")},
        {"an empty Transfer-Encoding", post("Host: a\r\nTransfer-Encoding:\r\n")},
        {"Transfer-Encoding with a space in its name", post("Host: a\r\nTransfer-Encoding : chunked\r\n")},
        {"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        request_framing check(limit);
        const auto looked = check.look(r.head);
        REQUIRE(looked.has_error());
        CHECK(looked.error().what == problem::malformed_request);
        CHECK(!looked.error().detail.empty());
    }
}

TEST_CASE("request heads that are taken")
{
    struct row {
        const char* name;
        std::string head;
        std::optional<std::uint64_t> length = {};
        bool chunked = false;
        int minor = 1;
    };
    const row rows[] = {
        {"GET", get("GET / HTTP/1.1")},
        {"a target with every sign that canonical judges", get("GET /a;b=1/..%2f?q={x}|\\^\"<>` HTTP/1.1")},
        {"absolute-form", get("GET http://a:80/x?y HTTP/1.1")},
        {"absolute-form in capitals", get("GET HTTP://a HTTP/1.1")},
        {"HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", {}, false, 0},
        {"an unknown method", get("VERSION-CONTROL / HTTP/1.1")},
        {"no space before the value", "GET / HTTP/1.1\r\nHost:a\r\n\r\n"},
        {"blanks around the value", post("Host: \t a \t \r\nContent-Length: \t3 \r\n"), 3},
        {"an IPv6 host", post("Host: [2001:db8::1]:8080\r\n")},
        {"an IPv4 host", post("Host: 127.0.0.1:65535\r\n")},
        {"underscores and a final dot in the host", post("Host: my_host.example.\r\n")},
        {"an empty value", post("Host: a\r\nX:\r\n")},
        {"tabs within a value", post("Host: a\r\nX: a\tb\t\tc\r\n")},
        {"Latin-1 in a value", post("Host: a\r\nX: \xc4\r\n")},
        {"UTF-8 in a value", post("Host: a\r\nX: \xc3\x84\r\n")},
        {"every token character in a name", post("Host: a\r\n!#$%&'*+-.^_`|~09azAZ: x\r\n")},
        {"names in any case", "POST / HTTP/1.1\r\nHOST: a\r\ncontent-LENGTH: 0\r\n\r\n", 0},
        {"the longest length", post("Host: a\r\nContent-Length: 9223372036854775807\r\n"), 9223372036854775807u},
        {"chunked", post("Host: a\r\nTransfer-Encoding: chunked\r\n"), {}, true},
        {"Chunked", post("Host: a\r\nTransfer-Encoding: Chunked\r\n"), {}, true},  // RFC 9112 §7: case does not matter
        {"Upgrade is ignored", post("Host: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n")},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const std::string more = r.head + "behind\n\r\n";  // what follows is not the head's
        request_framing check(limit);
        const auto looked = check.look(more);
        if (looked.has_error()) FAIL(looked.error().detail);
        REQUIRE(*looked);
        CHECK(check.facts().head_bytes == r.head.size());
        CHECK(check.facts().content_length == r.length);
        CHECK(check.facts().chunked == r.chunked);
        CHECK(check.facts().minor_version == r.minor);
    }
}

TEST_CASE("a head is judged alike however its bytes arrive")
{
    const std::string heads[] = {
        post("Host: a\r\nContent-Length: 12\r\nX: some value\r\n"),
        post("Host: a\r\nX: a\nb\r\n"),
        post("Host: a\r\nHost: a\r\n"),
        get("GET /a b HTTP/1.1"),
    };
    for (const std::string& head : heads) {
        CAPTURE(head);
        request_framing whole(limit);
        const auto expected = whole.look(head);
        request_framing piecemeal(limit);
        bool ended = false;
        for (std::size_t n = 0; n <= head.size() && !ended; ++n) {
            const auto looked = piecemeal.look(std::string_view(head).substr(0, n));
            if (looked.has_error()) {
                REQUIRE(expected.has_error());
                CHECK(looked.error().detail == expected.error().detail);
                ended = true;
            } else if (*looked) {
                REQUIRE(expected.has_value());
                CHECK(n == head.size());
                CHECK(piecemeal.facts().head_bytes == whole.facts().head_bytes);
                CHECK(piecemeal.facts().content_length == whole.facts().content_length);
                ended = true;
            }
        }
        CHECK(ended);
    }
}

TEST_CASE("heads are bounded")
{
    SUBCASE("bytes: a line without an end")
    {
        request_framing check(1000);
        const std::string text = "GET /" + std::string(2000, 'a');
        CHECK(check.look(std::string_view(text).substr(0, 999)).has_value());
        CHECK(check.look(std::string_view(text).substr(0, 1000)).has_error());
    }
    SUBCASE("bytes: whole lines")
    {
        std::string text = "GET / HTTP/1.1\r\nHost: a\r\n";
        while (text.size() < 1000) text += "X: " + std::string(100, 'y') + "\r\n";
        request_framing small(1000), large(2000);
        CHECK(small.look(text + "\r\n").has_error());
        CHECK(large.look(text + "\r\n").value());
    }
    SUBCASE("a body behind the head does not count")
    {
        request_framing check(1000);
        CHECK(check.look(post("Host: a\r\n") + std::string(5000, 'x')).value());
    }
    SUBCASE("fields")
    {
        std::string lines = "Host: a\r\n";
        for (std::size_t i = 1; i < max_fields; ++i) lines += "X: y\r\n";
        request_framing just(limit), over(limit);
        CHECK(just.look(post(lines)).value());
        CHECK(just.facts().fields == max_fields);
        CHECK(over.look(post(lines + "X: y\r\n")).has_error());
    }
}

TEST_CASE("response heads")
{
    struct row {
        const char* name;
        std::string head;
        bool taken;
    };
    const row rows[] = {
        {"200", ok("Content-Length: 3\r\n"), true},
        {"no reason", "HTTP/1.1 200 \r\n\r\n", true},
        {"a reason in UTF-8", "HTTP/1.1 404 k\xc3\xb6nnte\r\n\r\n", true},
        {"until the end", ok(""), true},
        {"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n", true},
        {"chunked", ok("Transfer-Encoding: chunked\r\n"), true},
        {"100", "HTTP/1.1 100 Continue\r\n\r\n", true},
        {"204 with length 0", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", true},
        {"304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", true},
        {"no space behind the status", "HTTP/1.1 200\r\n\r\n", false},
        {"two digits", "HTTP/1.1 20 OK\r\n\r\n", false},
        {"four digits", "HTTP/1.1 2000 OK\r\n\r\n", false},
        {"a status of 99", "HTTP/1.1 099 OK\r\n\r\n", false},
        {"a status of 600", "HTTP/1.1 600 OK\r\n\r\n", false},
        {"a signed status", "HTTP/1.1 +20 OK\r\n\r\n", false},
        {"HTTP/2", "HTTP/2 200 OK\r\n\r\n", false},
        {"ICY", "ICY 200 OK\r\n\r\n", false},
        {"bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", false},
        {"a control in the reason", "HTTP/1.1 200 O\x01K\r\n\r\n", false},
        {"obs-fold", ok("X: a\r\n b\r\n"), false},
        {"space before the colon", ok("Content-Length : 3\r\n"), false},
        {"length and chunked", ok("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), false},
        {"two lengths", ok("Content-Length: 3\r\nContent-Length: 3\r\n"), false},
        {"gzip, chunked", ok("Transfer-Encoding: gzip, chunked\r\n"), false},
        {"chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false},
        {"204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n", false},
        {"204 chunked", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", false},
        {"100 with a length", "HTTP/1.1 100 Continue\r\nContent-Length: 3\r\n\r\n", false},
        {"a request", get("GET / HTTP/1.1"), false},
        {"an empty line first", "\r\nHTTP/1.1 200 OK\r\n\r\n", false},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        response_framing check(limit);
        const auto looked = check.look(r.head);
        CHECK(looked.has_value() == r.taken);
        if (looked) CHECK(*looked);
    }
}
