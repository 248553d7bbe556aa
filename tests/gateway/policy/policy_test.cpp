#include "gateway/policy/policy.hpp"

#include "tests/gateway/policy/call_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::policy;

namespace {

constexpr auto allow = verdict_kind::allow;
constexpr auto on_hold = verdict_kind::hold;
constexpr auto deny = verdict_kind::deny;

rule_set compiled(std::vector<rule_definition> rules, bool has_default = false, std::size_t routes = 1)
{
    std::vector<compile_error> errors;
    rule_set set = rule_set::compile(std::move(rules), routes, has_default, errors);
    for (const compile_error& e : errors) FAIL(e.message);
    return set;
}

std::string ids(const std::vector<spoken_rule>& rules)
{
    std::string all;
    for (const spoken_rule& r : rules) all += (all.empty() ? "" : " ") + r.rule + (r.error.empty() ? "" : "!");
    return all;
}

std::string ids(const std::vector<reason>& reasons)
{
    std::string all;
    for (const reason& r : reasons) all += (all.empty() ? "" : " ") + r.rule;
    return all;
}

std::string joined(const std::vector<std::string>& words)
{
    std::string all;
    for (const std::string& w : words) all += (all.empty() ? "" : " ") + w;
    return all;
}

rule_definition holding(std::string id, std::string when, std::string workflow)
{
    rule_definition d = rule(std::move(id), std::move(when), on_hold);
    d.workflow = std::move(workflow);
    return d;
}

rule_definition erring(std::string id, verdict_kind verdict, verdict_kind on_error, std::string workflow = {})
{
    rule_definition d = rule(std::move(id), "body.missing == 1", verdict);
    d.on_error = on_error;
    d.workflow = std::move(workflow);
    return d;
}

rule_definition shadowed(rule_definition d)
{
    d.mode = mode::shadow;
    return d;
}

}  // namespace

TEST_CASE("the strictest rule wins")
{
    struct row {
        const char* name;
        std::vector<rule_definition> rules;
        bool has_default;
        verdict_kind kind;
        const char* spoke;  // with ! where it erred
        const char* reasons;
        const char* workflows;
        const char* shadow;
    };
    const row rows[] = {
        {"no rule at all", {}, true, deny, "", "", "", ""},
        {"nothing matched", {rule("a", "false", allow)}, true, deny, "", "", "", ""},
        {"one allows", {rule("a", "true", allow), rule("b", "false", deny)}, false, allow, "a", "a", "", ""},
        {"hold over allow", {rule("a", "true", allow), holding("h", "true", "w")}, false, on_hold, "h a", "h", "w", ""},
        {"deny over hold",
         {rule("a", "true", allow), holding("h", "true", "w"), rule("d", "true", deny), rule("e", "true", deny)},
         false,
         deny,
         "d e a h",
         "d e",
         "",
         ""},
        {"holds unite their workflows",
         {holding("h1", "true", "w2"), holding("h2", "true", "w1"), holding("h3", "true", "w2"), holding("h4", "false", "w3")},
         false,
         on_hold,
         "h1 h2 h3",
         "h1 h2 h3",
         "w2 w1",
         ""},
        {"an allow that errs holds by its workflow", {erring("a", allow, on_hold, "w")}, false, on_hold, "a!", "a", "w", ""},
        {"an allow that errs holds by the default", {erring("a", allow, on_hold)}, true, on_hold, "a!", "a", "default", ""},
        {"an allow that errs without a workflow denies", {erring("a", allow, on_hold)}, false, deny, "a!", "a", "", ""},
        {"a deny that errs holds", {erring("d", deny, on_hold, "w"), rule("a", "true", allow)}, false, on_hold, "d! a", "d", "w", ""},
        {"on_error: deny", {erring("h", on_hold, deny, "w"), rule("a", "true", allow)}, true, deny, "h! a", "h", "", ""},
        {"an error beside a deny", {erring("h", on_hold, on_hold, "w"), rule("d", "true", deny)}, true, deny, "d h!", "d", "", ""},
        {"a shadow decides nothing",
         {shadowed(rule("s", "true", deny)), rule("a", "true", allow), shadowed(erring("t", allow, deny)),
          shadowed(rule("u", "false", deny))},
         false,
         allow,
         "a",
         "a",
         "",
         "s t!"},
        {"a shadow alone allows nothing", {shadowed(rule("s", "true", allow))}, false, deny, "", "", "", "s"},
        {"no bool is an error", {rule("a", "body.amount", allow)}, false, deny, "a!", "a", "", ""},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const rule_set set = compiled(r.rules, r.has_default);
        test_call call;
        call.with_body(R"({"amount": 900})");
        const call_facts facts = call.facts();
        const verdict v = set.judge(0, facts);
        CHECK(v.kind == r.kind);
        CHECK(set.judge_quickly(0, facts) == r.kind);
        CHECK(ids(v.rules) == r.spoke);
        CHECK(ids(v.reasons) == r.reasons);
        CHECK(joined(v.workflows) == r.workflows);
        CHECK(ids(v.shadow) == r.shadow);
    }
}

