// `not`: the initiator, the last approver, and expressions; and breaking the glass, to which none of that applies.
#include "tests/workflows/cast.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::cast;

namespace {

// Knows the labels `level=senior` and `level=junior`; of others the expression errs.
class by_level final : public person_conditions {
public:
    std::optional<bool> is_true(const std::string& expression, const person& who, const agent&, const owner_name&) const override
    {
        if (expression != "senior") return std::nullopt;
        const auto level = who.labels.find("level");
        if (level == who.labels.end()) return std::nullopt;
        return level->second == "senior";
    }
};

directory labelled()
{
    auto people = everybody();
    one_of(people, ada).labels = {{"level", "senior"}};
    one_of(people, grace).labels = {{"level", "junior"}};
    auto arranged = std::make_shared<arrangements>();
    arranged->conditions = std::make_shared<const by_level>();
    return town(std::move(people), std::move(arranged));
}

workflow with_glass(const std::vector<std::string>& who, int approvals = 2, const std::vector<std::string>& not_ = {})
{
    workflow w = flow("finance", approvals, {{{"team:finance"}, 10min}}, not_);
    w.break_glass = targets(who);
    return w;
}

happened::glass_broken breaks(person_id who, std::string reason = "the shop is on fire", assurance proof = assurance::passkey)
{
    return {decides(who, decision_kind::approve, proof, std::move(reason)).given};
}

}  // namespace

TEST_CASE("the initiator is the agent's owner, until tasks name one")
{
    const directory people = town();
    const hold h = opened({flow("w", 1, {{{"team:finance"}, 10min}}, {"initiator"})}, people);
    CHECK(why_not(h, people, *people.find(ada), t0) == "This call is made on your behalf, and whoever it is made for may not decide it.");
    CHECK_FALSE(why_not(h, people, *people.find(grace), t0));
}

TEST_CASE("the last approver is excluded as the database knows them, and everybody while nobody does")
{
    const directory people = town();
    const workflow w = flow("w", 1, {{{"team:finance"}, 10min}}, {"last-approver"});
    CHECK(said(step(fresh({w}), happened::opened{}, people, t0)) == "moved:undeliverable");

    struct row {
        const char* name;
        std::optional<person_id> last;
        bool ada_may, grace_may;
    };
    for (const row& r : {row{"nobody before", std::nullopt, true, true}, row{"ada", ada, false, true}, row{"grace", grace, true, false}}) {
        CAPTURE(r.name);
        hold h = fresh({w});
        h.demands[0].last_approval.emplace(demand::precedent{r.last});
        h = after(h, happened::opened{}, people, t0);
        CHECK(!why_not(h, people, *people.find(ada), t0) == r.ada_may);
        CHECK(!why_not(h, people, *people.find(grace), t0) == r.grace_may);
        if (!r.ada_may)
            CHECK(why_not(h, people, *people.find(ada), t0) ==
                  "You approved this agent's last call under this workflow, and this one needs somebody else.");
    }
    // Of two workflows each has its own.
    hold both = fresh({w, flow("other", 1, {{{"team:finance"}, 10min}}, {"last-approver"})});
    both.demands[0].last_approval.emplace(demand::precedent{ada});
    both.demands[1].last_approval.emplace(demand::precedent{grace});
    both = after(both, happened::opened{}, people, t0);
    CHECK(why_not(both, people, *people.find(ada), t0));
    CHECK(why_not(both, people, *people.find(grace), t0));
    CHECK_FALSE(why_not(both, people, *people.find(edsger), t0));

    // Demanded only since: who it would have been then nobody can say, so it does not go.
    const hold plain = after(opened({finance()}), approves(grace), people, t0 + 1min);
    workflow since = finance();
    since.not_ = targets({"last-approver"});
    CHECK_FALSE(satisfied_by_new_demands(plain, std::vector{since}, people, t0 + 2min));
}

TEST_CASE("an expression that errs means nobody in notify and everybody in not")
{
    const directory people = labelled();
    const auto open = [&](const workflow& w) { return opened({w}, people); };
    const hold asked = open(flow("w", 1, {{{"where:senior"}, 10min}}));
    CHECK_FALSE(why_not(asked, people, *people.find(ada), t0));
    CHECK(why_not(asked, people, *people.find(grace), t0));   // false
    CHECK(why_not(asked, people, *people.find(edsger), t0));  // errs

    const hold excluded_ones = open(flow("w", 1, {{{"team:finance"}, 10min}}, {"where:senior"}));
    CHECK(why_not(excluded_ones, people, *people.find(ada), t0) == "The workflow excludes those of whom this is true: senior.");
    CHECK_FALSE(why_not(excluded_ones, people, *people.find(grace), t0));
    CHECK(why_not(excluded_ones, people, *people.find(edsger), t0));

    // Nothing answers it.
    const workflow unknown = flow("w", 1, {{{"where:nonsense"}, 10min}}),
                   unknown_not = flow("w", 1, {{{"team:finance"}, 10min}}, {"where:nonsense"});
    CHECK(said(step(fresh({unknown}), happened::opened{}, people, t0)) == "moved:undeliverable");
    CHECK(said(step(fresh({unknown_not}), happened::opened{}, people, t0)) == "moved:undeliverable");
    CHECK(said(step(fresh({unknown_not}), happened::opened{}, town(), t0)) == "moved:undeliverable");
}

