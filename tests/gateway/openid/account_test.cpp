#include "gateway/openid/account.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace sallyport::openid {

TEST_CASE("who somebody is by the provider's word")
{
    using words = std::vector<std::string>;
    struct row {
        const char* name;
        const char* id_token;
        const char* userinfo;  // null: the provider has none
        const char* email;
        words groups;
        bool has_groups;
    };
    const row rows[] = {
        {"all by userinfo", "{}", R"({"sub":"s","email":"a@x","email_verified":true,"groups":["g","h"]})", "a@x", {"g", "h"}, true},
        {"all by the ID token", R"({"email":"a@x","email_verified":true,"groups":["g"]})", nullptr, "a@x", {"g"}, true},
        {"one by each", R"({"groups":["g"]})", R"({"sub":"s","email":"a@x","email_verified":true})", "a@x", {"g"}, true},
        {"userinfo comes first",
         R"({"email":"b@x","email_verified":true,"groups":["h"]})",
         R"({"sub":"s","email":"a@x","email_verified":true,"groups":["g"]})",
         "a@x",
         {"g"},
         true},
        {"a mark beside another address", R"({"email":"b@x","email_verified":true})", R"({"sub":"s","email":"a@x"})", "", {}, false},
        {"a mark without an address", R"({"email":"b@x"})", R"({"sub":"s","email_verified":true})", "", {}, false},
        {"not verified", "{}", R"({"sub":"s","email":"a@x","email_verified":false})", "", {}, false},
        {"verified in words", "{}", R"({"sub":"s","email":"a@x","email_verified":"true"})", "", {}, false},
        {"an address that is no text", "{}", R"({"sub":"s","email":["a@x"],"email_verified":true})", "", {}, false},
        {"one group alone", "{}", R"({"sub":"s","groups":"g"})", "", {"g"}, true},
        {"no groups any more", "{}", R"({"sub":"s","groups":[]})", "", {}, true},
        {"nothing of groups", "{}", R"({"sub":"s","groups":null})", "", {}, false},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto token = json::document::parse(r.id_token).value();
        const auto info = json::document::parse(r.userinfo ? r.userinfo : "{}").value();
        const auto who = read_account(token.root(), r.userinfo ? &info.root() : nullptr, "s", "groups");
        REQUIRE(who.has_value());
        CHECK(who->subject == "s");
        CHECK(who->email == r.email);
        CHECK(who->groups == r.groups);
        CHECK(who->has_groups == r.has_groups);
    }
}

TEST_CASE("userinfo that is not about them, or cannot be read")
{
    const auto token = json::document::parse(R"({"sub":"s","email":"a@x","email_verified":true})").value();
    for (const char* said : {R"({"sub":"t"})", R"({})", R"({"sub":1})", R"([])", R"("s")", R"({"sub":"s","groups":{}})",
                             R"({"sub":"s","groups":[1]})", R"({"sub":"s","groups":7})"}) {
        CAPTURE(said);
        const auto info = json::document::parse(said).value();
        const auto who = read_account(token.root(), &info.root(), "s", "groups");
        REQUIRE_FALSE(who.has_value());
        CHECK(who.error().what == problem::unauthenticated);
    }
}

}  // namespace sallyport::openid
