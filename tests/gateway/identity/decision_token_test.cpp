#include "gateway/identity/decision_token.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace sallyport;
using namespace sallyport::identity;
using namespace std::chrono_literals;

namespace {

const std::string key(32, 'k');

decision_token some_token()
{
    return {*hold_id::parse("hld_01J00000000000000000000001"), *person_id::parse("per_01J00000000000000000000002"),
            time_point(1'800'000'000'000'123us), "email"};
}

}  // namespace

TEST_CASE("a decision token is read back as it was written")
{
    const auto text = write_decision_token(some_token(), key);
    CHECK(text == write_decision_token(some_token(), key));
    CHECK(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == std::string::npos);
    const auto read = read_decision_token(text, key);
    REQUIRE(read);
    CHECK(read->hold == some_token().hold);
    CHECK(read->person == some_token().person);
    CHECK(read->expires_at == some_token().expires_at);
    CHECK(read->channel == "email");
}

TEST_CASE("no other text is one")
{
    const auto text = write_decision_token(some_token(), key);
    CHECK_FALSE(read_decision_token("", key));
    CHECK_FALSE(read_decision_token(text, std::string(32, 'x')));
    CHECK_FALSE(read_decision_token(text + "A", key));
    CHECK_FALSE(read_decision_token(std::string(10'000, 'A'), key));
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string changed = text;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        CAPTURE(i);
        CHECK_FALSE(read_decision_token(changed, key));
        CHECK_FALSE(read_decision_token(text.substr(0, i), key));
    }
}
