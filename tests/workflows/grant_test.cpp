#include "workflows/grant.hpp"

#include "tests/workflows/cast.hpp"
#include "workflows/eligibility.hpp"

#include <functional>

using namespace sallyport;
using namespace sallyport::cast;

namespace {

using how = field_rule::how;

grantable_call refund()
{
    grantable_call c;
    c.agent = id_of<agent_id>(9);
    c.route = "payments";
    c.scheme = "https";
    c.authority = "api.example";
    c.method = "POST";
    c.target = "/v1/refunds?dry=false&x=1";
    c.task = call_task{"tsk_1", "refund what was lost"};
    c.headers = {{"content-type", "application/json"}, {"x-source", "support"}};
    c.content_digest = "sha-256=:a:";
    c.fields = {{{"/amount", value_kind::number, "900.00"},
                 {"/currency", value_kind::string, "EUR"},
                 {"/lines", value_kind::array, "[1,2]"},
                 {"/note", value_kind::string, "lost"},
                 {"/notify", value_kind::boolean, "true"}}};
    return c;
}

field_rule& rule(grant_terms& terms, std::string_view pointer)
{
    for (field_rule& r : *terms.shape.fields)
        if (r.pointer == pointer) return r;
    FAIL("no such field");
    return terms.shape.fields->front();
}

void up_to(grant_terms& terms, std::string low, std::string high)
{
    field_rule& r = rule(terms, "/amount");
    r = {r.pointer, r.kind, how::range, {}, std::move(low), std::move(high)};
}

void any(grant_terms& terms, std::string_view pointer)
{
    field_rule& r = rule(terms, pointer);
    r = {r.pointer, r.kind, how::any, {}, {}, {}};
}

void set(grantable_call& c, std::string_view pointer, value_kind kind, const std::string& text)
{
    for (body_field& f : *c.fields)
        if (f.pointer == pointer) f = {f.pointer, kind, text};
}

}  // namespace

TEST_CASE("what is proposed covers the call and nothing else")
{
    const auto held = refund();
    const auto terms = propose(held, {});
    CHECK(check_terms(terms, held).has_value());
    CHECK(covers(terms.shape, held));
    CHECK(terms.count == 10);
    CHECK(terms.lasts == 30min);
    REQUIRE(terms.sum);
    CHECK(terms.sum->pointer == "/amount");
    CHECK(terms.sum->at_most == "9000");

    // What the rules read comes first.
    auto other = held;
    other.fields->insert(other.fields->begin(), {"/fee", value_kind::number, "2"});
    const std::vector<std::string> read{"/fee"};
    CHECK(propose(other, read).sum->pointer == "/fee");
    // Numbers that cannot be added up exactly are not.
    for (const char* text : {"9e2", "-900", "1.0000000001"}) {
        auto odd = held;
        set(odd, "/amount", value_kind::number, text);
        CHECK_FALSE(propose(odd, {}).sum);
    }
}

TEST_CASE("whatever differs is another call")
{
    struct row {
        const char* name;
        std::function<void(grantable_call&)> change;
    };
    const row rows[] = {
        {"route", [](auto& c) { c.route = "ledger"; }},
        {"scheme", [](auto& c) { c.scheme = "http"; }},
        {"scheme not known", [](auto& c) { c.scheme.clear(); }},
        {"upstream", [](auto& c) { c.authority = "api.example:8443"; }},
        {"method", [](auto& c) { c.method = "PUT"; }},
        {"path", [](auto& c) { c.target = "/v1/Refunds?dry=false&x=1"; }},
        {"query's order", [](auto& c) { c.target = "/v1/refunds?x=1&dry=false"; }},
        {"task", [](auto& c) { c.task->id = "tsk_2"; }},
        {"no task", [](auto& c) { c.task.reset(); }},
        {"a header more", [](auto& c) { c.headers.emplace_back("x-dry-run", "false"); }},
        {"a header less", [](auto& c) { c.headers.pop_back(); }},
        {"another header", [](auto& c) { c.headers[1].second = "nobody"; }},
        {"a header twice", [](auto& c) { c.headers.push_back(c.headers.back()); }},
        {"a field more",
         [](auto& c) {
             c.fields->push_back({"/to", value_kind::string, "me"});
         }},
        {"a field less", [](auto& c) { c.fields->pop_back(); }},
        {"another name", [](auto& c) { c.fields->back().pointer = "/Notify"; }},
        {"another text", [](auto& c) { set(c, "/currency", value_kind::string, "USD"); }},
        {"the same text composed otherwise", [](auto& c) { set(c, "/note", value_kind::string, "lo\xcc\x81st"); }},
        {"the number as a text", [](auto& c) { set(c, "/amount", value_kind::string, "900.00"); }},
        {"the number with fewer digits", [](auto& c) { set(c, "/amount", value_kind::number, "900"); }},
        {"the number with an exponent", [](auto& c) { set(c, "/amount", value_kind::number, "9.0000e2"); }},
        {"a list in another order", [](auto& c) { set(c, "/lines", value_kind::array, "[2,1]"); }},
        {"the truth as a text", [](auto& c) { set(c, "/notify", value_kind::string, "true"); }},
        {"a body that is not JSON", [](auto& c) { c.fields.reset(); }},
    };
    const auto terms = propose(refund(), {});
    for (const row& r : rows) {
        CAPTURE(r.name);
        auto call = refund();
        r.change(call);
        CHECK_FALSE(covers(terms.shape, call));
        // Nor may anybody sign terms of that kind for the call that is held.
        CHECK_FALSE(check_terms(propose(call, {}), refund()).has_value());
    }
    auto other_body = refund();
    other_body.content_digest = "sha-256=:b:";  // the same fields, written otherwise
    CHECK(covers(terms.shape, other_body));
}

