#include "gateway/policy/evaluate.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace sallyport;

TEST_CASE("one expression at a terminal")
{
    struct row {
        const char* name;
        const char* expression;
        const char* bindings;
        const char* shown;  // `!` and the detail for a failure
    };
    const row rows[] = {
        {"a condition", "x + 1 == 21", R"({"x": 20})", "true"},
        {"no bindings", "1 + 2", "", "3"},
        {"a list and a map", "[1u, 2.5, 'a\\n', null, {'k': [true]}]", "", R"([1, 2.5, "a\u000a", null, {"k": [true]}])"},
        {"keys that are no strings", "{1: 'a', true: 'b'}", "", R"({"true": "b", "1": "a"})"},
        {"times", "[timestamp(0), duration('90m')]", "", R"(["1970-01-01T00:00:00Z", "5400s"])"},
        {"bytes and types", "[b'abc', type(1)]", "", R"(["YWJj", "int"])"},
        {"numbers that JSON does not have", "[1.0 / 0.0, 0.0 / 0.0, -0.0]", "", R"(["Infinity", "NaN", 0])"},
        {"a binding as it is", "body", R"({"body": {"a": [1, 2.50, "x"]}})", R"({"a": [1, 2.5, "x"]})"},
        {"optional", "[optional.none(), optional.of(1)]", "", "[null, 1]"},
        {"a mistake", "1 +", "", "!1:4: expected an expression before the end"},
        {"in a later line", "true &&\n  y == 'ü' && z", R"({"z": 1})", "!2:3: undeclared reference to 'y'; did you mean 'z'?"},
        {"no value", "x.y", R"({"x": {}})", "!no such key: y"},
        {"no object", "1", "[1]", "!bindings must be a JSON object"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto shown = policy::evaluate(r.expression, r.bindings);
        CHECK((shown ? *shown : "!" + shown.error().detail) == r.shown);
    }
    CHECK(policy::evaluate("1", "{").has_error());
}

TEST_CASE("a line for a line")
{
    struct row {
        const char* name;
        const char* line;
        const char* answer;
    };
    const row rows[] = {
        {"a value", R"({"expr": "1 + 1"})", R"({"value": {"int64Value": "2"}})"},
        {"an error", R"({"expr": "1 / 0"})", R"({"error": "divide by zero"})"},
        {"a check error", R"({"expr": "true &&\n 'ü' + 1"})",
         R"({"check_error": "no such overload: string + int", "line": 2, "column": 6})"},
        {"a parse error", R"({"expr": "1 +"})", R"({"check_error": "expected an expression before the end", "line": 1, "column": 4})"},
        {"unchecked", R"({"expr": "'a' + 1", "disableCheck": true})", R"({"error": "no such overload"})"},
        {"bound and typed",
         R"({"expr": "x", "bindings": {"x": {"value": {"uint64Value": "7"}}}, "typeEnv": [{"name": "x", "ident": {"type": {"primitive": "UINT64"}}}]})",
         R"({"value": {"uint64Value": "7"}})"},
        {"typed, not bound", R"({"expr": "x || true", "typeEnv": [{"name": "x", "ident": {"type": {"primitive": "BOOL"}}}]})",
         R"({"value": {"boolValue": true}})"},
        {"the type counts", R"({"expr": "x == 'a'", "typeEnv": [{"name": "x", "ident": {"type": {"primitive": "INT64"}}}]})",
         R"({"check_error": "no such overload: int == string", "line": 1, "column": 3})"},
        {"bound alone", R"({"expr": "x + 1", "bindings": {"x": {"value": {"int64Value": "1"}}}})", R"({"value": {"int64Value": "2"}})"},
        {"a duration",
         R"({"expr": "x", "bindings": {"x": {"value": {"objectValue": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "1.5s"}}}}})",
         R"({"value": {"objectValue": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "1.500s"}}})"},
        {"whole seconds", R"j({"expr": "duration('2s')"})j",
         R"j({"value": {"objectValue": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "2s"}}})j"},
        {"six digits", R"j({"expr": "duration('-1.0001s')"})j",
         R"j({"value": {"objectValue": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "-1.000100s"}}})j"},
        {"nine digits", R"j({"expr": "duration('1ns')"})j",
         R"j({"value": {"objectValue": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "0.000000001s"}}})j"},
        {"a moment", R"j({"expr": "timestamp('2026-01-01T00:00:00.25Z')"})j",
         R"j({"value": {"objectValue": {"@type": "type.googleapis.com/google.protobuf.Timestamp", "value": "2026-01-01T00:00:00.250Z"}}})j"},
        {"lists and maps", R"({"expr": "[{}, [], {'b': 1, 'a': b'x'}]"})",
         R"({"value": {"listValue": {"values": [{"mapValue": {}}, {"listValue": {}}, {"mapValue": {"entries": [{"key": {"stringValue": "a"}, "value": {"bytesValue": "eA=="}}, {"key": {"stringValue": "b"}, "value": {"int64Value": "1"}}]}}]}}})"},
        {"a bad pattern fails when it runs", R"j({"expr": "'a'.matches('(')"})j", R"j({"error": "no regular expression: missing ): ("})j"},
        {"no expression", "{}", R"({"error": "a line needs `expr`"})"},
        {"an expression that is no text", R"({"expr": 1})", R"({"error": "a line needs `expr`"})"},
        {"a binding that is nothing", R"({"expr": "x", "bindings": {"x": 1}})", R"({"error": "no value of google.api.expr.v1alpha1"})"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(policy::evaluate_line(r.line) == r.answer);
    }
    for (const char* line : {"", "x", "[]", "null", "{\"expr\":"}) CHECK(policy::evaluate_line(line).starts_with("{\"error\": "));
}
