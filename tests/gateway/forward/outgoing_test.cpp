#include "gateway/forward/outgoing.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace sallyport;
using namespace sallyport::forward;

namespace {

std::string written(const outgoing& request, const body_framing& body = {})
{
    std::string out;
    if (!write_request_head(out, request, body)) return "refused";
    return out;
}

}  // namespace

TEST_CASE("the head of a request")
{
    const std::vector<field> headers = {{"accept", "*/*"}, {"x-note", "\xC3\x84 tab\there"}};
    outgoing request{"GET", "/base/x?a=1", "api.example:8443", headers, {}, {}};
    CHECK(written(request) == "GET /base/x?a=1 HTTP/1.1\r\nHost: api.example:8443\r\naccept: */*\r\nx-note: \xC3\x84 tab\there\r\n"
                              "Via: 1.1 sallyport\r\n\r\n");

    SUBCASE("methods that lead to expect a body say that there is none")
    {
        for (const std::string_view method : {"POST", "PUT", "PATCH"}) {
            request.method = method;
            CHECK(written(request).ends_with("Content-Length: 0\r\n\r\n"));
        }
        for (const std::string_view method : {"GET", "HEAD", "DELETE", "OPTIONS"}) {
            request.method = method;
            CHECK(written(request).find("Content-Length") == std::string::npos);
        }
    }
    SUBCASE("a body's framing")
    {
        request.method = "POST";
        CHECK(written(request, body_framing::of("hello")).ends_with("Content-Length: 5\r\n\r\n"));
        CHECK(written(request, {body_framing::kind::length, 18446744073709551615u})
                  .ends_with("Content-Length: 18446744073709551615\r\n\r\n"));
        const std::string chunked = written(request, {body_framing::kind::chunked, 0});
        CHECK(chunked.ends_with("Transfer-Encoding: chunked\r\n\r\n"));
        CHECK(chunked.find("Content-Length") == std::string::npos);
    }
    SUBCASE("what the gateway adds stands behind")
    {
        const std::vector<field> extra = {{"sallyport-receipt", "abc"}, {"content-digest", "sha-256=:x:"}};
        request.extra = extra;
        CHECK(written(request).find("sallyport-receipt: abc\r\ncontent-digest: sha-256=:x:\r\nVia:") != std::string::npos);
    }
}

TEST_CASE("a credential stands alone, and asks for bytes that can be read")
{
    const std::vector<field> headers = {
        {"x-api-key", "mine"}, {"accept", "*/*"}, {"accept-encoding", "gzip, br"}, {"X-API-KEY", "too"}, {"Accept-Encoding", "zstd"}};
    outgoing request{"GET", "/", "a.example", headers, {}, {}};
    CHECK(written(request).find("accept-encoding: gzip, br\r\n") != std::string::npos);
    request.credential = injected_credential{"X-Api-Key", "s3cret", nullptr};
    CHECK(
        written(request) ==
        "GET / HTTP/1.1\r\nHost: a.example\r\naccept: */*\r\nX-Api-Key: s3cret\r\nAccept-Encoding: identity\r\nVia: 1.1 sallyport\r\n\r\n");
}

TEST_CASE("nothing can end its line or frame the message anew")
{
    const std::vector<field> none;
    const outgoing good{"GET", "/x", "a.example", none, {}, {}};
    REQUIRE(written(good) != "refused");

    struct row {
        const char* name;
        std::string_view method, target, authority;
    };
    const row lines[] = {
        {"empty method", "", "/x", "a"},
        {"space in the method", "GET /y", "/x", "a"},
        {"CR LF in the method", "GET\r\nX: y", "/x", "a"},
        {"empty target", "GET", "", "a"},
        {"target without a slash", "GET", "x", "a"},
        {"space in the target", "GET", "/x y", "a"},
        {"CR LF in the target", "GET", "/\r\nX:y", "a"},
        {"NUL in the target", "GET", {"/\0x", 3}, "a"},
        {"non-ASCII target", "GET", "/\xC3\x84", "a"},
        {"empty authority", "GET", "/x", ""},
        {"CR LF in the authority", "GET", "/x", "a\r\nX: y"},
    };
    for (const row& r : lines) {
        CAPTURE(r.name);
        CHECK(written({r.method, r.target, r.authority, none, {}, {}}) == "refused");
    }

    const field bad[] = {
        {"", "x"},
        {"a b", "x"},
        {"a:", "x"},
        {"a\r\n", "x"},
        {"x", "a\r\nb: c"},
        {"x", "a\nb"},
        {"x", "a\rb"},
        {"x", {"a\0b", 3}},
        {"x", "\x7F"},
        {"Host", "b"},
        {"content-length", "5"},
        {"Content-Length", "5"},
        {"transfer-encoding", "chunked"},
        {"connection", "close"},
        {"keep-alive", "x"},
        {"te", "trailers"},
        {"trailer", "x"},
        {"upgrade", "h2c"},
        {"expect", "100-continue"},
        {"proxy-connection", "x"},
    };
    for (const field& one : bad) {
        CAPTURE(std::string(one.name));
        CAPTURE(std::string(one.value));
        const std::vector<field> list = {one};
        CHECK(written({"GET", "/x", "a.example", list, {}, {}}) == "refused");
        CHECK(written({"GET", "/x", "a.example", none, {}, list}) == "refused");
        CHECK(written({"GET", "/x", "a.example", none, injected_credential{one.name, one.value, nullptr}, {}}) == "refused");
    }
}

TEST_CASE("a stored action's fields")
{
    action a;
    a.headers = {{"accept", "*/*"}, {"x-a", "1"}};
    const auto fields = fields_of(a);
    REQUIRE(fields.size() == 2);
    CHECK(fields[1] == field{"x-a", "1"});
    CHECK(fields[1].value.data() == a.headers[1].second.data());
}
