#include "gateway/policy/cel/program.hpp"

#include "gateway/policy/evaluate.hpp"
#include "gateway/policy/facts.hpp"
#include "tests/gateway/policy/call_fixture.hpp"

#include <doctest/doctest.h>

#include <memory_resource>
#include <string>

using namespace sallyport;
using namespace sallyport::policy;

namespace {

std::string repeat(std::string_view text, std::size_t times)
{
    std::string out;
    while (times-- > 0) out += text;
    return out;
}

/// What the expression gives for that call: JSON-like words, or `error: …`.
std::string value_for(std::string_view expression, const test_call& call, std::int64_t work_allowed = cel::default_work)
{
    const cel::compiled made = cel::compile(expression, conditions_environment());
    if (!made.program) return "refused at " + std::to_string(made.mistakes.front().offset) + ": " + made.mistakes.front().message;
    std::pmr::monotonic_buffer_resource arena;
    cel::workspace work(arena, work_allowed);
    const call_facts facts = call.facts();
    call_activation activation(facts);
    const cel::value v = made.program->run(activation, work);
    if (v.failed()) return "error: " + std::string(v.text());
    if (v.is(cel::kind::boolean)) return v.boolean() ? "true" : "false";
    if (v.is(cel::kind::integer)) return std::to_string(v.integer());
    if (v.is(cel::kind::string)) return "'" + std::string(v.text()) + "'";
    return std::string(cel::type_name(v));
}

}  // namespace

