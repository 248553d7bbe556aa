#include "notifiers/slack_request.hpp"

#include "notifiers/slack_message.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <variant>

using namespace sallyport;
using namespace sallyport::notifiers;

namespace {

std::string form_escaped(std::string_view text)
{
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        (out += '%') += {hex[byte >> 4], hex[byte & 0xF]};
    }
    return out;
}

std::string payload(std::string_view text) { return "payload=" + form_escaped(text); }

bool is_malformed(std::string_view body)
{
    const auto read = read_slack_request(body);
    return !read && read.error().what == problem::malformed_request;
}

// https://docs.slack.dev/authentication/verifying-requests-from-slack, to the byte.
constexpr std::string_view documented_secret = "8f742231b10e8888abcd99yyyzzz85a5";
constexpr std::string_view documented_timestamp = "1531420618";
constexpr std::string_view documented_body =
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&"
    "user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%"
    "2F397700885554%"
    "2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
constexpr std::string_view documented_signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

time_point at(std::int64_t seconds) { return time_point(std::chrono::seconds(seconds)); }

}  // namespace

TEST_CASE("the signature of Slack's documentation is right, and nothing near it")
{
    struct row {
        const char* name;
        std::string secret_text, timestamp, signature, body;
        std::int64_t now;
        slack_signature then;
    };
    const row good{"as documented",
                   std::string(documented_secret),
                   std::string(documented_timestamp),
                   std::string(documented_signature),
                   std::string(documented_body),
                   1531420618,
                   slack_signature::right};
    const auto with = [&](const char* name, slack_signature then, auto change) {
        row r = good;
        r.name = name;
        r.then = then;
        change(r);
        return r;
    };
    using enum slack_signature;
    const row rows[] = {
        good,
        with("300 s later", right, [](row& r) { r.now += 300; }),
        with("301 s later", stale, [](row& r) { r.now += 301; }),
        with("300 s earlier", right, [](row& r) { r.now -= 300; }),
        with("301 s earlier", stale, [](row& r) { r.now -= 301; }),
        with("upper case", malformed, [](row& r) { r.signature[3] = 'A'; }),
        with("another secret", wrong, [](row& r) { r.secret_text += '6'; }),
        with("no secret", wrong, [](row& r) { r.secret_text.clear(); }),
        with("another body", wrong, [](row& r) { r.body += '&'; }),
        with("no body", wrong, [](row& r) { r.body.clear(); }),
        with("another timestamp", wrong, [](row& r) { r.timestamp = "1531420619"; }),
        with("the first digit", wrong, [](row& r) { r.signature[3] = 'b'; }),
        with("the last digit", wrong, [](row& r) { r.signature.back() = '4'; }),
        with("no signature", malformed, [](row& r) { r.signature.clear(); }),
        with("version alone", malformed, [](row& r) { r.signature = "v0="; }),
        with("version 1", malformed, [](row& r) { r.signature[1] = '1'; }),
        with("one digit less", malformed, [](row& r) { r.signature.pop_back(); }),
        with("one digit more", malformed, [](row& r) { r.signature += '3'; }),
        with("no digit", malformed, [](row& r) { r.signature[10] = 'g'; }),
        with("a blank before", malformed, [](row& r) { r.signature = ' ' + r.signature; }),
        with("two signatures", malformed, [](row& r) { r.signature += ", " + r.signature; }),
        with("no timestamp", malformed, [](row& r) { r.timestamp.clear(); }),
        with("a sign", malformed, [](row& r) { r.timestamp = "+1531420618"; }),
        with("a fraction", malformed, [](row& r) { r.timestamp += ".0"; }),
        with("a blank behind", malformed, [](row& r) { r.timestamp += ' '; }),
        with("hexadecimal", malformed, [](row& r) { r.timestamp = "0x5B4799CA"; }),
        with("beyond 64 bits", malformed, [](row& r) { r.timestamp = "99999999999999999999"; }),
        with("a body too long", malformed, [](row& r) { r.body.assign(slack_longest_request + 1, 'x'); }),
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(verify_slack_signature(secret(r.secret_text), r.timestamp, r.signature, r.body, at(r.now)) == r.then);
    }
}

