#include "gateway/identity/token_cache.hpp"

#include <doctest/doctest.h>

#include <string>

namespace sallyport::identity {
namespace {

using namespace std::chrono_literals;

constexpr time_point t0{std::chrono::sys_days{std::chrono::year{2026} / 1 / 5} + std::chrono::hours(9)};

claims until(time_point expires_at)
{
    claims c;
    c.expires_at = expires_at;
    return c;
}

}  // namespace

TEST_CASE("a token is remembered until it expires, or anything changes")
{
    token_cache cache(2);
    CHECK_FALSE(cache.find("token-a", 1, t0));
    const auto kept = cache.remember("token-a", 1, until(t0 + 10min));
    CHECK(kept->expires_at == t0 + 10min);
    CHECK(cache.find("token-a", 1, t0) == kept);
    CHECK(cache.find("token-a", 1, t0 + 10min - 1us) == kept);
    CHECK_FALSE(cache.find("token-a", 1, t0 + 10min));
    CHECK_FALSE(cache.find("token-a", 2, t0));
    CHECK_FALSE(cache.find("token-b", 1, t0));
    CHECK_FALSE(cache.find("token-", 1, t0));

    const auto anew = cache.remember("token-a", 2, until(t0 + 5min));
    CHECK(cache.find("token-a", 2, t0) == anew);
    CHECK_FALSE(cache.find("token-a", 1, t0));
}

TEST_CASE("the token that was used longest ago makes room")
{
    token_cache cache(1);  // four places
    for (const char* token : {"a", "b", "c", "d"}) cache.remember(token, 1, until(t0 + 1h));
    CHECK(cache.find("a", 1, t0));
    cache.remember("e", 1, until(t0 + 1h));
    CHECK(cache.find("a", 1, t0));
    CHECK_FALSE(cache.find("b", 1, t0));
    CHECK(cache.find("c", 1, t0));
    CHECK(cache.find("d", 1, t0));
    CHECK(cache.find("e", 1, t0));
}

TEST_CASE("tokens that differ anywhere are two")
{
    token_cache cache(1);
    const std::string token(901, 'x');
    cache.remember(token, 1, until(t0 + 1h));
    for (std::size_t i = 0; i < token.size(); i += 60) {
        std::string other = token;
        other[i] = 'y';
        CHECK_FALSE(cache.find(other, 1, t0));
    }
    CHECK(cache.find(token, 1, t0));
}

}  // namespace sallyport::identity
