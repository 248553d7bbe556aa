#include "notifiers/slack_answer.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>
#include <variant>

using namespace sallyport;
using namespace sallyport::notifiers;
using kind = not_delivered::kind;

TEST_CASE("each of Slack's words has its meaning")
{
    struct row {
        const char* error;
        kind what;
        bool operators_trouble;
    };
    const row rows[] = {
        {"ratelimited", kind::later, false},         {"internal_error", kind::later, false},
        {"fatal_error", kind::later, false},         {"service_unavailable", kind::later, false},
        {"request_timeout", kind::later, false},     {"invalid_auth", kind::later, true},
        {"token_revoked", kind::later, true},        {"token_expired", kind::later, true},
        {"account_inactive", kind::later, true},     {"missing_scope", kind::later, true},
        {"not_authed", kind::later, true},           {"users_not_found", kind::address, false},
        {"user_not_found", kind::address, false},    {"user_disabled", kind::address, false},
        {"channel_not_found", kind::address, false}, {"cannot_dm_bot", kind::address, false},
        {"is_archived", kind::address, false},       {"invalid_blocks", kind::never, false},
        {"msg_too_long", kind::never, false},        {"msg_blocks_too_long", kind::never, false},
        {"a_new_word", kind::later, false},
    };
    for (const row& r : rows) {
        CAPTURE(r.error);
        const not_delivered why = why_slack_refuses("chat.postMessage", r.error);
        CHECK(why.what == r.what);
        CHECK(why.why.find(r.error) != std::string::npos);
        CHECK((why.why.find("operator") != std::string::npos) == r.operators_trouble);
    }
}

TEST_CASE("nothing but words of Slack's goes into a log")
{
    for (const char* text : {"", "No Such Thing", "xoxb-1", "a\nb", "<script>", "é"}) {
        CAPTURE(text);
        const not_delivered why = why_slack_refuses("chat.postMessage", text, text);
        CHECK(why.what == kind::later);
        CHECK(why.why == "chat.postMessage: Slack answers what is none of its words.");
    }
    CHECK(why_slack_refuses("conversations.open", "missing_scope", "im:write,mpim:write").why.find("(needs im:write,mpim:write)") !=
          std::string::npos);
    CHECK(why_slack_refuses("conversations.open", "missing_scope", "xoxb<secret>").why.find("needs") == std::string::npos);
}

TEST_CASE("an answer is right, or it is a refusal with its reason")
{
    struct row {
        const char* name;
        long status;
        long long retry_after;
        std::string body;
        std::optional<kind> refused;  // none: it is right
        std::optional<long long> pause = {};
    };
    const std::string deep = R"({"ok":true,"a":)" + std::string(100, '[') + std::string(100, ']') + "}";
    const row rows[] = {
        {"right", 200, 0, R"({"ok":true,"ts":"1.2"})", {}},
        {"refused", 200, 0, R"({"ok":false,"error":"is_archived"})", kind::address},
        {"refused with another status", 403, 0, R"({"ok":false,"error":"is_archived"})", kind::address},
        {"without a word", 200, 0, R"({"ok":false})", kind::later},
        {"asked too often", 429, 30, "", kind::later, 30},
        {"asked too often, by word", 200, 7, R"({"ok":false,"error":"ratelimited"})", kind::later, 7},
        {"a pause of years", 429, 100'000'000, "", kind::later, 3600},
        {"a pause that is none", 429, -5, "", kind::later},
        {"server error", 500, 0, R"({"ok":true})", kind::later},
        {"server error with a pause", 503, 12, "", kind::later, 12},
        {"a redirect", 302, 0, "", kind::later},
        {"a page", 200, 0, "<html>", kind::later},
        {"nothing", 200, 0, "", kind::later},
        {"no object", 200, 0, "[true]", kind::later},
        {"ok is no truth", 200, 0, R"({"ok":"true"})", kind::later},
        {"cut off", 200, 0, R"({"ok":true)", kind::later},
        {"more behind", 200, 0, R"({"ok":true}{})", kind::later},
        {"no UTF-8", 200, 0, "{\"ok\":true,\"a\":\"\xFF\"}", kind::later},
        {"too deep", 200, 0, deep, kind::later},
        {"too long", 200, 0, R"({"ok":true,"a":")" + std::string(slack_longest_answer, 'x') + "\"}", kind::later},
        {"right by a status that is not", 404, 0, R"({"ok":true})", kind::later},
        {"no status at all", 0, 0, "", kind::later},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const slack_answer answer = read_slack_answer("chat.postMessage", r.status, r.retry_after, r.body);
        const auto* const refusal = std::get_if<slack_refusal>(&answer);
        REQUIRE((refusal == nullptr) == !r.refused.has_value());
        if (refusal == nullptr) continue;
        CHECK(refusal->why.what == *r.refused);
        const std::optional<duration> pause = r.pause ? std::optional<duration>(std::chrono::seconds(*r.pause)) : std::nullopt;
        CHECK(refusal->why.not_before == pause);
    }
}

TEST_CASE("texts are found by their path")
{
    const auto answer = read_slack_answer("m", 200, 0, R"({"ok":true,"a":{"b":{"c":"x"},"n":1},"t":"y"})");
    const auto& members = std::get<boost::json::object>(answer);
    CHECK(text_at(members, "t") == "y");
    CHECK(text_at(members, "a/b/c") == "x");
    for (const char* path : {"", "a", "a/n", "a/b", "a/b/c/d", "t/x", "z/z", "/"}) CHECK(text_at(members, path).empty());
}

TEST_CASE("ids and timestamps")
{
    for (const char* id : {"U012AB3CD", "D1", "W0"}) CHECK(slack_id(id));
    for (const char* no : {"", "u1", "1U", "U-1", "U1/2", "UUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUU"}) CHECK(!slack_id(no));
    CHECK(slack_timestamp("1503435956.000247"));
    for (const char* no : {"", ".", "1", "1.", ".1", "1.2.3", "a.1", "1.1 ", "-1.1", "1503435956000.000247"}) CHECK(!slack_timestamp(no));
}