TEST_CASE("a body that is not JSON passes to the byte")
{
    auto held = refund();
    held.fields.reset();
    const auto terms = propose(held, {});
    CHECK(check_terms(terms, held).has_value());
    CHECK_FALSE(terms.sum);
    CHECK(covers(terms.shape, held));
    held.content_digest = "sha-256=:b:";
    CHECK_FALSE(covers(terms.shape, held));
    held.content_digest.clear();
    CHECK_FALSE(covers(terms.shape, held));
}

TEST_CASE("numbers within bounds")
{
    struct row {
        const char* text;
        bool passes;
    };
    const row rows[] = {
        {"0", true},
        {"0.01", true},
        {"900.10", true},
        {"900.1", true},
        {"900.11", false},
        {"900.101", false},
        {"-0.01", false},
        {"-0", false},
        {"1e2", false},
        {"9E1", false},
        {"99999999999999999999999", false},
        {"100.", false},
        {"1e-400", false},
    };
    auto terms = propose(refund(), {});
    up_to(terms, "0", "900.10");
    for (const row& r : rows) {
        CAPTURE(r.text);
        auto call = refund();
        set(call, "/amount", value_kind::number, r.text);
        CHECK(covers(terms.shape, call) == r.passes);
    }
    auto text = refund();
    set(text, "/amount", value_kind::string, "1");
    CHECK_FALSE(covers(terms.shape, text));
    // Whole numbers stay whole: a fraction may be read in another unit.
    up_to(terms, "0", "901");
    auto fraction = refund();
    set(fraction, "/amount", value_kind::number, "0.5");
    CHECK_FALSE(covers(terms.shape, fraction));
}

TEST_CASE("`any` is any of its type")
{
    auto terms = propose(refund(), {});
    any(terms, "/note");
    any(terms, "/notify");
    REQUIRE(check_terms(terms, refund()).has_value());
    auto call = refund();
    set(call, "/note", value_kind::string, "whatever \x01 \xf0\x9f\x99\x82");
    set(call, "/notify", value_kind::boolean, "false");
    CHECK(covers(terms.shape, call));
    for (const auto kind : {value_kind::null, value_kind::number, value_kind::array, value_kind::object}) {
        set(call, "/note", kind, "1");
        CHECK_FALSE(covers(terms.shape, call));
    }
}

