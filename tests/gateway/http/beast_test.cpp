// The head is read by our own strict reader alone; Beast's parser is its judge here: whatever ours takes, Beast takes too
// and reads alike.
#include "gateway/http/incoming.hpp"

#include <doctest/doctest.h>

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace sallyport::http {
namespace {

namespace beast = boost::beast::http;

template <class Head>
bool take(incoming<Head>& in, std::string_view bytes)
{
    while (!bytes.empty()) {
        const auto room = in.room();
        const std::size_t size = std::min(room.size(), bytes.size());
        std::memcpy(room.data(), bytes.data(), size);
        in.received(size);
        bytes.remove_prefix(size);
        const auto complete = in.parse();
        if (!complete) return false;
        if (*complete) return true;
    }
    return false;
}

template <bool IsRequest>
void check_fields(const beast::header<IsRequest>& judged, std::span<const field> fields)
{
    auto at = fields.begin();
    for (const auto& theirs : judged) {
        REQUIRE(at != fields.end());
        CHECK(std::string_view(theirs.name_string().data(), theirs.name_string().size()) == at->name);
        CHECK(std::string_view(theirs.value().data(), theirs.value().size()) == at->value);
        ++at;
    }
    CHECK(at == fields.end());
}

void judge_request(const std::string& bytes, std::size_t& taken)
{
    CAPTURE(bytes);
    buffer_pool pool;
    incoming<request_head> in(pool, 64 << 10);
    if (!take(in, bytes)) return;
    ++taken;
    const request_head& ours = in.head();
    beast::request_parser<beast::empty_body> judge;
    judge.header_limit(1 << 20);
    judge.body_limit(boost::none);
    boost::system::error_code error;
    judge.put(boost::asio::buffer(bytes), error);
    REQUIRE((!error || judge.is_header_done()));
    const auto& theirs = judge.get();
    CHECK(std::string_view(theirs.method_string().data(), theirs.method_string().size()) == ours.method);
    CHECK(std::string_view(theirs.target().data(), theirs.target().size()) == ours.target);
    CHECK(theirs.version() == 10u + ours.minor_version);
    CHECK(judge.chunked() == ours.chunked);
    CHECK(judge.content_length().has_value() == ours.content_length.has_value());
    if (ours.content_length) CHECK(*judge.content_length() == *ours.content_length);
    // Ours ends the connection where `close` stands beside `keep-alive`; in HTTP/1.0 Beast goes on.
    if (ours.keep_alive) CHECK(judge.keep_alive());
    check_fields<true>(theirs.base(), ours.fields);
}

void judge_response(const std::string& bytes, std::size_t& taken)
{
    CAPTURE(bytes);
    buffer_pool pool;
    incoming<response_head> in(pool, 64 << 10);
    if (!take(in, bytes)) return;
    ++taken;
    const response_head& ours = in.head();
    beast::response_parser<beast::empty_body> judge;
    judge.header_limit(1 << 20);
    judge.body_limit(boost::none);
    boost::system::error_code error;
    judge.put(boost::asio::buffer(bytes), error);
    REQUIRE((!error || judge.is_header_done()));
    const auto& theirs = judge.get();
    CHECK(theirs.result_int() == static_cast<unsigned>(ours.status));
    // Beast puts the usual one where there is none.
    if (!ours.reason.empty()) CHECK(std::string_view(theirs.reason().data(), theirs.reason().size()) == ours.reason);
    CHECK(theirs.version() == 10u + ours.minor_version);
    if (!ours.no_body) {
        CHECK(judge.chunked() == ours.chunked);
        CHECK(judge.need_eof() == ours.until_close);
    }
    if (ours.content_length && judge.content_length()) CHECK(*judge.content_length() == *ours.content_length);
    check_fields<false>(theirs.base(), ours.fields);
}

const std::vector<std::string> requests{
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /v1/refunds?x=1 HTTP/1.1\r\nHost: api.example:8080\r\nContent-Type: application/json\r\nContent-Length: 0\r\nAccept:  */* "
    "\r\n\r\n",
    "PUT http://a.example/x HTTP/1.1\r\nhost: a.example\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive, x-y\r\nX-Y: \t1\t\r\n\r\n",
    "DELETE /a HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\nContent-Length: 0\r\nX-Empty:\r\n\r\n",
};
const std::vector<std::string> responses{
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nServer: x\r\n\r\n",
    "HTTP/1.1 204 \r\nDate: Tue, 15 Nov 1994 08:12:31 GMT\r\n\r\n",
    "HTTP/1.0 404 Not Found\r\nConnection: close\r\nSet-Cookie: a=b; Path=/\r\n\r\n",
    "HTTP/1.1 500 Oh\xC3\xA4\r\nTransfer-Encoding: chunked\r\nKeep-Alive: timeout=5\r\n\r\n",
};

// One or two small changes of the kinds that parsers quarrel about.
std::string mutated(std::string text, std::mt19937& random)
{
    static const std::vector<std::string> pieces{
        "\r\n",        "\n",      "\r", " ", "\t",    ":",       std::string(1, '\0'),    "\x7F",
        "\xFF",        ",",       "0",  "A", "close", "chunked", "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n",
        "Host: b\r\n", "X: y\r\n"};
    for (auto changes = 1 + random() % 2; changes > 0; --changes) {
        const std::size_t at = random() % text.size();
        switch (random() % 3) {
        case 0: text.insert(at, pieces[random() % pieces.size()]); break;
        case 1: text.erase(at, 1 + random() % 3); break;
        default: text[at] = static_cast<char>(random()); break;
        }
        if (text.empty()) return text;
    }
    return text;
}

}  // namespace

TEST_CASE("what is taken as a request's head, Beast reads alike")
{
    std::mt19937 random(9112);
    std::size_t taken = 0;
    for (const auto& one : requests) judge_request(one, taken);
    CHECK(taken == requests.size());
    for (int i = 0; i < 40'000; ++i) judge_request(mutated(requests[random() % requests.size()], random), taken);
    CHECK(taken > 1'000);  // the changes did not only break things
}

TEST_CASE("what is taken as a response's head, Beast reads alike")
{
    std::mt19937 random(9110);
    std::size_t taken = 0;
    for (const auto& one : responses) judge_response(one, taken);
    CHECK(taken == responses.size());
    for (int i = 0; i < 40'000; ++i) judge_response(mutated(responses[random() % responses.size()], random), taken);
    CHECK(taken > 1'000);
}

TEST_CASE("a head that comes in pieces is the head that comes at once")
{
    for (const auto& one : requests) {
        CAPTURE(one);
        for (std::size_t cut = 1; cut < one.size(); ++cut) {
            buffer_pool pool;
            incoming<request_head> in(pool, 64 << 10);
            for (const auto part : {std::string_view(one).substr(0, cut), std::string_view(one).substr(cut)}) {
                const auto room = in.room();
                std::memcpy(room.data(), part.data(), part.size());
                in.received(part.size());
                const auto complete = in.parse();
                REQUIRE(complete.has_value());
                CHECK(*complete == (part.data() + part.size() == one.data() + one.size()));
            }
            incoming<request_head> whole(pool, 64 << 10);
            REQUIRE(take(whole, one));
            CHECK(in.head().method == whole.head().method);
            CHECK(in.head().target == whole.head().target);
            CHECK(in.head().host == whole.head().host);
            CHECK(std::vector<field>(in.head().fields.begin(), in.head().fields.end()) ==
                  std::vector<field>(whole.head().fields.begin(), whole.head().fields.end()));
        }
    }
}

}  // namespace sallyport::http
