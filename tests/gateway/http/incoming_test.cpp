#include "gateway/http/incoming.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace sallyport;
using namespace sallyport::http;

namespace {

constexpr std::size_t limit = 64 << 10;

template <class Head>
void feed(incoming<Head>& in, std::string_view bytes)
{
    while (!bytes.empty()) {
        const std::span<char> room = in.room(bytes.size());
        REQUIRE(!room.empty());
        const std::size_t n = std::min(room.size(), bytes.size());
        std::memcpy(room.data(), bytes.data(), n);
        in.received(n);
        bytes.remove_prefix(n);
    }
}

std::string describe(const request_head& head)
{
    std::string text = std::string(head.method) + '|' + std::string(head.target) + '|' + std::string(head.host) + '|' +
                       std::to_string(head.content_length.value_or(0)) + (head.chunked ? "c" : "") + (head.keep_alive ? "k" : "") +
                       (head.expect_continue ? "e" : "") + std::to_string(head.minor_version);
    for (const field& one : head.fields) text += '|' + std::string(one.name) + '=' + std::string(one.value);
    return text;
}

// Reads messages with a Content-Length off one stream of bytes that arrives in the given pieces.
std::vector<std::string> read_all(std::string_view bytes, const std::vector<std::size_t>& sizes)
{
    buffer_pool pool;
    incoming<request_head> in(pool, limit);
    std::vector<std::string> seen;
    std::string body;
    std::size_t at = 0;
    for (std::size_t i = 0; at < bytes.size(); ++i) {
        const std::size_t size = std::min(i < sizes.size() ? sizes[i] : bytes.size(), bytes.size() - at);
        std::string_view piece = bytes.substr(at, size);
        at += size;
        while (!piece.empty()) {
            // As a reader on a socket does: whatever the room holds, then look.
            const std::span<char> room = in.room(in.has_head() ? 20000 : 0);
            const std::size_t n = std::min(room.size(), piece.size());
            std::memcpy(room.data(), piece.data(), n);
            in.received(n);
            piece.remove_prefix(n);
            for (;;) {
                if (!in.has_head()) {
                    const auto complete = in.parse();
                    if (!complete) return {"refused: " + complete.error().detail};
                    if (!*complete) break;
                    body.clear();
                }
                const std::size_t wanted = in.head().content_length.value_or(0) - body.size();
                const std::string_view part = in.rest().substr(0, wanted);
                body += part;
                in.consume(part.size());
                if (body.size() < in.head().content_length.value_or(0)) break;
                seen.push_back(describe(in.head()) + '#' + body);
                in.next();
                if (in.rest().empty()) break;
            }
        }
    }
    return seen;
}

const std::string two_messages = "POST /a?b HTTP/1.1\r\nHost: one:80\r\nX: \t y \r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello"
                                 "GET /second HTTP/1.0\r\nConnection: keep-alive\r\nEmpty:\r\n\r\n";

}  // namespace

TEST_CASE("all splits of the input give the same messages")
{
    const auto whole = read_all(two_messages, {});
    REQUIRE(whole.size() == 2);
    CHECK(whole[0] == "POST|/a?b|one:80|5ke1|Host=one:80|X=y|Content-Length=5|Expect=100-continue#hello");
    CHECK(whole[1] == "GET|/second||0k0|Connection=keep-alive|Empty=#");
    for (std::size_t a = 1; a < two_messages.size(); ++a)
        for (std::size_t b = 1; a + b <= two_messages.size(); b += 3) REQUIRE(read_all(two_messages, {a, b}) == whole);
    REQUIRE(read_all(two_messages, std::vector<std::size_t>(two_messages.size(), 1)) == whole);
}

TEST_CASE("messages larger than a block, in random pieces")
{
    std::mt19937 random(20240611);
    std::string bytes;
    std::vector<std::string> expected;
    for (int message = 0; message < 12; ++message) {
        const std::size_t value = random() % 9000, body = message % 3 == 0 ? 0 : random() % 40000;
        const std::string text(value, static_cast<char>('a' + message));
        const std::string content(body, static_cast<char>('A' + message));
        bytes += "POST /" + std::to_string(message) + " HTTP/1.1\r\nHost: h\r\nV: " + text + "\r\nContent-Length: " + std::to_string(body) +
                 "\r\n\r\n" + content;
        expected.push_back("POST|/" + std::to_string(message) + "|h|" + std::to_string(body) + "k1|Host=h|V=" + text +
                           "|Content-Length=" + std::to_string(body) + '#' + content);
    }
    CHECK(read_all(bytes, {}) == expected);
    for (int round = 0; round < 200; ++round) {
        std::vector<std::size_t> sizes;
        const std::size_t largest = std::size_t{1} << (random() % 16);
        for (int i = 0; i < 4000; ++i) sizes.push_back(1 + random() % largest);
        REQUIRE(read_all(bytes, sizes) == expected);
    }
}

TEST_CASE("noise neither crashes nor is taken for a head")
{
    std::mt19937 random(7);
    for (int round = 0; round < 20000; ++round) {
        // A sound message with a few bytes changed, cut, doubled.
        std::string text = two_messages;
        for (std::size_t i = 0, n = 1 + random() % 3; i < n; ++i) {
            const std::size_t at = random() % text.size();
            switch (random() % 4) {
            case 0: text[at] = static_cast<char>(random()); break;
            case 1: text.erase(at, 1 + random() % 4); break;
            case 2: text.insert(at, 1, "\r\n :\0\t,"[random() % 7]); break;
            default: text.insert(at, text.substr(at, random() % 8)); break;
            }
        }
        const auto whole = read_all(text, {});
        REQUIRE(read_all(text, {1 + random() % 20, 1 + random() % 100, 1 + random() % 60}) == whole);
    }
}