TEST_CASE("breaking the glass: who may, and why not")
{
    const directory people = town();
    const workflow by_tony = with_glass({"person:tony", "team:risk"}, 2, {"team:risk"});
    workflow other = flow("other", 1, {{{"person:alan"}, 10min}});
    struct row {
        const char* name;
        hold held;
        happened::glass_broken what;
        time_point now;
        const char* then;
    };
    const hold h = opened({by_tony}, people);
    const row rows[] = {
        {"named, excluded and not asked", h, breaks(tony), t0 + 1min, "moved:approved"},
        {"named by team", h, breaks(grace), t0 + 1min, "moved:approved"},
        {"not named", h, breaks(ada), t0 + 1min, "refused:not-eligible"},
        {"without a reason", h, breaks(tony, " \n"), t0 + 1min, "refused:malformed-request"},
        {"by a session", h, breaks(tony, "fire", assurance::session), t0 + 1min, "refused:assurance-too-low"},
        {"at the deadline", h, breaks(tony), t0 + 10min, "moved:expired"},
        {"of a workflow without glass", opened({finance(2)}, people), breaks(tony), t0 + 1min, "refused:not-eligible"},
        {"one of two workflows", opened({by_tony, other}, people), breaks(tony), t0 + 1min, "refused:not-eligible"},
        {"the other has what it needs", after(opened({by_tony, other}, people), approves(alan), people, t0 + 1min), breaks(tony), t0 + 2min,
         "moved:approved"},
        {"after a denial", after(h, denies(ada), people, t0 + 1min), breaks(tony), t0 + 2min, "refused:hold-closed"},
        {"whoever has decided", after(opened({with_glass({"person:ada"})}, people), approves(ada), people, t0 + 1min), breaks(ada),
         t0 + 2min, "refused:not-eligible"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(said(step(r.held, r.what, people, r.now)) == r.then);
    }
    auto without = everybody();
    one_of(without, tony).roles = {role::auditor};
    const directory auditor = town(std::move(without));
    CHECK(said(step(h, breaks(tony), auditor, t0 + 1min)) == "refused:not-eligible");
    // A deputy has no share in it.
    auto absent = everybody();
    one_of(absent, tony).away = absence{t0 - 1h, t0 + 1h, "alan"};
    CHECK(said(step(h, breaks(alan), town(std::move(absent)), t0 + 1min)) == "refused:not-eligible");
}

TEST_CASE("a broken glass is loud, satisfies what it counts for, and is asked again at release")
{
    const directory people = town();
    workflow w = with_glass({"person:tony"}, 3);
    w.steps[0].via = {"email"};
    w.steps.push_back({targets({"person:alan"}), {"slack", "ops"}, 10min});
    const hold h = after(opened({w}, people), approves(grace), people, t0 + 1min);
    CHECK(may_read(h, people, *people.find(tony), t0 + 1min));
    const outcome o = step(h, breaks(tony), people, t0 + 2min);
    REQUIRE(std::holds_alternative<moved>(o));
    const auto& [next, effects] = std::get<moved>(o);
    const effects::tell_glass_broken* loud = nullptr;
    bool released = false;
    for (const effect& e : effects) {
        if (const auto* t = std::get_if<effects::tell_glass_broken>(&e)) loud = t;
        released = released || std::holds_alternative<effects::release_action>(e);
    }
    REQUIRE(loud);
    CHECK(released);
    CHECK(loud->via == std::vector<std::string>{"email", "slack", "ops"});
    // finance, alan of the step that has not begun, tony; ada owns the agent; oscar is of the team. Not olga.
    CHECK(loud->people == std::vector{ada, grace, edsger, alan, oscar, tony});

    const decision& d = next.decisions.back();
    CHECK(d.break_glass);
    CHECK(d.counts_in == std::vector<std::string>{"finance/break-glass"});
    CHECK(next.approvals_given() == 1);  // it is none of the three
    CHECK(next.satisfied(next.demands[0]));
    CHECK(said(step(next, happened::claimed{}, people, t0 + 2min + 1s)) == "moved:releasing");

    CHECK(satisfied_by_new_demands(next, std::vector{w}, people, t0 + 3min));
    workflow excluded_since = w;
    excluded_since.not_ = targets({"person:tony"});
    CHECK(satisfied_by_new_demands(next, std::vector{excluded_since}, people, t0 + 3min));
    CHECK_FALSE(satisfied_by_new_demands(next, std::vector{with_glass({"person:alan"}, 3)}, people, t0 + 3min));
    CHECK_FALSE(satisfied_by_new_demands(next, std::vector{finance(3)}, people, t0 + 3min));
    auto gone = everybody();
    one_of(gone, tony).status = person_status::disabled;
    CHECK_FALSE(satisfied_by_new_demands(next, std::vector{w}, town(std::move(gone)), t0 + 3min));
    // Without it the others count as they did.
    CHECK(satisfied_by_new_demands(next, std::vector{finance(1)}, people, t0 + 3min));
}
