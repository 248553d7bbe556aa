#include "gateway/people/challenge.hpp"

#include <doctest/doctest.h>

#include <string>

namespace sallyport::people {
namespace {

using namespace std::chrono_literals;

constexpr time_point t0{std::chrono::sys_days{std::chrono::year{2026} / 1 / 5} + std::chrono::hours(9)};
const std::string key(32, 'k'), random(challenge_random, 'r');

}  // namespace

TEST_CASE("a challenge is known again, for its purpose and in its time")
{
    const auto made = make_challenge("login", t0 + 5min, random, key);
    CHECK(is_challenge(made, "login", t0, key));
    CHECK(is_challenge(made, "login", t0 + 5min - 1us, key));
    CHECK_FALSE(is_challenge(made, "login", t0 + 5min, key));
    CHECK_FALSE(is_challenge(made, "enrol:1", t0, key));
    CHECK_FALSE(is_challenge(made, "logi", t0, key));
    CHECK_FALSE(is_challenge(made, "login", t0, std::string(32, 'x')));
    CHECK_FALSE(is_challenge("", "login", t0, key));
    CHECK_FALSE(is_challenge(made + "x", "login", t0, key));
    for (std::size_t i = 0; i < made.size(); ++i) {
        auto other = made;
        other[i] = static_cast<char>(other[i] ^ 1);
        CHECK_FALSE(is_challenge(other, "login", t0, key));
    }
    CHECK(make_challenge("login", t0 + 5min, std::string(challenge_random, 's'), key) != made);
    CHECK_THROWS(make_challenge("login", t0, "short", key));
}

}  // namespace sallyport::people