TEST_CASE("the views of a head stay while its body comes and goes")
{
    buffer_pool pool;
    incoming<request_head> in(pool, limit);
    feed(in, "POST /stays HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    REQUIRE(in.parse().value());
    const std::string before = describe(in.head());
    const char* const where = in.head().target.data();
    for (const std::size_t size : {10u, 3000u, 5000u, 100u, 60000u, 1u, 16384u}) {
        feed(in, std::string(size, 'x'));
        REQUIRE(in.rest() == std::string(size, 'x'));
        in.consume(size / 2);
        feed(in, "tail");
        REQUIRE(in.rest() == std::string(size - size / 2, 'x') + "tail");
        in.consume(in.rest().size());
        REQUIRE(describe(in.head()) == before);
        REQUIRE(in.head().target.data() == where);
    }
    feed(in, "GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
    in.next();
    REQUIRE(in.parse().value());
    CHECK(in.head().target == "/next");
}

TEST_CASE("a small body lies beside its head")
{
    buffer_pool pool;
    incoming<request_head> in(pool, limit);
    feed(in, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n");
    REQUIRE(in.parse().value());
    REQUIRE(in.capacity_beside_head() >= 1000);
    for (int i = 0; i < 10; ++i) feed(in, std::string(100, static_cast<char>('0' + i)));
    const std::string_view body = in.rest().substr(0, 1000);
    CHECK(body.size() == 1000);
    in.consume(1000);
    CHECK(body.substr(0, 100) == std::string(100, '0'));
    CHECK(body.substr(900) == std::string(100, '9'));
}

TEST_CASE("idle owns nothing, and what was read ahead is not lost")
{
    buffer_pool pool;
    incoming<request_head> in(pool, limit);
    CHECK(in.empty());
    feed(in, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
    REQUIRE(in.parse().value());
    SUBCASE("after a message")
    {
        in.next();
        CHECK(in.empty());
    }
    SUBCASE("while one is worked on, released with nothing behind it")
    {
        in.release();
        CHECK(in.empty());
        CHECK(in.rest().empty());
        in.next();
        CHECK(in.empty());
    }
    SUBCASE("released with the beginning of the next message behind it")
    {
        feed(in, "GET /2 HTTP/1.1\r\nHo");
        in.release();
        CHECK(!in.has_head());
        CHECK(in.rest() == "GET /2 HTTP/1.1\r\nHo");
        in.release();
        CHECK(in.rest() == "GET /2 HTTP/1.1\r\nHo");
        in.next();
        CHECK(!in.parse().value());
        feed(in, "st: h\r\n\r\n");
        REQUIRE(in.parse().value());
        CHECK(in.head().target == "/2");
    }
    SUBCASE("released in the middle of a body")
    {
        feed(in, "half");
        in.release();
        in.consume(2);
        CHECK(in.rest() == "lf");
        feed(in, std::string(10000, 'b'));
        CHECK(in.rest() == "lf" + std::string(10000, 'b'));
        in.consume(10002);
        feed(in, "GET /3 HTTP/1.1\r\nHost: h\r\n\r\n");
        in.next();
        REQUIRE(in.parse().value());
        CHECK(in.head().target == "/3");
    }
}

TEST_CASE("what a response's head says about its body")
{
    struct row {
        const char* name;
        std::string head;
        bool answers_head;
        bool no_body, until_close, chunked, keep_alive;
    };
    const row rows[] = {
        {"a length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", false, false, false, false, true},
        {"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false, false, false, true, true},
        {"neither", "HTTP/1.1 200 OK\r\n\r\n", false, false, true, false, false},
        {"close", "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n", false, false, false, false, false},
        {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false, false, false, false, false},
        {"HTTP/1.0 kept", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", false, false, false, false, true},
        {"204", "HTTP/1.1 204 No Content\r\n\r\n", false, true, false, false, true},
        {"304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", false, true, false, false, true},
        {"interim", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", false, true, false, false, true},
        {"to HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", true, true, false, false, true},
        {"to HEAD, chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true, true, false, false, true},
        {"to HEAD, neither", "HTTP/1.1 200 OK\r\n\r\n", true, true, false, false, true},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        buffer_pool pool;
        incoming<response_head> in(pool, limit);
        feed(in, r.head);
        const auto complete = in.parse(r.answers_head);
        if (complete.has_error()) FAIL(complete.error().detail << ' ' << complete.error().cause);
        REQUIRE(*complete);
        CHECK(in.head().no_body == r.no_body);
        CHECK(in.head().until_close == r.until_close);
        CHECK(in.head().chunked == r.chunked);
        CHECK(in.head().keep_alive == r.keep_alive);
    }
}

TEST_CASE("looking into heads")
{
    const field fields[] = {{"Accept", "a"}, {"X-One", "1"}, {"x-one", "2"}};
    CHECK(find(fields, "x-ONE") == std::optional<std::string_view>("1"));
    CHECK(!find(fields, "x-two"));
    CHECK(count(fields, "X-ONE") == 2);
    CHECK(list_has("a, Close ,b", "close"));
    CHECK(!list_has("closed, aclose", "close"));
    CHECK(!list_has("", "close"));
}
