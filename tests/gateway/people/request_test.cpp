#include "gateway/people/request.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

namespace sallyport::people {
namespace {

template <class T>
bool malformed(const result<T>& r)
{
    return !r && r.error().what == problem::malformed_request;
}

}  // namespace

TEST_CASE("an origin, as browsers write it")
{
    CHECK(origin_of("https://Gate.Example:443/inbox?x#y") == "https://gate.example");
    CHECK(origin_of("http://localhost:80") == "http://localhost");
    CHECK(origin_of("http://localhost:8081/") == "http://localhost:8081");
    CHECK(origin_of("https://gate.example:80") == "https://gate.example:80");
    CHECK(origin_of("gate.example").empty());

    struct row {
        const char* host;
        const char* origin;
        bool same;
    };
    for (const row& r : {row{"gate.example", "https://gate.example", true}, row{"GATE.example:443", "https://gate.example", true},
                         row{"gate.example:80", "https://gate.example", false}, row{"gate.example:8443", "https://gate.example", false},
                         row{"localhost:8081", "http://localhost:8081", true}, row{"localhost", "http://localhost:8081", false},
                         row{"", "https://gate.example", false}, row{"gate.example/x", "https://gate.example", false},
                         row{"ada@gate.example", "https://gate.example", false}, row{"gate.example.", "https://gate.example", false}}) {
        CAPTURE(r.host);
        CHECK(is_host_of(r.host, r.origin) == r.same);
    }
}

TEST_CASE("the session's cookie")
{
    struct row {
        const char* name;
        std::vector<std::string> cookies;
        const char* token;
    };
    const row rows[] = {
        {"none", {}, ""},
        {"alone", {"sallyport_session=abc"}, "abc"},
        {"among others", {"a=b; sallyport_session=abc ;c=d"}, "abc"},
        {"in the second field", {"a=b", "sallyport_session=abc"}, "abc"},
        {"the same twice", {"sallyport_session=abc; sallyport_session=abc"}, "abc"},
        {"two, one of them planted", {"sallyport_session=abc; sallyport_session=def"}, ""},
        {"two, in two fields", {"sallyport_session=abc", "sallyport_session=def"}, ""},
        {"empty", {"sallyport_session="}, ""},
        {"of another name", {"Sallyport_session=abc; xsallyport_session=abc"}, ""},
        {"without a value", {"sallyport_session"}, ""},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        std::vector<http::field> fields{{"Host", "gate.example"}};
        for (const std::string& c : r.cookies) fields.push_back({"Cookie", c});
        CHECK(session_of(fields) == r.token);
    }
    const std::string long_value = "sallyport_session=" + std::string(129, 'x');
    CHECK(session_of(std::array{http::field{"cookie", long_value}}).empty());

    CHECK(set_cookie("abc", std::chrono::hours(1), true) ==
          "sallyport_session=abc; Path=/; HttpOnly; SameSite=Strict; Max-Age=3600; Secure");
    CHECK(set_cookie("abc", std::chrono::hours(1), false) == "sallyport_session=abc; Path=/; HttpOnly; SameSite=Strict; Max-Age=3600");
    CHECK(set_cookie("", std::chrono::hours(1), false) == "sallyport_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
}

TEST_CASE("a body that is JSON")
{
    for (const char* type :
         {"application/json", "Application/JSON", "application/json; charset=utf-8", "application/json;charset=\"UTF-8\""})
        CHECK(is_json(type));
    for (const char* type :
         {"", "text/plain", "application/json5", "application/x+json", "application/json; charset=latin1", "application/jso"})
        CHECK_FALSE(is_json(type));
}

TEST_CASE("a target is taken apart")
{
    const auto read = read_target("/holds/a%2Fb/%C3%A4?q=x+y%26&&empty&z=%20=");
    REQUIRE(read.has_value());
    CHECK(read->path == std::vector<std::string>{"holds", "a/b", "\u00e4"});
    REQUIRE(read->query.size() == 3);
    CHECK(read->query[0].name == "q");
    CHECK(read->query[0].value == "x y&");
    CHECK(read->query[1].name == "empty");
    CHECK(read->query[1].value.empty());
    CHECK(read->query[2].value == " =");
    CHECK(read_target("/")->path.empty());
    CHECK(read_target("/holds/")->path == std::vector<std::string>{"holds", ""});
    CHECK(read_target("/a+b")->path == std::vector<std::string>{"a+b"});

    for (const char* broken : {"", "holds", "/holds/%", "/holds/%4", "/holds/%zz", "/holds/%00", "/holds/%0a", "/holds/%ff", "/holds?q=%ff",
                               "/holds?q=%c3", "/holds?%ff=1", "/holds?q=%7f", "/holds?q=%ED%A0%80"}) {
        CAPTURE(broken);
        CHECK(malformed(read_target(broken)));
    }
}

TEST_CASE("a query has only what is known, once")
{
    const std::vector<parameter> query{{"limit", "7"}, {"q", ""}};
    CHECK(check_query(query, {"limit", "q"}).has_value());
    CHECK(malformed(check_query(query, {"limit"})));
    CHECK(malformed(check_query({{"q", "a"}, {"q", "a"}}, {"q"})));
    CHECK(find(query, "limit") == "7");
    CHECK(find(query, "q") == "");
    CHECK_FALSE(find(query, "cursor"));
    CHECK(*read_limit(query, 50, 100) == 7);
    CHECK(*read_limit({}, 50, 100) == 50);
    for (const char* text : {"", "0", "-1", "101", "7x", " 7", "1e1", "99999999999999999999"})
        CHECK(malformed(read_limit({{"limit", text}}, 50, 100)));
}

TEST_CASE("a message has only members that are known")
{
    const auto read = message::read(R"({"decision":"approve","reason":null})", {"decision", "reason"});
    REQUIRE(read.has_value());
    CHECK(*read->text("decision").value() == "approve");
    CHECK_FALSE(read->text("reason").value());
    CHECK_FALSE(read->text("grant").value());
    CHECK(read->find("reason") == nullptr);
    CHECK(message::read("", {}).has_value());
    CHECK(malformed(message::read(R"({"decision":1})", {"decision"})->text("decision")));
    for (const char* text : {"[]", "1", "{", R"({"a":1})", R"({"decision":"a","decision":"b"})", "\xff"}) {
        CAPTURE(text);
        CHECK(malformed(message::read(text, {"decision"})));
    }
}

}  // namespace sallyport::people