TEST_CASE("what a rule says of itself")
{
    rule_definition d = holding("refunds-over-500", "body.amount > 500", "finance");
    d.team = "finance";
    d.summary = "Refund {body.amount} {body.currency} to {body.customer}";
    const rule_set set = compiled({d, erring("careful", allow, on_hold, "finance")});
    test_call call;
    call.with_body(R"({"amount": 900.00, "currency": "EUR", "customer": "c_17"})");
    const verdict v = set.judge(0, call.facts());
    REQUIRE(v.rules.size() == 2);
    CHECK(v.rules[0].rule == "refunds-over-500");
    CHECK(v.rules[0].team == "finance");
    CHECK(v.rules[0].verdict == on_hold);
    CHECK(v.rules[0].summary == "Refund 900.00 EUR to c_17");
    CHECK(v.rules[0].matched);
    CHECK(v.rules[0].error.empty());
    CHECK_FALSE(v.rules[1].matched);
    CHECK(v.rules[1].verdict == on_hold);
    CHECK(v.rules[1].error == "no such key: missing");
    CHECK(v.rules[1].summary == "careful");  // none written: its id
    CHECK(v.reasons[0] == reason{"refunds-over-500", "Refund 900.00 EUR to c_17"});
    CHECK(joined(v.workflows) == "finance");
}

TEST_CASE("an error's words are inert as well")
{
    const rule_set set = compiled({rule("a", "{'k': 1}[body.key] == 1", allow)});
    test_call call;
    call.with_body("{\"key\": \"x\\n\\u202Eevil\"}");
    CHECK(set.judge(0, call.facts()).rules.at(0).error == "no such key: x\\u000A\\u202Eevil");
}

TEST_CASE("each route has its own rules")
{
    rule_definition both = rule("both", "true", allow);
    both.routes = {0, 1};
    rule_definition first = rule("first", "body.a == 1", deny);
    rule_definition second = rule("second", "request.method == 'DELETE'", deny);
    second.routes = {1};
    second.summary = "{body.who}";
    rule_definition third = shadowed(rule("third", "true", deny));
    third.routes = {2};
    const rule_set set = compiled({both, first, second, third}, false, 4);
    test_call call;
    call.method = "DELETE";
    const call_facts facts = call.facts();
    CHECK(set.judge(0, facts).kind == deny);
    CHECK(ids(set.judge(1, facts).rules) == "second both");
    CHECK(set.judge(2, facts).kind == deny);
    CHECK(ids(set.judge(2, facts).shadow) == "third");
    CHECK(set.judge(3, facts).rules.empty());
    CHECK(set.judge(99, facts).kind == deny);
    CHECK(set.judge_quickly(99, facts) == deny);

    CHECK(set.reads_body(0));
    CHECK(set.reads_body(1));  // its summary does
    CHECK_FALSE(set.reads_body(2));
    CHECK_FALSE(set.reads_body(99));
    CHECK(set.has_shadow(2));
    CHECK_FALSE(set.has_shadow(0));
    CHECK(joined(set.body_fields(0)) == "/a");
    CHECK(joined(set.body_fields(1)) == "/who");
    CHECK(joined(set.body_fields(2)) == "");
    CHECK(set.definitions().size() == 4);
}

TEST_CASE("a quick judgement tells who allowed")
{
    const rule_set set = compiled({rule("a", "true", allow), rule("b", "false", allow), rule("c", "true", allow)});
    std::string matched;
    CHECK(set.judge_quickly(0, test_call().facts(), &matched) == allow);
    CHECK(matched == "a c");
}

TEST_CASE("all mistakes of all rules are reported")
{
    rule_definition bad = rule("x", "request.methd == 'GET'", allow);
    bad.summary = "{body.amount} of {agnt.name} {request.pth} {";
    std::vector<compile_error> errors;
    rule_set::compile({rule("ok", "true", allow), bad, rule("y", "request.method", deny)}, 1, false, errors);
    REQUIRE(errors.size() == 5);
    CHECK(errors[0].rule == 1);
    CHECK(errors[0].where == compile_error::where::when);
    CHECK(errors[0].offset == 8);
    CHECK(errors[1].where == compile_error::where::summary);
    CHECK(errors[1].offset == 18);
    CHECK(errors[2].offset == 38);
    CHECK(errors[3].offset == 43);
    CHECK(errors[4].rule == 2);
    CHECK(errors[4].offset == 0);
    CHECK(errors[4].message == "expected 'bool', not 'string'");
}
