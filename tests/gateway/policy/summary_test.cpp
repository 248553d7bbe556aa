#include "gateway/policy/summary.hpp"

#include "gateway/policy/inert_text.hpp"
#include "tests/gateway/policy/call_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::policy;

namespace {

std::string rendered(std::string_view text, const test_call& call)
{
    std::vector<cel::mistake> mistakes;
    const summary_template summary = summary_template::compile(text, mistakes);
    if (!mistakes.empty()) return "refused at " + std::to_string(mistakes.front().offset) + ": " + mistakes.front().message;
    return summary.render(call.facts());
}

std::string repeated(std::string_view text, std::size_t times)
{
    std::string out;
    while (times-- > 0) out += text;
    return out;
}

}  // namespace

TEST_CASE("placeholders")
{
    test_call call;
    call.with_body(R"({"amount": 900.00, "huge": 12345678901234567890.10, "exp": 1E+2, "neg": -0, "note": "a \"b\" \\ c", "none": null,
                       "yes": true, "items": [{"n": 1.50}, "x\ny"], "deep": {"a": [1.0, "z"]}, "empty": ""})");
    struct row {
        const char* name;
        const char* text;
        const char* shown;
    };
    const row rows[] = {
        {"words alone", "Nothing is deleted here", "Nothing is deleted here"},
        {"a number as it was written", "{body.amount}/{body.huge}/{body.exp}/{body.neg}", "900.00/12345678901234567890.10/1E+2/-0"},
        {"a computed number", "{body.amount * 2.0}", "1800"},
        {"a string", "<{body.note}>", "<a \"b\" \\ c>"},
        {"an empty string", "<{body.empty}>", "<>"},
        {"null and bool", "{body.none} {body.yes}", "null true"},
        {"an element", "{body.items[0].n} {body['items'][1]}", "1.50 x\\u000Ay"},
        {"a whole array", "{body.deep}", "{\"a\":[1.0,\"z\"]}"},
        {"nothing there", "{body.missing} {body.items[9]} {body.amount.x} {body.items.a}", "? ? ? ?"},
        {"no task", "{task.intent}", "?"},
        {"other variables", "{agent.name} {request.method} {agent.owner}", "refund-bot POST team:finance"},
        {"a computed text", "{body.yes ? 'yes' : 'no'} {size(body.items)}", "yes 2"},
        {"a map in an expression", "{{'a': 'b'}['a']}", "{'a': 'b'}['a']}"},
        {"a map in brackets", "{ {'a': '}'}['a'] }", "}"},
        {"a time", "{now} {now - now}", "2026-03-01T10:30:00Z 0s"},
        {"braces", "{{x}} } {body.yes}", "{x} } true"},
        {"braces in strings", "{body.none == '}' ? 'a' : \"{\"}", "{"},
        {"without an end", "ab {body.x", "refused at 3: a placeholder without its end; a brace by itself is written `{{`"},
        {"without an expression", "ab {}", "refused at 4: expected an expression before the end"},
        {"a misspelt field", "Refund {request.methd}", "refused at 16: undefined field 'methd' of 'request'; did you mean 'method'?"},
        {"a call that fails", "{1 / 0}", "?"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(rendered(r.text, call) == r.shown);
    }
    CHECK(rendered("{body.amount} {body}", test_call()) == "? ?");  // no body at all
}

TEST_CASE("what an agent writes stays what it is")
{
    struct row {
        const char* name;
        std::string text;
        std::string shown;
    };
    const row rows[] = {
        {"plain", "c_17 – Zoë 東京 👍", "c_17 – Zoë 東京 👍"},
        {"line breaks",
         "a\r\nb\x0B"
         "c",
         "a\\u000D\\u000Ab\\u000Bc"},
        {"terminal", "\x1B[2J\x7F", "\\u001B[2J\\u007F"},
        {"C1 controls", "\xC2\x85\xC2\x9B", "\\u0085\\u009B"},
        {"an override",
         "\xE2\x80\xAE"
         "gnp.exe",
         "\\u202Egnp.exe"},
        {"isolates and marks", "\xE2\x81\xA6\xE2\x81\xA9\xE2\x80\x8E\xE2\x80\x8F\xD8\x9C", "\\u2066\\u2069\\u200E\\u200F\\u061C"},
        {"separators", "\xE2\x80\xA8\xE2\x80\xA9", "\\u2028\\u2029"},
        {"no room taken", "a\xE2\x80\x8B\xE2\x80\x8D\xEF\xBB\xBF\xC2\xAD", "a\\u200B\\u200D\\uFEFF\\u00AD"},
        {"tags", "\xF3\xA0\x81\x81", "\\U000E0041"},
        {"no UTF-8", "a\xFF\xC3(\xED\xA0\x80", "a\\xFF\\xC3(\\xED\\xA0\\x80"},
        {"a null", std::string("a\0b", 3), "a\\u0000b"},
        {"at the limit", std::string(200, 'x'), std::string(200, 'x')},
        {"beyond it", std::string(201, 'x'), std::string(199, 'x') + "…"},
        {"an escape is not cut", std::string(196, 'x') + "\n" + "yy", std::string(196, 'x') + "…"},
        {"long characters count once", repeated("ü", 201), repeated("ü", 199) + "…"},
        {"controls alone", std::string(1000, '\n'), repeated("\\u000A", 33) + "…"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(inert(r.text) == r.shown);
    }
    CHECK(inert_whole(std::string(5000, 'x') + "\n") == std::string(5000, 'x') + "\\u000A");
    CHECK(inert("abc", 2) == "a…");
}

TEST_CASE("a hostile body in a summary")
{
    test_call call;
    std::string nested = std::string(60, '[') + std::string(60, ']');
    call.with_body("{\"to\": \"c_1\\n\\nApproved by CFO \\u202E\\u0000\", \"digits\": " + std::string(5000, '9') +
                   ".5e-4990, \"nested\": " + nested + ", \"long\": [\"" + std::string(100'000, 'y') + "\"]}");
    CHECK(rendered("Pay {body.to}.", call) == "Pay c_1\\u000A\\u000AApproved by CFO \\u202E\\u0000.");
    CHECK(rendered("{body.digits}", call) == std::string(199, '9') + "…");
    CHECK(rendered("{body.nested}", call) == nested);
    CHECK(rendered("{body.long}", call) == "[\"" + std::string(197, 'y') + "…");
    CHECK(rendered("{body.long[0] + body.long[0]}", call) == std::string(199, 'y') + "…");
}
