#include "gateway/canonical/headers.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

using namespace sallyport;

namespace {

using fields = std::vector<field>;

fields to_upstream(const fields& in, std::string_view credential = {})
{
    static header_list out;  // used again and again, as a connection does
    fields_to_upstream(in, credential, out);
    return {out.begin(), out.end()};
}

fields to_agent(const fields& in)
{
    fields out;
    fields_to_agent(in, [&out](const field& one) { out.push_back(one); });
    return out;
}

std::optional<std::string> prefer_sent(std::string_view value)
{
    header_list out;
    fields_to_upstream(fields{{"Prefer", value}}, {}, out);
    const auto found = out.find("prefer");
    return found ? std::optional(std::string(*found)) : std::nullopt;
}

}  // namespace

TEST_CASE("the agent's fields go on in order, names in lower case, equal names apart")
{
    const fields in = {{"Host", "gate"},
                       {"Accept", "a/b"},
                       {"X-Note", "\xc4"},
                       {"ACCEPT", "c/d"},
                       {"Content-Type", "application/json"},
                       {"Content-Length", "2"},
                       {"User-Agent", "Agent/1"},
                       {"Idempotency-Key", "k"},
                       {"X-Empty", ""},
                       {"Range", "bytes=0-1"}};
    const fields want = {{"accept", "a/b"},         {"x-note", "\xc4"},       {"accept", "c/d"}, {"content-type", "application/json"},
                         {"user-agent", "Agent/1"}, {"idempotency-key", "k"}, {"x-empty", ""},   {"range", "bytes=0-1"}};
    CHECK(to_upstream(in) == want);
    CHECK(to_upstream({}).empty());
}

TEST_CASE("what is never sent on")
{
    for (const char* name : {"Authorization",
                             "Proxy-Authorization",
                             "Proxy-Connection",
                             "Proxy-Anything",
                             "Cookie",
                             "Sallyport-Receipt",
                             "sallyport-action",
                             "Sallyport-",
                             "Signature",
                             "Signature-Input",
                             "Content-Digest",
                             "Forwarded",
                             "X-Forwarded-For",
                             "X-Forwarded-Host",
                             "X-Forwarded-Anything",
                             "X-Real-IP",
                             "Connection",
                             "Keep-Alive",
                             "TE",
                             "Trailer",
                             "Transfer-Encoding",
                             "Upgrade",
                             "HTTP2-Settings",
                             "Content-Length",
                             "Host",
                             "Expect",
                             "X-HTTP-Method-Override",
                             "X-HTTP-Method",
                             "X-Method-Override",
                             "X-Original-URL",
                             "X-Rewrite-URL",
                             "X-Api-Key",
                             "x-api-KEY",
                             "X_Api_Key",
                             "x_forwarded_for",
                             "SALLYPORT_RECEIPT",
                             "Content_Length",
                             "x_http-method_override"}) {
        CAPTURE(name);
        CHECK(to_upstream({{name, "x"}}, "X-Api-Key").empty());
    }
    for (const char* name : {"Accept", "X-Api-Key", "X-Forwarded", "Proxy", "Sallyport", "Cookies", "X-Real-I", "Signatures",
                             "X-Originals-URL", "Via", "Date", "Prefe", "Authorizations"}) {
        CAPTURE(name);
        CHECK(to_upstream({{name, "x"}}).size() == 1);
    }
    for (const char* name : {"Accept-Encoding", "Range", "If-Range", "ACCEPT_encoding"}) {
        CAPTURE(name);
        CHECK(to_upstream({{name, "x"}}).size() == 1);
        CHECK(to_upstream({{name, "x"}}, "authorization").empty());
    }
    CHECK(to_upstream({{"X-Api-Key", "mine"}}, "x-api-key").empty());
    CHECK(to_upstream({{"X-Api-Key", "mine"}}, "x_api_key").empty());
    CHECK(same_folded_name("X-Api-Key", "x_api_key"));
    CHECK_FALSE(same_folded_name("x-api-key", "x-api-kex"));
    CHECK(to_upstream({{"X-Other", "mine"}}, "x-api-key").size() == 1);
}

TEST_CASE("fields that Connection names stay on this side")
{
    const fields in = {{"X-One", "1"},           {"Connection", "close, X-Two ,,x-three"},
                       {"x-two", "2"},           {"X-THREE", "3"},
                       {"connection", "X-Four"}, {"X-Four", "4"},
                       {"X-Five", "5"}};
    CHECK(to_upstream(in) == fields{{"x-one", "1"}, {"x-five", "5"}});
    CHECK(to_agent(in) == fields{{"X-One", "1"}, {"X-Five", "5"}});
    // what is named first may stand before the name
    CHECK(to_upstream({{"X-One", "1"}, {"Connection", "x-one"}}).empty());
    CHECK(to_upstream({{"X-One", "1"}, {"Connection", "keep-alive"}}).size() == 1);
}

TEST_CASE("thousands of names in Connection cost little")
{
    std::string names;
    for (int i = 0; i < 8000; ++i) names += "n" + std::to_string(i) + ",";
    fields in = {{"Connection", names}};
    std::vector<std::string> own;
    for (int i = 0; i < 120; ++i) own.push_back("n" + std::to_string(i * 100));
    for (const auto& n : own) in.push_back({n, "x"});
    CHECK(to_upstream(in).size() == 40);  // n8000 to n11900
}

