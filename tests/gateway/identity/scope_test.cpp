#include "gateway/identity/scope.hpp"

#include <doctest/doctest.h>

#include <string>

namespace sallyport::identity {

TEST_CASE("a list of scopes")
{
    struct row {
        const char* name;
        std::string list;
        std::string then;
    };
    const row rows[] = {
        {"nothing", "", ""},
        {"one", "payments", "payments"},
        {"empty parts", "  payments   crm:read ", "payments crm:read"},
        {"repeated", "payments crm payments crm:read crm:read", "payments crm crm:read"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto read = parse_scopes(r.list);
        REQUIRE(read);
        CHECK(text_of(*read) == r.then);
    }
}

TEST_CASE("a list of more scopes than an agent can have is none")
{
    std::string list;
    for (std::size_t i = 0; i < most_scopes; ++i) list += "route" + std::to_string(i) + " ";
    CHECK(parse_scopes(list)->size() == most_scopes);
    CHECK(parse_scopes(list + "route0")->size() == most_scopes);
    CHECK_FALSE(parse_scopes(list + "one-more"));
}

TEST_CASE("what a scope permits, and covers")
{
    struct row {
        const char* scope;
        const char* route;
        const char* method;
        bool permitted;
    };
    for (const row& r :
         {row{"payments", "payments", "POST", true}, row{"payments", "payments", "BREW", true}, row{"payments", "crm", "GET", false},
          row{"payments:read", "payments", "GET", true}, row{"payments:read", "payments", "HEAD", true},
          row{"payments:read", "payments", "OPTIONS", true}, row{"payments:read", "payments", "POST", false},
          row{"payments:read", "payments", "get", false}, row{"pay", "payments", "GET", false}}) {
        CAPTURE(r.scope);
        CAPTURE(r.method);
        CHECK(permits(*parse_scopes(r.scope), r.route, r.method) == r.permitted);
    }
    const auto all = scope::parse("crm"), reading = scope::parse("crm:read"), other = scope::parse("hr");
    CHECK(all.covers(reading));
    CHECK(all.covers(all));
    CHECK(reading.covers(reading));
    CHECK_FALSE(reading.covers(all));
    CHECK_FALSE(other.covers(reading));
}

}  // namespace sallyport::identity
