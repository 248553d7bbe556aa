#include "gateway/policy/person_expression.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

using namespace sallyport;
using policy::person_expressions;

namespace {

person ada()
{
    person p;
    p.handle = "ada";
    p.name = "Ada";
    p.roles = {role::approver, role::operator_};
    p.teams = {"finance", "risk"};
    p.labels = {{"level", "senior"}, {"office", "berlin"}};
    return p;
}

agent bot()
{
    agent a;
    a.name = "refund-bot";
    a.cls = agent_class::digital_worker;
    a.owner = {owner_name::kind::team, "finance"};
    a.labels = {{"region", "eu"}};
    return a;
}

}  // namespace

TEST_CASE("expressions over a person and the agent")
{
    struct row {
        const char* expression;
        std::optional<bool> is;
    };
    const row rows[] = {
        {"person.handle == 'ada'", true},
        {"person.name == 'Ada' && person.labels.level == 'senior'", true},
        {"person.labels['office'] == 'paris'", false},
        {"'risk' in person.teams && 'operator' in person.roles", true},
        {"agent.name == 'refund-bot' && agent['class'] == 'digital-worker'", std::nullopt},  // `class` is written as a field
        {"agent.labels.region == 'eu'", true},
        {"agent.owner == 'ada'", true},  // whose it was when it was asked
        {"person.labels.nothing == 'x'", std::nullopt},
        {"has(person.labels.nothing) && person.labels.nothing == 'x'", false},
        {"person.teams[7] == 'x'", std::nullopt},
        {"person.handle.matches('^a')", true},
    };
    for (const row& r : rows) {
        CAPTURE(r.expression);
        person_expressions all;
        all.add(r.expression);
        CHECK(all.is_true(r.expression, ada(), bot(), {owner_name::kind::person, "ada"}) == r.is);
        // One that the configuration does not name any more has the same answer.
        CHECK(person_expressions().is_true(r.expression, ada(), bot(), {owner_name::kind::person, "ada"}) == r.is);
    }
}

TEST_CASE("what is no expression of people is a mistake at its place")
{
    struct row {
        std::string expression;
        std::size_t offset;
    };
    for (const row& r :
         {row{"person.nickname == 'x'", 7}, row{"request.method == 'GET'", 0}, row{"person.handle", 0}, row{"1 +", 3}, row{"now", 0}}) {
        CAPTURE(r.expression);
        person_expressions all;
        const auto mistakes = all.add(r.expression);
        REQUIRE_FALSE(mistakes.empty());
        CHECK(mistakes.front().offset == r.offset);
        CHECK_FALSE(all.is_true(r.expression, ada(), bot(), {}));
    }
}
