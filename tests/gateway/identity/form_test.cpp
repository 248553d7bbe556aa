#include "gateway/identity/form.hpp"

#include <doctest/doctest.h>

#include <string>

namespace sallyport::identity {

TEST_CASE("a form is read")
{
    const auto read = parse_form("a=1&b=x+y%20z&c&d=&e=%3D%26&&f=a=b");
    REQUIRE(read);
    CHECK(read->size() == 6);
    CHECK(read->at("a") == "1");
    CHECK(read->at("b") == "x y z");
    CHECK(read->at("c").empty());
    CHECK(read->at("d").empty());
    CHECK(read->at("e") == "=&");
    CHECK(read->at("f") == "a=b");
    CHECK(parse_form("")->empty());
    CHECK(parse_form("&")->empty());
}

TEST_CASE("a form that is refused")
{
    for (const char* broken : {"a=%", "a=%4", "a=%4g", "%zz=1", "a=1&a=2", "a=1&%61=2", "a&a"}) {
        CAPTURE(broken);
        CHECK_FALSE(parse_form(broken));
    }
}

}  // namespace sallyport::identity
