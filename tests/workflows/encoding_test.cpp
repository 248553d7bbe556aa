#include "workflows/encoding.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace sallyport;

TEST_CASE("base 64 as RFC 4648 §10 has it")
{
    struct row {
        const char* bytes;
        const char* padded;
        const char* url;
    };
    const row rows[] = {{"", "", ""},
                        {"f", "Zg==", "Zg"},
                        {"fo", "Zm8=", "Zm8"},
                        {"foo", "Zm9v", "Zm9v"},
                        {"foob", "Zm9vYg==", "Zm9vYg"},
                        {"fooba", "Zm9vYmE=", "Zm9vYmE"},
                        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
                        {"\xfb\xff\xfe", "+//+", "-__-"}};
    for (const row& r : rows) {
        CAPTURE(r.padded);
        CHECK(base64(r.bytes) == r.padded);
        CHECK(base64url(r.bytes) == r.url);
        CHECK(read_base64(r.padded) == r.bytes);
        CHECK(read_base64url(r.url) == r.bytes);
    }
}

TEST_CASE("every byte, at every length, comes back")
{
    std::string bytes;
    for (int i = 0; i < 700; ++i) {
        CHECK(read_base64(base64(bytes)) == bytes);
        CHECK(read_base64url(base64url(bytes)) == bytes);
        CHECK(read_hex(hex(bytes)) == bytes);
        bytes.push_back(static_cast<char>(i * 37));
    }
}

TEST_CASE("one text for one value: everything else is refused")
{
    for (const char* text :
         {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm9v=", "====", "=", "Zm9v\n", "Zm 9v", "Zm9-", "Zm9_", "Z===", "A", "Zg==Zg=="}) {
        CAPTURE(text);
        CHECK_FALSE(read_base64(text));
    }
    for (const char* text : {"Zg==", "Zh", "Zm9", "A", "Zm9+", "Zm9/", "Zm9v ", "\u00e4AA"}) {
        CAPTURE(text);
        CHECK_FALSE(read_base64url(text));
    }
    for (const char* text : {"0", "0g", "0x", " 0", "00 "}) {
        CAPTURE(text);
        CHECK_FALSE(read_hex(text));
    }
    CHECK(read_hex("aAfF09") == "\xaa\xff\x09");
    CHECK_FALSE(read_base64url(std::string_view("Zm9v\0", 5)));
}

TEST_CASE("a digest is 32 bytes and nothing else")
{
    const std::string bytes = "0123456789abcdef0123456789ABCDEF";
    const auto d = digest::from_bytes(bytes);
    REQUIRE(d);
    CHECK(d->view() == bytes);
    CHECK(digest::from_hex(d->hex()) == d);
    CHECK(digest::from_base64url(d->base64url()) == d);
    CHECK(*d != digest{});
    CHECK_FALSE(digest::from_bytes(bytes.substr(1)));
    CHECK_FALSE(digest::from_bytes(bytes + "0"));
    CHECK_FALSE(digest::from_hex(d->hex() + "00"));
    CHECK(std::hash<digest>{}(*d) == std::hash<digest>{}(*digest::from_bytes(bytes)));
}
