#include "gateway/audit/call_entry.hpp"

#include "gateway/canonical/jcs.hpp"
#include "gateway/canonical/json.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace sallyport::audit {
namespace {

using namespace std::chrono_literals;

const time_point t0{1'795'716'963s};

action_id action(std::uint8_t n) { return action_id::make(t0, {0, 0, 0, 0, 0, 0, 0, 0, 0, n}); }

std::string verdict(std::uint8_t n, std::string_view target = "/v1/refunds", verdict_kind kind = verdict_kind::allow)
{
    verdict_record r;
    r.verdict = kind;
    r.at = t0;
    r.action = action(n);
    r.route = "payments";
    r.rules = "small ones";
    r.policy = "cafe";
    r.method = "POST";
    r.authority = "api.example";
    r.target = target;
    std::string bytes;
    encode(r, bytes);
    return bytes;
}

std::string outcome(std::uint8_t n, int status = 201, std::optional<problem> why = std::nullopt)
{
    std::string bytes;
    encode(outcome_record{t0 + 1s, action(n), {}, status, why}, bytes);
    return bytes;
}

std::string told(call_entries& calls, const std::vector<std::string>& records)
{
    for (const auto& r : records) calls.add(r);
    std::string all;
    for (const auto& e : calls.take()) {
        CHECK(jcs(json::document::parse(e.data)->root()) == e.data);
        all += e.kind == "verdict" ? "v" : "o";
        all += std::to_string(e.action->bytes().back());
        if (e.data.find("\"outcome\"") != std::string::npos) all += '+';
        all += ' ';
    }
    return all;
}

}  // namespace

TEST_CASE("one entry a call, where its verdict and its outcome are shipped together")
{
    struct row {
        const char* name;
        std::vector<std::string> records;
        const char* then;
    };
    const row rows[] = {
        {"a call", {verdict(1), outcome(1)}, "v1+ "},
        {"what is not over", {verdict(1), verdict(2), outcome(2)}, "v1 v2+ "},
        {"over each other", {verdict(1), verdict(2), outcome(2), outcome(1)}, "v1+ v2+ "},
        {"the verdict was shipped before", {outcome(9), verdict(1), outcome(1)}, "o9 v1+ "},
        {"refused by policy", {verdict(1, "/x", verdict_kind::deny), verdict(2)}, "v1 v2 "},
        {"a second outcome is not lost", {verdict(1), outcome(1), outcome(1, 502)}, "v1+ o1 "},
        {"an outcome before its verdict stays apart", {outcome(1), verdict(1)}, "o1 v1 "},
        {"what is no UTF-8 is kept", {verdict(1, "/\xff")}, "v1 "},
        {"nothing", {}, ""},
        {"what cannot be read is left out", {verdict(1), "?", "", outcome(1)}, "v1+ "},
    };
    call_entries calls(4);
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(told(calls, r.records) == r.then);
    }
}

TEST_CASE("what an entry says")
{
    call_entries calls(10);
    const std::string records[] = {verdict(1, "/v1/\"a\\b\""), outcome(1, 0, problem::upstream_timeout),
                                   verdict(2, "/", verdict_kind::deny), outcome(3)};
    for (const auto& r : records) CHECK(calls.add(r));
    CHECK_FALSE(calls.add("v"));
    CHECK(calls.records() == 5);
    const auto entries = calls.take();
    CHECK(calls.records() == 0);
    REQUIRE(entries.size() == 3);
    CHECK(entries[0].data == R"({"authority":"api.example","content_digest":null,"method":"POST",)"
                             R"("outcome":{"problem":"upstream-timeout","status":null},"policy":"cafe","route":"payments",)"
                             R"("rules":["small","ones"],"target":"/v1/\"a\\b\"","verdict":"allow"})");
    CHECK(entries[0].at == t0);
    CHECK(entries[1].data == R"({"authority":"api.example","content_digest":null,"method":"POST","policy":"cafe","route":"payments",)"
                             R"("rules":["small","ones"],"target":"/","verdict":"deny"})");
    CHECK(entries[2].kind == "outcome");
    CHECK(entries[2].at == t0 + 1s);
    CHECK(entries[2].data == R"({"problem":null,"status":201})");
}

TEST_CASE("texts are escaped wherever they need it")
{
    const std::string odd[] = {"\"", "\\", "\n", std::string(1, '\0'), "\x1f", "\x7f", "ü", "€", "\xf0\x9f\x98\x80"};
    for (const std::string& character : odd)
        for (std::size_t before = 0; before < 20; ++before)
            for (const std::size_t behind : {0U, 1U, 7U, 8U}) {
                const std::string target = std::string(before, '!') + character + std::string(behind, '~');
                CAPTURE(target);
                call_entries calls(1);
                const auto record = verdict(1, target);
                REQUIRE(calls.add(record));
                const auto entries = calls.take();
                const auto read = json::document::parse(entries.at(0).data);
                REQUIRE(read.has_value());
                CHECK(read->root().find("target")->string() == target);
                CHECK(jcs(read->root()) == entries[0].data);
            }
}

}  // namespace sallyport::audit