TEST_CASE("Prefer loses what is meant for us")
{
    struct row {
        const char* sent;
        std::optional<std::string> passed;
    };
    const row rows[] = {{"wait=5", {}},
                        {"respond-async", {}},
                        {"Respond-Async, WAIT = 10", {}},
                        {"return=minimal", "return=minimal"},
                        {"return=minimal ,  handling=lenient", "return=minimal ,  handling=lenient"},
                        {"respond-async, return=minimal, wait=3", "return=minimal"},
                        {"wait=5, return=representation; foo=\"a, wait=9\", x", "return=representation; foo=\"a, wait=9\", x"},
                        {"foo=\"wait=5\"", "foo=\"wait=5\""},
                        {"wait=soon;;", {}},
                        {"return=minimal, wait=\"5", "return=minimal"},
                        {"=5, return=minimal", "return=minimal"},
                        {"\"x\", wait=3, y", "y"},
                        {"foo bar, wait=1, y", "y"},
                        {",,", {}},
                        {"", {}}};
    for (const row& r : rows) {
        CAPTURE(r.sent);
        CHECK(prefer_sent(r.sent) == r.passed);
    }
}

TEST_CASE("what an agent prefers")
{
    struct row {
        fields in;
        std::optional<int> wait;
        bool respond_async;
    };
    const row rows[] = {{{}, {}, false},
                        {{{"Prefer", "wait=5"}}, 5, false},
                        {{{"prefer", "WAIT=\"7\""}}, 7, false},
                        {{{"Prefer", "respond-async"}}, {}, true},
                        {{{"Prefer", "respond-async, wait=10"}}, 10, true},
                        {{{"Prefer", "return=minimal"}, {"Prefer", "wait=0;x"}}, 0, false},
                        {{{"Prefer", "wait=5, wait=9"}}, 5, false},
                        {{{"Prefer", "wait=soon;;"}}, {}, false},
                        {{{"Prefer", "wait=soon, wait=4"}}, 4, false},
                        {{{"Prefer", "wait=-1"}}, {}, false},
                        {{{"Prefer", "wait=1.5"}}, {}, false},
                        {{{"Prefer", "wait"}}, {}, false},
                        {{{"Prefer", "wait="}}, {}, false},
                        {{{"Prefer", "wait=99999999999999999999999"}}, 1'000'000'000, false},
                        {{{"Prefer", "foo=\"respond-async, wait=3\""}}, {}, false},
                        {{{"Prefer", "foo; wait=3"}}, {}, false},
                        {{{"Prefer", "wait=3 respond-async"}}, {}, false},
                        {{{"Preferred", "wait=3"}}, {}, false}};
    for (const row& r : rows) {
        CAPTURE(r.in.empty() ? std::string_view() : r.in.back().value);
        const preferences p = parse_prefer(r.in);
        CHECK(p.wait.has_value() == r.wait.has_value());
        if (r.wait) CHECK(p.wait == std::chrono::seconds(*r.wait));
        CHECK(p.respond_async == r.respond_async);
    }
}

TEST_CASE("Idempotency-Key: once, 1 to 255 visible characters")
{
    const std::string longest(255, 'k');
    CHECK(parse_idempotency_key(fields{}).value() == std::nullopt);
    CHECK(parse_idempotency_key(fields{{"idempotency-KEY", "\"a\""}}).value() == "\"a\"");
    CHECK(parse_idempotency_key(fields{{"Idempotency-Key", longest}}).value() == longest);
    const std::string longer(256, 'k');
    for (const fields& in : {fields{{"Idempotency-Key", ""}}, fields{{"Idempotency-Key", longer}}, fields{{"Idempotency-Key", "a b"}},
                             fields{{"Idempotency-Key", "\xc3\xa4"}}, fields{{"Idempotency-Key", "a\x7f"}},
                             fields{{"Idempotency-Key", "a"}, {"idempotency-key", "a"}}}) {
        const auto got = parse_idempotency_key(in);
        REQUIRE_FALSE(got.has_value());
        CHECK(got.error().what == problem::malformed_request);
    }
}

TEST_CASE("the upstream's fields, without those of its connection and of ours")
{
    const fields in = {{"Date", "d"},
                       {"Content-Type", "t"},
                       {"Transfer-Encoding", "chunked"},
                       {"Content-Length", "3"},
                       {"Keep-Alive", "x"},
                       {"Set-Cookie", "a"},
                       {"Set-Cookie", "b"},
                       {"Sallyport-Action", "forged"},
                       {"Proxy-Authenticate", "x"},
                       {"Proxy-Status", "ok"},
                       {"Upgrade", "h2c"},
                       {"Trailer", "x"},
                       {"Location", "/l"},
                       {"Signature", "theirs"}};
    CHECK(to_agent(in) == fields{{"Date", "d"},
                                 {"Content-Type", "t"},
                                 {"Set-Cookie", "a"},
                                 {"Set-Cookie", "b"},
                                 {"Proxy-Status", "ok"},
                                 {"Location", "/l"},
                                 {"Signature", "theirs"}});
}

TEST_CASE("a list of fields grows without losing its views")
{
    header_list list;
    for (int i = 0; i < 200; ++i) list.add("X-" + std::to_string(i), std::string(static_cast<std::size_t>(i), 'v'));
    REQUIRE(list.size() == 200);
    for (int i = 0; i < 200; ++i) {
        CHECK(list.fields()[static_cast<std::size_t>(i)].name == "x-" + std::to_string(i));
        CHECK(list.fields()[static_cast<std::size_t>(i)].value.size() == static_cast<std::size_t>(i));
    }
    CHECK(list.find("x-7") == "vvvvvvv");
    CHECK_FALSE(list.find("X-7"));
    list.clear();
    CHECK(list.empty());
    list.add("A", "b");
    CHECK(list.fields()[0] == field{"a", "b"});
}
