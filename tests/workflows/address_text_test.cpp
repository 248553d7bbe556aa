#include "workflows/loopback.hpp"

#include "workflows/percent_encoding.hpp"

#include <doctest/doctest.h>

using namespace sallyport;

TEST_CASE("which hosts are this machine")
{
    for (const char* here : {"localhost", "127.0.0.1", "127.9.9.9", "::1"}) CHECK(is_loopback(here));
    for (const char* elsewhere : {"", "127.evil.example", "127.0.0.1.example", "localhost.example", "10.0.0.1", "::2", "1127.0.0.1"})
        CHECK_FALSE(is_loopback(elsewhere));
}

TEST_CASE("percent-encoding")
{
    CHECK(percent_encoded("aZ09-._~") == "aZ09-._~");
    CHECK(percent_encoded("a b+c&d=e/ä%") == "a%20b%2Bc%26d%3De%2F%C3%A4%25");
    CHECK(percent_encoded("").empty());
}
