#include "gateway/canonical/content_digest.hpp"
#include "gateway/canonical/keyed_hash.hpp"
#include "gateway/canonical/sha256.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace sallyport;

TEST_CASE("SHA-256 as FIPS 180-4 has it")
{
    CHECK(sha256("").hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(sha256("abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").hex() ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST_CASE("in pieces it is the same, and begins anew")
{
    const std::string text(100'000, 'a');
    sha256_stream stream;
    for (int round = 0; round < 2; ++round) {
        for (std::size_t i = 0; i < text.size(); i += 777) stream.update(std::string_view(text).substr(i, 777));
        CHECK(stream.finish() == sha256(text));
    }
    CHECK(stream.finish() == sha256(""));
}

TEST_CASE("threads do not disturb each other")
{
    std::vector<std::thread> threads;
    std::array<bool, 4> right{};
    for (std::size_t t = 0; t < right.size(); ++t) {
        threads.emplace_back([&right, t] {
            const std::string text(300, static_cast<char>('a' + t));
            const digest once = sha256(text);
            bool same = true;
            for (int i = 0; i < 2000; ++i) same = same && sha256(text) == once;
            right[t] = same;
        });
    }
    for (auto& t : threads) t.join();
    for (const bool r : right) CHECK(r);
}

TEST_CASE("Content-Digest as RFC 9530 has it")
{
    // appendix B.1
    CHECK(content_digest("{\"hello\": \"world\"}\n") == "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:");
    CHECK(content_digest("") == content_digest_of_nothing());
    CHECK(read_content_digest(content_digest("x")) == sha256("x"));
    for (const char* bad :
         {"",
          "sha-256=::", "sha-512=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:", "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=",
          "sha-256=:RK_0qy18MlBSVnWgjwz6lZEWjP_lF5HF9bvEF8FabDg=:", "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDh=:"}) {
        CAPTURE(bad);
        CHECK_FALSE(read_content_digest(bad));
    }
}

TEST_CASE("the keyed hash depends on key and text")
{
    const keyed_hash a(1, 2), b(1, 3);
    std::set<std::uint64_t> seen;
    std::string text;
    for (int i = 0; i < 100; ++i) {
        CHECK(a(text) == a(std::string(text)));
        CHECK(a(text) != b(text));
        seen.insert(a(text));
        seen.insert(b(text));
        text.push_back('\0');
    }
    CHECK(seen.size() == 200);
    CHECK(keyed_hash::of_process()("x") == keyed_hash::of_process()("x"));
}

TEST_CASE("the keyed hash is SipHash-1-3")
{
    // The reference implementation's key and input: bytes 0, 1, 2, …
    std::array<unsigned char, 16> key_bytes{};
    for (std::size_t i = 0; i < key_bytes.size(); ++i) key_bytes[i] = static_cast<unsigned char>(i);
    std::array<std::uint64_t, 2> key{};
    std::memcpy(key.data(), key_bytes.data(), sizeof key);
    const keyed_hash hash(key[0], key[1]);
    CHECK(hash("") == 0xabac0158050fc4dc);
    const char zero = 0;
    CHECK(hash({&zero, 1}) == 0xc9f49bf37d57ca93);
}
