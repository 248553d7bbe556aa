#include "gateway/canonical/grant_text.hpp"

#include "gateway/canonical/content_digest.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace sallyport;

namespace {

grantable_call call_with(std::string body, bool json = true)
{
    action a;
    a.route = "payments";
    a.method = "POST";
    a.authority = "api.example";
    a.target = "/v1/refunds";
    a.headers = {{"content-type", "application/json"}, {"idempotency-key", "k"}, {"x-name", "\xe9"}};
    a.content_digest = content_digest(body);
    a.body = std::move(body);
    return grantable(a, "https", R"({"id":"tsk_1","intent":"x","scopes":[],"limits":null})", json);
}

std::string fields(std::string body)
{
    const auto call = call_with(std::move(body));
    if (!call.fields) return "none";
    std::string all;
    for (const body_field& f : *call.fields)
        all.append(f.pointer).append("=").append(name_of(f.kind)).append(":").append(f.text).append(" ");
    return all;
}

}  // namespace

TEST_CASE("a body is taken apart in one way")
{
    struct row {
        const char* body;
        const char* then;
    };
    const row rows[] = {
        {R"({"b":1,"a":"x"})", "/a=string:x /b=number:1 "},
        {R"({"a":{"b":{"c":true}},"d":null})", "/a/b/c=boolean:true /d=null:null "},
        {R"({"a/b":{"~":1}})", "/a~1b/~0=number:1 "},
        {R"({"":{"":1}})", "//=number:1 "},
        // An array is one value: its members are not an object's.
        {R"({"a":[1, 2.50 ,"x",{"z":1,"y":[]}]})", "/a=array:[1,2.50,\"x\",{\"y\":[],\"z\":1}] "},
        {R"({"a":{"0":1}})", "/a/0=number:1 "},
        {R"({"a":{},"b":[]})", "/a=object:{} /b=array:[] "},
        {R"({})", "=object:{} "},
        {R"([1])", "=array:[1] "},
        {R"("x")", "=string:x "},
        // Numbers keep the digits that were written: RFC 8785 would make doubles of them.
        {R"({"a":1e2,"b":100,"c":-0,"d":1.0,"e":9007199254740993})",
         "/a=number:1e2 /b=number:100 /c=number:-0 /d=number:1.0 /e=number:9007199254740993 "},
        {R"({"a":[9007199254740993,1E2]})", "/a=array:[9007199254740993,1E2] "},
        {R"({"a":"\u0041\u00e9"})", "/a=string:A\xc3\xa9 "},
        {R"({"a":1,"a":1})", "none"},  // twice
        {R"({"a":1e400})", "none"},
        {R"({"a":)", "none"},
    };
    for (const row& r : rows) {
        CAPTURE(r.body);
        CHECK(fields(r.body) == r.then);
    }
    std::string many = "{";
    for (int i = 0; i < 65; ++i) many += (i ? ",\"f" : "\"f") + std::to_string(i) + "\":1";
    CHECK(fields(many + "}") == "none");
    CHECK(fields(R"({"a":")" + std::string(40'000, 'x') + "\"}") == "none");
    CHECK_FALSE(call_with(R"({"a":1})", false).fields);
    CHECK(call_with("x", false).content_digest == content_digest("x"));
}

TEST_CASE("a call as grants look at it")
{
    const auto call = call_with("{}");
    CHECK(call.headers == header_texts{{"content-type", "application/json"}, {"x-name", "\xc3\xa9"}});
    CHECK(call.task == call_task{"tsk_1", "x"});
    action a;
    CHECK_FALSE(grantable(a, "https", "", false).task);
    CHECK(grantable(a, "https", "not JSON", false).scheme.empty());  // nothing covers it
}

TEST_CASE("terms are read as they were written, and nothing else is terms")
{
    const auto held = call_with(R"({"amount":900.00,"note":"x\"\u0000y","lines":[1e2]})");
    auto terms = propose(held, {});
    terms.shape.fields->at(0) = {"/amount", value_kind::number, field_rule::how::range, {}, "0", "900.00"};
    terms.shape.fields->at(2) = {"/note", value_kind::string, field_rule::how::any, {}, {}, {}};
    const std::string text = terms_text(terms);
    const auto read = read_terms(text);
    REQUIRE(read.has_value());
    CHECK(*read == terms);
    CHECK(terms_text(*read) == text);
    CHECK(check_terms(*read, held).has_value());

    const auto with = [&](std::string_view what, std::string_view in_its_place) {
        std::string other = text;
        const auto at = other.find(what);
        REQUIRE(at != std::string::npos);
        return other.replace(at, what.size(), in_its_place);
    };
    for (const std::string& other : {
             with(R"("count":10)", R"("count":10,"more":1)"),
             with(R"("count":10)", R"("count":10.5)"),
             with(R"("count":10)", R"("count":"10")"),
             with(R"("count":10)", R"("count":-1)"),
             with(R"("count":10)", R"("count":9223372036854775807)"),
             with(R"("seconds":1800)", R"("seconds":1e3)"),
             with(R"("any":true)", R"("any":false)"),
             with(R"("any":true)", R"("any":true,"equals":"x")"),
             with(R"("at_most":"900.00")", R"("at_most":900.00)"),
             with(R"("at_least":"0",)", ""),
             with(R"("type":"string")", R"("type":"text")"),
             with(R"("task":{"id":"tsk_1","intent":"x"})", R"("task":{"id":"tsk_1"})"),
             with(R"("task":{)", R"("task":[],"tasks":{)"),
             with(R"("headers":[[)", R"("headers":[["a"],[)"),
             with(R"("route":"payments",)", ""),
             std::string("null"),
             std::string("[]"),
         }) {
        CAPTURE(other);
        CHECK_FALSE(read_terms(other).has_value());
    }
}