TEST_CASE("what nobody may sign")
{
    struct row {
        const char* name;
        std::function<void(grant_terms&)> change;
        bool good = false;
    };
    const row rows[] = {
        {"as proposed", [](auto&) {}, true},
        {"no call", [](auto& t) { t.count = 0; }},
        {"a thousand", [](auto& t) { t.count = 1000; }, true},
        {"more", [](auto& t) { t.count = 1001; }},
        {"a minute", [](auto& t) { t.lasts = 1min; }, true},
        {"less", [](auto& t) { t.lasts = 59s; }},
        {"thirty days", [](auto& t) { t.lasts = 24h * 30; }, true},
        {"more than that", [](auto& t) { t.lasts = 24h * 30 + 1s; }},
        {"part of a second", [](auto& t) { t.lasts += 1ms; }},
        {"any task of that intent", [](auto& t) { t.shape.task->id.clear(); }, true},
        {"another intent",
         [](auto& t) {
             t.shape.task = call_task{"", "something else"};
         }},
        {"no task", [](auto& t) { t.shape.task.reset(); }},
        {"any array", [](auto& t) { any(t, "/lines"); }},
        {"any amount, with a sum of it", [](auto& t) { any(t, "/amount"); }},
        {"any amount, without a sum", [](auto& t) { any(t, "/amount"), t.sum.reset(); }, true},
        {"up to less than this call", [](auto& t) { up_to(t, "0", "899.99"); }},
        {"up to it", [](auto& t) { up_to(t, "0", "900.00"); }, true},
        {"up to it, whole", [](auto& t) { up_to(t, "0", "900"); }},
        {"a negative amount, with a sum of it", [](auto& t) { up_to(t, "-1", "900.00"); }},
        {"a range the wrong way round", [](auto& t) { up_to(t, "901", "900"); }},
        {"a range of no numbers", [](auto& t) { up_to(t, "0", "1e5"); }},
        {"a range of texts",
         [](auto& t) {
             field_rule& r = rule(t, "/note");
             r = {r.pointer, r.kind, how::range, {}, "0", "9"};
         }},
        {"another value", [](auto& t) { rule(t, "/currency").equals = "USD"; }},
        {"another type", [](auto& t) { rule(t, "/currency").kind = value_kind::null; }},
        {"a field left out", [](auto& t) { t.shape.fields->pop_back(); }},
        {"a field twice", [](auto& t) { t.shape.fields->push_back(t.shape.fields->back()); }},
        {"no fields", [](auto& t) { t.shape.fields.reset(); }},
        {"the body fixed twice", [](auto& t) { t.shape.content_digest = "sha-256=:a:"; }},
        {"a sum of a text", [](auto& t) { t.sum->pointer = "/note"; }},
        {"a sum of nothing", [](auto& t) { t.sum->pointer = "/total"; }},
        {"a negative sum", [](auto& t) { t.sum->at_most = "-1"; }},
        {"a huge sum", [](auto& t) { t.sum->at_most = "1e300"; }},
        {"a sum smaller than one call", [](auto& t) { t.sum->at_most = "1"; }, true},  // nothing passes: harmless
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        auto terms = propose(refund(), {});
        r.change(terms);
        CHECK(check_terms(terms, refund()).has_value() == r.good);
        if (r.good) CHECK(covers(terms.shape, refund()));
    }
}

TEST_CASE("what a call takes of the sum")
{
    auto terms = propose(refund(), {});
    CHECK(amount_of(terms, refund())->text() == "900");
    terms.sum.reset();
    CHECK(amount_of(terms, refund())->text() == "0");
    terms.sum = sum_bound{"/missing", "1"};
    CHECK_FALSE(amount_of(terms, refund()));
}

TEST_CASE("headers that name the call are not compared; the order of names means nothing, of values everything")
{
    const header_texts sent{{"x-b", "2"}, {"idempotency-key", "k"}, {"x-a", "1"}, {"date", "now"}, {"x-b", "3"}, {"traceparent", "t"}};
    CHECK(headers_that_count(sent) == header_texts{{"x-a", "1"}, {"x-b", "2"}, {"x-b", "3"}});
    // Names that an upstream may fold into one of those are not taken for it.
    CHECK(headers_that_count({{"idempotency_key", "k"}, {"x-request-ids", "i"}}).size() == 2);
}

TEST_CASE("a grant comes of those alone who signed the same terms")
{
    struct row {
        const char* name;
        std::vector<std::pair<person_id, std::string>> approvals;
        const char* then;
    };
    const row rows[] = {
        {"nobody signed any", {{ada, ""}, {grace, ""}}, ""},
        {"one of two", {{ada, "G"}, {grace, ""}}, ""},
        {"two others", {{ada, "G"}, {grace, "H"}}, ""},
        {"both the same", {{ada, "G"}, {grace, "G"}}, "G"},
        {"one in time", {{ada, "G"}}, ""},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        hold h = opened({finance(2)}, town(), "olga");
        for (const auto& [who, terms] : r.approvals) {
            auto yes = decides(who, decision_kind::approve);
            yes.given.grant = terms;
            h = after(h, yes, town(), t0 + 1min);
        }
        CHECK(granted_terms(h).value_or("") == r.then);
    }
    // Who counts in one of two workflows only does not make the other's grant.
    hold both = opened({finance(1), flow("risk", 1, {{{"team:risk"}, 10min}})}, town(), "olga");
    for (const auto& [who, terms] : {std::pair{ada, "G"}, std::pair{tony, ""}}) {
        auto yes = decides(who, decision_kind::approve);
        yes.given.grant = terms;
        both = after(both, yes, town(), t0 + 1min);
    }
    CHECK(both.status == hold_status::approved);
    CHECK_FALSE(granted_terms(both));
}

