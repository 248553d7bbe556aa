// An upstream that repeats what it was told, in every way that a body can be framed and cut.
#include "gateway/forward/forward.hpp"

#include "tests/gateway/forward/stand_in.hpp"

#include <string>
#include <string_view>

using namespace stand_in;
using loopback::begins;
using loopback::has;

namespace {

constexpr const char* token = "t0p-s3cret";

std::string chunk(const std::string& s)
{
    return s.empty() ? s : std::string(std::string_view(http::chunk_size_line(s.size()))) + s + "\r\n";
}

std::string body_of(const std::string& answer)
{
    const auto at = answer.find("\r\n\r\n");
    std::string body = at == std::string::npos ? std::string() : answer.substr(at + 4);
    if (answer.find("Transfer-Encoding: chunked") == std::string::npos) return body;
    std::string decoded;
    http::chunk_decoder chunks;
    std::string_view left = body;
    while (!chunks.done()) {
        const auto piece = chunks.next(left);
        if (!piece || left.empty()) return "broken: " + body;
        decoded += piece->data;
        left.remove_prefix(piece->used);
    }
    return decoded;
}

}  // namespace

TEST_CASE("the credential goes up, and comes back as nothing but a mark")
{
    std::string head;
    const std::string body = "{\"authorization\":\"Bearer t0p-s3cret\",\"a\":\"b\"}";
    upstream there([&](peer& p, int) {
        head = p.head();
        p.send("HTTP/1.1 200 t0p-s3cret\r\nX-Echo: you sent Bearer t0p-s3cret\r\nX-t0p-s3cret: name\r\nX-Two: a\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n\r\n" + body);
    });
    proxy gate(route_to(there.port()));
    gate.inject("Authorization", "Bearer t0p-s3cret", token);
    const std::string answer =
        gate.ask("GET /x HTTP/1.1\r\nHost: gate\r\nConnection: close\r\nAuthorization: Bearer agents\r\nAccept-Encoding: gzip\r\n\r\n");
    CHECK(has(head, "\r\nAuthorization: Bearer t0p-s3cret\r\n"));
    CHECK(has(head, "\r\nAccept-Encoding: identity\r\n"));
    CHECK_FALSE(has(head, "agents"));
    CHECK_FALSE(has(head, "gzip"));
    CHECK_FALSE(has(answer, "s3cret"));
    CHECK(has(answer, "x-echo: you sent [credential]\r\n"));
    CHECK(has(answer, "x-two: a\r\n"));
    CHECK(body_of(answer) == "{\"authorization\":\"[credential]\",\"a\":\"b\"}");
    CHECK(has(answer, "\r\nContent-Length: " + std::to_string(body_of(answer).size()) + "\r\n"));
}

TEST_CASE("an answer without it keeps its length and bytes")
{
    upstream there(answers("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world"));
    proxy gate(route_to(there.port()));
    gate.inject("X-Api-Key", token, token);
    const std::string answer = gate.get();
    CHECK(has(answer, "\r\nContent-Length: 11\r\n"));
    CHECK(body_of(answer) == "hello world");
}

TEST_CASE("split at every byte, in every framing")
{
    const std::string text = "before t0p-s3cret and t0p-s3crt after t0p-s3cret";
    const std::string want = "before [credential] and t0p-s3crt after [credential]";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        CAPTURE(cut);
        const std::string first = text.substr(0, cut), second = text.substr(cut);
        upstream there([&](peer& p, int nth) {
            p.head();
            if (nth == 0) {
                p.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" + first);
                p.send(second);
            } else if (nth == 1) {
                p.send("HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(first));
                p.send(chunk(second) + "0\r\n\r\n");
            } else {
                p.send("HTTP/1.1 200 OK\r\n\r\n" + first);
                p.send(second);
            }
            p.shutdown_send();
        });
        proxy gate(route_to(there.port()));
        gate.inject("X-Api-Key", token, token);
        for (int nth = 0; nth < 3; ++nth) {
            CAPTURE(nth);
            CHECK(body_of(gate.get()) == want);
            CHECK_FALSE(gate.told(static_cast<std::size_t>(nth)).failed);
        }
    }
}

TEST_CASE("a cut that the gateway sees as two reads")
{
    // The first part is out at the agent, as far as it can be, before the upstream says the second.
    std::promise<void> agent_has_it;
    upstream there([&](peer& p, int) {
        p.head();
        p.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk("event t0p-s"));
        agent_has_it.get_future().wait_for(loopback::patience);
        p.send(chunk("3cret") + "0\r\n\r\n");
    });
    proxy gate(route_to(there.port()));
    gate.inject("X-Api-Key", token, token);
    loopback::client agent(gate.port());
    agent.send("GET /x HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n");
    std::string answer = agent.until("event ");
    agent_has_it.set_value();
    answer += agent.rest();
    CHECK(body_of(answer) == "event [credential]");
}

TEST_CASE("long answers are looked at while they pass")
{
    std::string text, want;
    for (int i = 0; i < 20'000; ++i) {
        text += "line " + std::to_string(i) + (i % 7 == 0 ? " t0p-s3cret\n" : " nothing\n");
        want += "line " + std::to_string(i) + (i % 7 == 0 ? " [credential]\n" : " nothing\n");
    }
    upstream there(answers("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text));
    proxy gate(route_to(there.port()));
    gate.inject("X-Api-Key", token, token);
    const std::string got = gate.get();
    CHECK_FALSE(has(got, "Content-Length"));
    CHECK(body_of(got) == want);
    CHECK_FALSE(gate.told().failed);
}

TEST_CASE("an answer that was to be looked at as a whole, and is not whole")
{
    upstream there(answers("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart of it"));
    proxy gate(route_to(there.port()));
    gate.inject("X-Api-Key", token, token);
    CHECK(begins(gate.get(), "HTTP/1.1 502 "));
    const forwarded told = gate.told();
    REQUIRE(told.failed);
    CHECK(told.failed->what == sallyport::problem::outcome_unknown);
    CHECK_FALSE(told.head_written);
    CHECK(told.status == 0);
}

TEST_CASE("a credential that would break the request is not sent")
{
    upstream there(answers("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    proxy gate(route_to(there.port()));
    gate.inject("X-Api-Key", "a\r\nX-Other: b", "a\r\nX-Other: b");
    CHECK(begins(gate.get(), "HTTP/1.1 500 "));
    const forwarded told = gate.told();
    REQUIRE(told.failed);
    CHECK(told.failed->what == sallyport::problem::internal_error);
    CHECK(told.request_bytes == 0);
    CHECK_FALSE(has(told.failed->detail, "X-Other"));
    CHECK_FALSE(has(told.failed->cause, "X-Other"));
}