TEST_CASE("what is wrong is said where it stands")
{
    struct row {
        const char* name;
        std::string source;
        std::size_t offset;
        const char* message;
    };
    const row rows[] = {
        {"a misspelt field of request", "request.methd == \"GET\"", 8, "undefined field 'methd' of 'request'; did you mean 'method'?"},
        {"a misspelt field of agent", "true && agent.nam == 'x'", 14, "undefined field 'nam' of 'agent'; did you mean 'name'?"},
        {"a misspelt field of task", "task != null && task.intnt == ''", 21, "undefined field 'intnt' of 'task'; did you mean 'intent'?"},
        {"a misspelt field in has()", "has(request.hedders)", 12, "undefined field 'hedders' of 'request'; did you mean 'headers'?"},
        {"a misspelt variable", "requst.method == \"GET\"", 0, "undeclared reference to 'requst'; did you mean 'request'?"},
        {"an unknown function", "request.path.endWith('x')", 13, "undeclared reference to function 'endWith'"},
        {"text against a number", "request.method > 5", 15, "no such overload: string > int"},
        {"different types", "1 == 'a'", 2, "no such overload: int == string"},
        {"no condition", "true && request.path", 8, "'&&' takes conditions, not 'string'"},
        {"an argument of another type", "request.path.startsWith(5)", 13, "no such overload: string.startsWith(int)"},
        {"a field of a string", "request.method.length > 3", 15, "type 'string' has no fields, so no 'length'"},
        {"a loop over a number", "5.exists(x, x > 1)", 0, "'exists' goes over a list or a map, not over 'int'"},
        {"a message", "Person{name: 'x'} == null", 0, "undeclared type 'Person'"},
        {"the end comes too early", "request.method ==", 17, "expected an expression before the end"},
        {"one equals sign", "request.method = 'GET'", 15, "a single '=' is no operator of CEL"},
        {"an open string", "request.method == 'GET", 18, "a string without its end"},
        {"a bad escape", "'a\\q'", 2, "an escape that CEL does not know"},
        {"a surrogate", "'\\ud800'", 1, "an escape that is no Unicode character"},
        {"a number too large", "1 + 9223372036854775808", 4, "a number out of range"},
        {"a bracket too many", "(1 + 2))", 7, "unexpected ')'"},
        {"a reserved word", "for == 1", 0, "'for' is a reserved word"},
        {"has() of a variable", "has(body)", 4, "has() takes one field: has(a.b)"},
        {"a macro without a name", "[1].all(1, true)", 8, "expected the name of a variable"},
        {"a pattern that is none", "request.path.matches('a(')", 21, "no regular expression: missing ): a("},
        {"a time zone that is none", "now.getHours('Europe/Atlantis') > 8", 13, "no such time zone"},
        {"not UTF-8", "'\xFF'", 1, "an expression must be UTF-8"},
        {"brackets without end", std::string(5000, '('), 100, "nested too deeply"},
        {"lists without end", std::string(200, '[') + std::string(200, ']'), 100, "nested too deeply"},
        {"negations without end", std::string(5000, '!') + "true", 4750, "too many operators on top of one another"},
        {"a sum without end", "1" + repeat(" + 1", 5000), 1 + 4 * 249 + 1, "too many operators on top of one another"},
        {"fields without end", "body" + repeat(".a", 5000), 4 + 2 * 249 + 1, "too many operators on top of one another"},
        {"too long", std::string(70'000, ' '), 65'536, "an expression is longer than 64 KiB"},
        {"macros within macros", repeat("[1].all(x, ", 17) + "true" + std::string(17, ')'), 11 * 16 + 4,
         "too many variables of macros within one another"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const cel::compiled made = cel::compile(r.source, conditions_environment());
        CHECK_FALSE(made.program);
        REQUIRE_FALSE(made.mistakes.empty());
        CHECK(made.mistakes.front().offset == r.offset);
        CHECK(made.mistakes.front().message == r.message);
    }
}

TEST_CASE("every mistake is said, in order of place")
{
    const cel::compiled made = cel::compile("request.methd == agnt.name && request.pth == ''", conditions_environment());
    REQUIRE(made.mistakes.size() == 3);
    CHECK(made.mistakes[0].offset == 8);
    CHECK(made.mistakes[1].offset == 17);
    CHECK(made.mistakes[2].offset == 38);
}

TEST_CASE("what a condition knows of a call")
{
    test_call call;
    call.with_body(R"({"amount": 900, "price": 9.50, "big": 18446744073709551615, "items": [{"sku": "a", "n": 1}, {"sku": "b", "n": 7}],
                       "customer": {"id": "c_17"}, "none": null})");
    call.query = "a=1&b=x%20y+z&a=2&flag&bad=%zz&=v";
    call.with_field("content-type", "application/json").with_field("x-tag", "one").with_field("x-tag", "two");

    struct row {
        const char* expression;
        const char* value;
    };
    const row rows[] = {
        {R"(request.method == "POST" && request.path == "/v1/refunds" && body.amount > 500)", "true"},
        {"request.method in ['GET', 'HEAD']", "false"},
        {"request.host", "'api.example'"},
        {"request.query['a'] == ['1', '2']", "true"},
        {"request.query.b[0]", "'x y z'"},
        {"request.query.flag[0]", "''"},
        {"request.query.bad[0]", "'%zz'"},
        {"request.query[''][0]", "'v'"},
        {"size(request.query)", "5"},
        {"'c' in request.query", "false"},
        {"request.headers['content-type'].startsWith('application/')", "true"},
        {"request.headers.`content-type`", "'application/json'"},
        {"request.headers['x-tag']", "'one, two'"},
        {"has(request.headers.host)", "false"},
        {"has(request.headers.`x-tag`)", "true"},
        {"request.headers.host", "error: no such key: host"},
        {"size(request.headers)", "2"},
        {"request.headers.exists(h, h.startsWith('x-'))", "true"},
        {"dyn(request).method", "'POST'"},
        {"dyn(request).methd", "error: no such key: methd"},
        {"has(request.method)", "true"},
        {"request == request", "true"},
        {"body.amount", "900"},
        {"body.amount * 2 + 1", "1801"},
        {"body.amount > 500.5", "true"},
        {"body.price == 9.5", "true"},
        {"body.big > 1e19", "true"},
        {"body['customer'].id == 'c_17'", "true"},
        {"body.items.all(i, i.n > 0)", "true"},
        {"body.items.filter(i, i.n > 5)[0].sku", "'b'"},
        {"body.items.map(i, i.sku) == ['a', 'b']", "true"},
        {"size(body.items) == 2 && 'amount' in body", "true"},
        {"has(body.customer.name)", "false"},
        {"body.none == null", "true"},
        {"body.missing", "error: no such key: missing"},
        {"body.amount == 'many'", "false"},
        {"body.amount > 'many'", "error: no such overload"},
        {"body.amount.x", "error: no fields in a value of type int"},
        {"body.items[2]", "error: index out of range: 2"},
        {"body.missing > 1 || true", "true"},
        {"body.missing > 1 && false", "false"},
        {"agent.name", "'refund-bot'"},
        {"agent.class", "'digital-worker'"},
        {"agent.owner", "'team:finance'"},
        {"agent.labels['tier'] == 'gold' && size(agent.labels) == 2", "true"},
        {"agent.labels.missing", "error: no such key: missing"},
        {"agent.id.startsWith('agt_')", "true"},
        {"task == null", "true"},
        {"task != null && task.intent == 'x'", "false"},
        {"task.intent == 'x'", "error: there is no task"},
        {"task == null ? 'none' : task.intent", "'none'"},
        {"now > timestamp('2026-01-01T00:00:00Z')", "true"},
        {"now.getHours('Europe/Berlin')", "11"},
        {"now.getDayOfWeek()", "0"},
        {"now - timestamp('2026-03-01T10:00:00Z') == duration('30m')", "true"},
        {"[1, 2, 3].transformList(i, v, i + v).size()", "3"},
        {"cel.bind(x, body.amount, x + x)", "1800"},
        {"body.?missing.orValue(3)", "3"},
        {"[1, 2].exists(x, [x].all(y, x == y && y == 2))", "true"},
    };
    for (const row& r : rows) {
        CAPTURE(r.expression);
        CHECK(value_for(r.expression, call) == r.value);
    }
}

TEST_CASE("a task, when there is one")
{
    test_call call;
    const auto limits = json::document::parse(R"({"total": 500})").value();
    call.task = task_facts{"tsk_1", "Refunds of May", {"payments", "crm:read"}, &limits.root()};
    CHECK(value_for("task.intent", call) == "'Refunds of May'");
    CHECK(value_for("task != null && 'crm:read' in task.scopes", call) == "true");
    CHECK(value_for("task.limits.total", call) == "500");
    CHECK(value_for("dyn(task).id", call) == "'tsk_1'");
    call.task->limits = nullptr;
    CHECK(value_for("task.limits == null", call) == "true");
}

TEST_CASE("a body that has no value is an error wherever it is used")
{
    const test_call call;
    CHECK(value_for("body == null", call) == "error: the body is no JSON, so it has no value");
    CHECK(value_for("has(body.amount)", call) == "error: the body is no JSON, so it has no value");
    CHECK(value_for("request.method == 'GET' && body.amount > 1", call) == "false");
}

TEST_CASE("work is bounded, whatever the body")
{
    test_call call;
    std::string items;
    for (int i = 0; i < 100'000; ++i) items += (i == 0 ? "" : ",") + std::to_string(i % 10);
    call.with_body("{\"items\": [" + items + "], \"text\": \"" + std::string(200'000, 'a') + "\"}");

    const char* const too_much[] = {
        "body.items.all(x, body.items.all(y, x + y >= 0))",
        "body.items.map(x, body.text + body.text).size() > 0",
        "body.items.map(x, body.items).size() > 0 && body.items.exists(x, body.items == [x])",
        "body.items.filter(x, body.text.contains('ab')).size() == 0",
        "body.items.exists(x, body.text.matches('(a|aa)+b'))",
        "body.items.exists(x, 'z'.matches(body.text))",
        "body.items.exists(x, -1 in body.items)",
        "body.items.map(x, 'a').join(body.text).size() > 0",
        "body.items.exists(x, body.text.replace('a', body.text).size() == x)",
        "body.items.exists(x, body.text.split('').size() == x)",
        "body.items.exists(x, '%s'.format([body.items]) == '')",
        "body.items.exists(x, now.getHours(body.text) == 77)",
    };
    for (const char* expression : too_much) {
        CAPTURE(expression);
        CHECK(value_for(expression, call) == "error: the evaluation takes too long");
    }
    CHECK(value_for("body.items.size() == 100000 && body.items[99999] == 9", call) == "true");
    CHECK(value_for("body.items.exists(x, body.items.all(y, y > 5)) || true", call) == "true");
    CHECK(value_for("body.items[0] == 0 && !body.text.contains('b')", call) == "true");
}

TEST_CASE("conversions keep what they promise")
{
    struct row {
        const char* expression;
        const char* value;
    };
    const row rows[] = {
        {"string(1000000.0)", "'1000000'"},
        {"string(0.1)", "'0.1'"},
        {"string(1e21)", "'1e+21'"},
        {"string(-2.5e-7)", "'-2.5e-07'"},
        {"string(timestamp('2026-01-01T02:00:00.120+02:00'))", "'2026-01-01T00:00:00.12Z'"},
        {"string(duration('1h30m0.5s'))", "'5400.5s'"},
        {"string(duration('-1ms'))", "'-0.001s'"},
        {"duration('1.5')", "error: no duration, or out of range"},
        {"int('0x10')", "error: no whole number"},
        {"int(' 1')", "error: no whole number"},
        {"int('9223372036854775808')", "error: number out of range"},
        {"double('0x10') > 0.0", "error: no number"},
        {"double('1e400') > 1e308", "true"},
        {"double('nan') == double('nan')", "false"},
        {"timestamp('2026-02-29T00:00:00Z')", "error: no timestamp of RFC 3339"},
        {"type(now) == google.protobuf.Timestamp", "true"},
        {"timestamp('2026-10-25T00:30:00Z').getHours('Europe/Berlin')", "2"},
        {"timestamp('2026-10-25T01:30:00Z').getHours('Europe/Berlin')", "2"},
        {"timestamp('2026-10-25T02:30:00Z').getHours('Europe/Berlin')", "3"},
        {"timestamp('2126-07-01T10:00:00Z').getHours('Europe/Berlin')", "12"},
        {"timestamp('2126-01-01T10:00:00Z').getHours('Australia/Sydney')", "21"},
        {"timestamp('1850-01-01T00:00:00Z').getMinutes('America/New_York')", "3"},
        {"now.getHours(agent.name)", "error: no such time zone"},
        {"now.getHours('../../../etc/passwd' + agent.name)", "error: no such time zone"},
    };
    for (const row& r : rows) {
        CAPTURE(r.expression);
        CHECK(value_for(r.expression, test_call()) == r.value);
    }
}

TEST_CASE("what a program reads of the body")
{
    const auto paths = [](std::string_view source) {
        const cel::compiled made = cel::compile(source, conditions_environment());
        REQUIRE(made.program);
        std::string all;
        for (const std::string& p : made.program->paths_below(slot_of(fact::body))) all += p + " ";
        return all;
    };
    CHECK(paths("body.amount > 1 && body.customer.id == body['a/b']['c~d'] && body.amount < 9") == "/amount /customer/id /a~1b/c~0d ");
    CHECK(paths("has(body.x.y) && body.items[0].n == 1 && body.items.all(i, i.k == 1)") == "/x/y /items/0/n /items ");
    CHECK(paths("request.method == 'GET'") == "");
    CHECK(cel::compile("body.a == 1", conditions_environment()).program->reads(slot_of(fact::body)));
    CHECK_FALSE(cel::compile("request.path == 'body'", conditions_environment()).program->reads(slot_of(fact::body)));
}