TEST_CASE("who signed must be able to satisfy what is demanded now")
{
    struct row {
        const char* name;
        std::vector<workflow> demanded;
        std::function<void(std::vector<person>&)> since;
        const char* owner;  // of the agent, now
        bool satisfied;
    };
    const auto nothing = [](std::vector<person>&) {};
    const row rows[] = {
        {"the same", {finance(1)}, nothing, "olga", true},
        {"two are asked now", {finance(2)}, nothing, "olga", false},
        {"another workflow, of theirs too", {flow("other", 1, {{{"person:ada"}, 1min}})}, nothing, "olga", true},
        {"another workflow, of others", {flow("other", 1, {{{"team:risk"}, 1min}})}, nothing, "olga", false},
        {"another one besides", {finance(1), flow("other", 1, {{{"team:risk"}, 1min}})}, nothing, "olga", false},
        {"a stronger proof", {flow("finance", 1, {{{"team:finance"}, 10min}}, {}, assurance::passkey)}, nothing, "olga", true},
        {"they are excluded now", {flow("finance", 1, {{{"team:finance"}, 10min}}, {"person:ada"})}, nothing, "olga", false},
        {"they own the agent now", {flow("finance", 1, {{{"team:finance"}, 10min}}, {"owner"})}, nothing, "ada", false},
        {"they do not own it", {flow("finance", 1, {{{"team:finance"}, 10min}}, {"owner"})}, nothing, "olga", true},
        {"they were disabled", {finance(1)}, [](auto& all) { one_of(all, ada).status = person_status::disabled; }, "olga", false},
        {"they approve no more", {finance(1)}, [](auto& all) { one_of(all, ada).roles = {role::auditor}; }, "olga", false},
        {"they left the team, and signed before", {finance(1)}, [](auto& all) { one_of(all, ada).teams.clear(); }, "olga", true},
        {"nothing is demanded", {}, nothing, "olga", false},
    };
    auto yes = decides(ada, decision_kind::approve);
    yes.given.grant = "G";
    const hold source = after(opened({finance(1)}, town(), "olga"), yes, town(), t0 + 1min);
    for (const row& r : rows) {
        CAPTURE(r.name);
        auto people = everybody();
        r.since(people);
        const directory now = town(std::move(people), {}, r.owner);
        const hold call = fresh({finance(1)}, r.owner);
        CHECK(satisfied_by_grant(source, "G", call, r.demanded, now, t0 + 5min) == r.satisfied);
        CHECK_FALSE(satisfied_by_grant(source, "H", call, r.demanded, now, t0 + 5min));
    }
}

TEST_CASE("a hold that a grant approved is approved from the start, and asks nobody")
{
    const auto grant = id_of<grant_id>(7);
    const auto made = step(fresh({finance(2)}), happened::granted{grant, 60s}, town(), t0);
    REQUIRE(std::holds_alternative<moved>(made));
    const hold& h = std::get<moved>(made).next;
    CHECK(h.status == hold_status::approved);
    CHECK(h.grant == grant);
    CHECK(h.decided_at == t0);
    CHECK(h.release_by == t0 + 60s);
    CHECK(h.approvals_needed() == 0);
    for (const effect& e : std::get<moved>(made).effects) CHECK_FALSE(std::holds_alternative<effects::tell_people>(e));
    CHECK(said(step(h, happened::claimed{}, town(), t0 + 1s)) == "moved:releasing");
    CHECK(said(step(h, happened::claimed{}, town(), t0 + 61s)) == "moved:void");
    CHECK(said(step(h, happened::voided{"revoked"}, town(), t0 + 1s)) == "moved:void");
    CHECK(said(step(h, happened::withdrawn{}, town(), t0 + 1s)) == "moved:withdrawn");
    CHECK(said(step(h, approves(grace), town(), t0 + 1s)) == "refused:hold-closed");
    // It comes at the start or not at all.
    CHECK(said(step(opened({finance()}), happened::granted{grant}, town(), t0)) == "refused:internal-error");
    CHECK(said(step(h, happened::granted{grant}, town(), t0)) == "refused:hold-closed");
}
