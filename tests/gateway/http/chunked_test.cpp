#include "gateway/http/chunked.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace sallyport;
using namespace sallyport::http;
using namespace std::string_literals;

namespace {

struct outcome {
    bool failed = false;
    bool done = false;
    std::string body;
    std::size_t used = 0;
    friend bool operator==(const outcome&, const outcome&) = default;
};

// The text in pieces that end at the given places.
outcome decode(std::string_view text, const std::vector<std::size_t>& cuts)
{
    chunk_decoder decoder;
    outcome seen;
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= cuts.size(); ++i) {
        const std::size_t end = i < cuts.size() ? cuts[i] : text.size();
        std::string_view input = text.substr(begin, end - begin);
        while (!input.empty() && !seen.done) {
            const auto piece = decoder.next(input);
            if (!piece) {
                CHECK(piece.error().what == problem::malformed_request);
                seen.failed = true;
                return seen;
            }
            REQUIRE(piece->used > 0);
            REQUIRE(piece->used <= input.size());
            seen.body += piece->data;
            seen.used += piece->used;
            seen.done = decoder.done();
            input.remove_prefix(piece->used);
        }
        begin = end;
    }
    return seen;
}

struct row {
    const char* name;
    std::string text;
    std::string body;
};

const row good[] = {
    {"empty", "0\r\n\r\n", ""},
    {"one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello"},
    {"two chunks", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"},
    {"hex in either case", "a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n", "01234567890123456789a"},
    {"leading zeros", "00005\r\nhello\r\n000\r\n\r\n", "hello"},
    {"line ends in the data", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n"},
    {"trailers are dropped", "1\r\nx\r\n0\r\nA: b\r\nC:\r\n\r\n", "x"},
    {"a trailer in Latin-1", "0\r\nA: \xc4\r\n\r\n", ""},
};

const row bad[] = {
    {"no size", "\r\nhello\r\n0\r\n\r\n", ""},
    {"a signed size", "+5\r\nhello\r\n0\r\n\r\n", ""},
    {"a negative size", "-5\r\nhello\r\n0\r\n\r\n", ""},
    {"0x", "0x5\r\nhello\r\n0\r\n\r\n", ""},
    {"space before the size", " 5\r\nhello\r\n0\r\n\r\n", ""},
    {"space behind the size", "5 \r\nhello\r\n0\r\n\r\n", ""},
    {"tab behind the size", "5\t\r\nhello\r\n0\r\n\r\n", ""},
    {"an extension", "5;a=b\r\nhello\r\n0\r\n\r\n", ""},
    {"an empty extension", "5;\r\nhello\r\n0\r\n\r\n", ""},
    {"an extension on the last chunk", "5\r\nhello\r\n0;a\r\n\r\n", ""},
    {"bare LF behind the size", "5\nhello\r\n0\r\n\r\n", ""},
    {"CR and no LF behind the size", "5\rhello\r\n0\r\n\r\n", ""},
    {"CR CR LF behind the size", "5\r\r\nhello\r\n0\r\n\r\n", ""},
    {"bare LF behind the data", "5\r\nhello\n0\r\n\r\n", ""},
    {"data longer than its size", "5\r\nhello!\r\n0\r\n\r\n", ""},
    {"data shorter than its size", "6\r\nhello\r\n0\r\n\r\n", ""},
    {"a size of 2^60", "1000000000000000\r\n", ""},
    {"a size of 2^64 + 5", "10000000000000005\r\nhello\r\n0\r\n\r\n", ""},
    {"zeros without end", std::string(16, '0') + "\r\n\r\n", ""},
    {"no hex", "g\r\n", ""},
    {"NUL in the size", "5\0\r\nhello\r\n0\r\n\r\n"s, ""},
    {"bare LF at the end", "0\r\n\n", ""},
    {"CR and no LF at the end", "0\r\n\rx", ""},
    {"a trailer without colon", "0\r\nGET / HTTP/1.1\r\n\r\n", ""},
    {"a trailer without a name", "0\r\n: b\r\n\r\n", ""},
    {"a folded trailer", "0\r\nA: b\r\n c\r\n\r\n", ""},
    {"a trailer with bare LF", "0\r\nA: b\n\r\n", ""},
    {"a trailer with NUL", "0\r\nA: \0\r\n\r\n"s, ""},
    {"a trailer with space before the colon", "0\r\nA : b\r\n\r\n", ""},
    {"trailers without end", "0\r\nA: " + std::string(5000, 'x') + "\r\n\r\n", ""},
};

}  // namespace

TEST_CASE("chunked bodies, split anywhere")
{
    for (const row& r : good) {
        CAPTURE(r.name);
        const std::string text = r.text + "GET /next";
        const outcome expected{false, true, r.body, r.text.size()};
        CHECK(decode(text, {}) == expected);
        for (std::size_t a = 0; a <= text.size(); ++a)
            for (std::size_t b = a; b <= text.size(); ++b) REQUIRE(decode(text, {a, b}) == expected);
    }
}

TEST_CASE("chunked bodies that are refused, split anywhere")
{
    for (const row& r : bad) {
        CAPTURE(r.name);
        CHECK(decode(r.text, {}).failed);
        for (std::size_t a = 0; a <= r.text.size(); a += r.text.size() > 100 ? std::size_t{97} : std::size_t{1})
            REQUIRE(decode(r.text, {a}).failed);
    }
}

TEST_CASE("a body that stops short is not done")
{
    const std::string text = "5\r\nhello\r\n0\r\nA: b\r\n\r\n";
    for (std::size_t n = 0; n < text.size(); ++n) {
        const outcome seen = decode(std::string_view(text).substr(0, n), {});
        CHECK(!seen.failed);
        CHECK(!seen.done);
    }
}

TEST_CASE("what is written is read back")
{
    for (const std::size_t size :
         {std::size_t{1}, std::size_t{9}, std::size_t{16}, std::size_t{255}, std::size_t{4096}, std::size_t{1} << 20}) {
        std::string text{std::string_view(chunk_size_line(size))};
        text += std::string(size, 'x');
        text += chunk_end;
        text += last_chunk;
        const outcome seen = decode(text, {});
        CHECK(seen.done);
        CHECK(seen.body.size() == size);
    }
    CHECK(std::string_view(chunk_size_line(~std::size_t{0})) == "ffffffffffffffff\r\n");
}