TEST_CASE("the documentation's slash command")
{
    const auto read = read_slack_request(documented_body);
    REQUIRE(read.has_value());
    const auto* const command = std::get_if<slack_command>(&*read);
    REQUIRE(command != nullptr);
    CHECK(command->user == "U2CERLKJA");
    CHECK(command->team == "T1DC2JH3J");
    CHECK(command->channel == "G8PSS9T3V");
    CHECK(command->command == "/webhook-collect");
    CHECK(command->text.empty());
    CHECK(command->trigger_id == "398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c");
    CHECK(command->response_url == "https://hooks.slack.com/commands/T1DC2JH3J/397700885554/96rGlfmibIGlgcZRskXaIFfN");
}

TEST_CASE("commands, well and badly formed")
{
    const auto good = read_slack_request("command=%2Fsallyport&text=+hold+%C3%A9+&user_id=U1");
    REQUIRE(good.has_value());
    CHECK(std::get<slack_command>(*good).text == "hold é");
    for (const char* body : {"", "x", "command=/sallyport", "command=/sallyport&user_id=", "command=/sallyport&user_id=u1",
                             "command=sallyport&user_id=U1", "command=/a&command=/b&user_id=U1", "command=/a&user_id=U1&user_id=U2",
                             "command=/a&user_id=U1&text=%", "command=/a&user_id=U1&text=%4", "command=/a&user_id=U1&text=%G0",
                             "command=/a&user_id=U1&text=%00", "command=/a&user_id=U1&text=%FF", "command=/a&user_id=U1&text=%C3",
                             "command=/a%0A&user_id=U1", "command=/a&user_id=U1&trigger_id=a+b", "command=/a&user_id=U1&channel_id=x"}) {
        CAPTURE(body);
        CHECK(is_malformed(body));
    }
    CHECK(std::get<slack_command>(*read_slack_request("command=/a&user_id=U1&response_url=http://127.0.0.1/")).response_url.empty());
    std::string many = "command=/a&user_id=U1";
    for (int i = 0; i < 100; ++i) many += "&a" + std::to_string(i) + "=";
    CHECK(is_malformed(many));
    CHECK(is_malformed("command=/a&user_id=U1&text=" + std::string(16'001, 'x')));
    CHECK(is_malformed("command=/a&user_id=U1&text=" + std::string(slack_longest_request, 'x')));
}

TEST_CASE("a click, as Slack tells of it")
{
    const auto read = read_slack_request(payload(R"({
        "type": "block_actions", "user": {"id": "U012AB3CD", "username": "ada", "team_id": "T9TK3CUKW"}, "api_app_id": "A1", "token": "t",
        "container": {"type": "message", "message_ts": "1767603601.000200", "channel_id": "D0123456789", "is_ephemeral": false},
        "trigger_id": "12466734323.1395872398", "team": {"id": "T9TK3CUKW", "domain": "example"}, "enterprise": null,
        "channel": {"id": "D0123456789", "name": "directmessage"}, "message": {"ts": "1767603601.000200", "blocks": [[[{"a": 1e400}]]]},
        "response_url": "https://hooks.slack.com/actions/T9TK3CUKW/1/x",
        "actions": [{"action_id": "sallyport_approve", "block_id": "=qXel", "text": {"type": "plain_text", "text": "Approve"},
                     "value": "hld_01JGT0000000000000000000H1.token", "type": "button", "action_ts": "1548426417.840180"}]})"));
    REQUIRE(read.has_value());
    const auto* const click = std::get_if<slack_click>(&*read);
    REQUIRE(click != nullptr);
    CHECK(click->user == "U012AB3CD");
    CHECK(click->team == "T9TK3CUKW");
    CHECK(click->action_id == slack_approve_action);
    CHECK(click->value == "hld_01JGT0000000000000000000H1.token");
    CHECK(click->channel == "D0123456789");
    CHECK(click->message_ts == "1767603601.000200");
    CHECK(click->trigger_id == "12466734323.1395872398");
    CHECK(click->response_url == "https://hooks.slack.com/actions/T9TK3CUKW/1/x");
}

TEST_CASE("a link's click has no value; where a message is not named otherwise, its container names it")
{
    const auto read = read_slack_request(payload(
        R"({"type":"block_actions","user":{"id":"U1","team_id":"T2"},"team":null,"container":{"message_ts":"1.2","channel_id":"D3"},"actions":[{"action_id":"a"}]})"));
    REQUIRE(read.has_value());
    const auto& click = std::get<slack_click>(*read);
    CHECK(click.value.empty());
    CHECK(click.team == "T2");
    CHECK(click.channel == "D3");
    CHECK(click.message_ts == "1.2");
}

TEST_CASE("payloads that are none of Slack's")
{
    struct row {
        const char* name;
        std::string text;
    };
    const std::string deep = R"({"type":"block_actions","user":{"id":"U1"},"actions":[{"action_id":"a"}],"x":)" + std::string(5000, '[');
    const row rows[] = {
        {"nothing", ""},
        {"no JSON", "{"},
        {"no object", "[]"},
        {"text behind", R"({"type":"view_closed"} x)"},
        {"no type", R"({"user":{"id":"U1"}})"},
        {"type of another type", R"({"type":1})"},
        {"too deep", deep},
        {"no UTF-8", "{\"type\":\"\xFF\"}"},
        {"half a surrogate", R"({"type":"block_actions","user":{"id":"U1"},"actions":[{"action_id":"a","value":"\ud800"}]})"},
        {"a comment", R"({"type":"view_closed"/**/})"},
        {"no user", R"({"type":"block_actions","actions":[{"action_id":"a"}]})"},
        {"a user that is text", R"({"type":"block_actions","user":"U1","actions":[{"action_id":"a"}]})"},
        {"a user that is none", R"({"type":"block_actions","user":{"id":"<@U1>"},"actions":[{"action_id":"a"}]})"},
        {"no actions", R"({"type":"block_actions","user":{"id":"U1"}})"},
        {"empty actions", R"({"type":"block_actions","user":{"id":"U1"},"actions":[]})"},
        {"two actions", R"({"type":"block_actions","user":{"id":"U1"},"actions":[{"action_id":"a"},{"action_id":"b"}]})"},
        {"an action that is text", R"({"type":"block_actions","user":{"id":"U1"},"actions":["a"]})"},
        {"no action_id", R"({"type":"block_actions","user":{"id":"U1"},"actions":[{}]})"},
        {"U+0000 in a value", R"({"type":"block_actions","user":{"id":"U1"},"actions":[{"action_id":"a","value":"\u0000"}]})"},
        {"a value too long",
         R"({"type":"block_actions","user":{"id":"U1"},"actions":[{"action_id":"a","value":")" + std::string(2001, 'x') + "\"}]}"},
        {"a message that is none", R"({"type":"block_actions","user":{"id":"U1"},"message":{"ts":"x"},"actions":[{"action_id":"a"}]})"},
        {"a channel that is none", R"({"type":"block_actions","user":{"id":"U1"},"channel":{"id":"../x"},"actions":[{"action_id":"a"}]})"},
        {"an answer without a user", R"({"type":"view_submission","view":{}})"},
        {"metadata too long",
         R"({"type":"view_submission","user":{"id":"U1"},"view":{"private_metadata":")" + std::string(3001, 'x') + "\"}}"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(is_malformed(payload(r.text)));
    }
    CHECK(is_malformed("payload=%7B%7D&payload=%7B%7D"));
    CHECK(is_malformed("payloads=x"));
}

TEST_CASE("an answered dialog")
{
    const auto with = [](std::string_view value) {
        return payload(
            R"({"type":"view_submission","team":{"id":"T1"},"user":{"id":"U1"},"view":{"id":"V1","callback_id":"sallyport_deny_dialog",
            "private_metadata":"hld_x.token","state":{"values":{"sallyport_reason_block":{"sallyport_reason":{"type":"plain_text_input","value":)" +
            std::string(value) + "}}}}}}");
    };
    const auto read = read_slack_request(with(R"("  Wrong customer,\nsee ticket é ")"));
    REQUIRE(read.has_value());
    const auto& submission = std::get<slack_submission>(*read);
    CHECK(submission.user == "U1");
    CHECK(submission.team == "T1");
    CHECK(submission.callback_id == slack_deny_dialog);
    CHECK(submission.private_metadata == "hld_x.token");
    CHECK(submission.reason == "Wrong customer,\nsee ticket é");
    CHECK(std::get<slack_submission>(*read_slack_request(with("null"))).reason.empty());
    CHECK(std::get<slack_submission>(*read_slack_request(with(R"("  ")"))).reason.empty());
    CHECK(is_malformed(with(R"("a\u0000b")")));
    CHECK(is_malformed(with("\"" + std::string(16'001, 'x') + "\"")));
}

TEST_CASE("what else Slack may send is known for what it is")
{
    CHECK(std::get<slack_other>(*read_slack_request(payload(R"({"type":"view_closed"})"))).type == "view_closed");
    CHECK(std::get<slack_other>(*read_slack_request(payload(R"({"type":"shortcut","user":{}})"))).type == "shortcut");
    CHECK(std::get<slack_other>(*read_slack_request("ssl_check=1&token=x")).type == "ssl_check");
}

TEST_CASE("no cut of a good request, and no changed byte of it, does anything but be read or refused")
{
    const std::string good = payload(
        R"({"type":"block_actions","user":{"id":"U1"},"trigger_id":"1.2","actions":[{"action_id":"a","value":"v\u00e9"}],"message":{"ts":"1.2"}})");
    for (std::size_t i = 0; i < good.size(); ++i) {
        (void)read_slack_request(std::string_view(good).substr(0, i));
        for (const char c : {'%', '0', '"', '\0', '\xFF', '&'}) {
            std::string changed = good;
            changed[i] = c;
            (void)read_slack_request(changed);
        }
    }
}

TEST_CASE("what comes over a socket")
{
    struct row {
        const char* name;
        const char* text;
        std::size_t what;  // of slack_request; 9: refused
    };
    const row rows[] = {
        {"hello", R"({"type":"hello","num_connections":1})", 3},
        {"a click",
         R"({"type":"interactive","envelope_id":"e","payload":{"type":"block_actions","user":{"id":"U1"},"actions":[{"action_id":"a"}]}})",
         0},
        {"a dialog",
         R"({"type":"interactive","envelope_id":"e","payload":{"type":"view_submission","user":{"id":"U1"},"view":{"callback_id":"c"}}})",
         1},
        {"a command", R"({"type":"slash_commands","envelope_id":"e","payload":{"command":"/sallyport","user_id":"U1","is_it":false}})", 2},
        {"a command that is none", R"({"type":"slash_commands","envelope_id":"e","payload":{"command":"x"}})", 3},
        {"a click without its action", R"({"type":"interactive","envelope_id":"e","payload":{"type":"block_actions","user":{"id":"U1"}}})",
         3},
        {"no payload", R"({"type":"interactive","envelope_id":"e"})", 3},
        {"a payload that is a text", R"({"type":"interactive","envelope_id":"e","payload":"{}"})", 3},
        {"an event", R"({"type":"events_api","envelope_id":"e","payload":{}})", 3},
        {"a click that nobody could acknowledge",
         R"({"type":"interactive","payload":{"type":"block_actions","user":{"id":"U1"},"actions":[{"action_id":"a"}]}})", 3},
        {"no type", R"({"envelope_id":"e"})", 9},
        {"no object", "[]", 9},
        {"no JSON", "x", 9},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto read = read_slack_envelope(r.text);
        CHECK(read.has_value() == (r.what != 9));
        if (read) CHECK(read->what.index() == r.what);
    }
    CHECK(slack_acknowledgement("e", "") == R"({"envelope_id":"e"})");
    CHECK(slack_acknowledgement("e", R"({"text":"x"})") == R"({"envelope_id":"e","payload":{"text":"x"}})");
}

TEST_CASE("who clicked is known by name, where that can be shown")
{
    const auto click = std::get<slack_click>(*read_slack_request(payload(
        R"({"type":"block_actions","user":{"id":"U1","username":"ada"},"team":{"id":"T1","domain":"engines"},"actions":[{"action_id":"a","action_ts":"1.2"}]})")));
    CHECK(click.user_name == "ada");
    CHECK(click.team_domain == "engines");
    CHECK(click.action_ts == "1.2");
    const auto command =
        std::get<slack_command>(*read_slack_request("command=/x&user_id=U1&user_name=%FF&team_domain=" + std::string(256, 'x')));
    CHECK(command.user_name.empty());
    CHECK(command.team_domain.empty());
}
