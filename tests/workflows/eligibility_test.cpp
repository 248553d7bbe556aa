#include "workflows/eligibility.hpp"

#include "tests/workflows/cast.hpp"

using namespace sallyport;
using namespace sallyport::cast;

TEST_CASE("the directory finds people, teams, agents and owners")
{
    auto people = everybody();
    one_of(people, edsger).status = person_status::disabled;
    const directory d = town(std::move(people));
    CHECK(d.generation() == 1);
    CHECK(d.find(ada)->handle == "ada");
    CHECK(d.find(id_of<person_id>(99)) == nullptr);
    CHECK(d.person_with_handle("grace")->id == grace);
    CHECK(d.person_with_handle("nobody") == nullptr);
    CHECK(d.agent_named("refund-bot") == d.find(id_of<agent_id>(9)));
    CHECK(d.agent_named("x") == nullptr);
    CHECK(d.members("finance").size() == 4);
    CHECK(d.members("empty").empty());
    CHECK(d.owners(owner_name{owner_name::kind::team, "finance"}).size() == 3);  // not edsger
    CHECK(d.owners(owner_name{owner_name::kind::person, "edsger"}).empty());
    CHECK(d.owners(*d.agent_named("refund-bot")).front()->id == ada);

    struct row {
        const char* owner;
        person_id disabled;
        bool accountable;
    };
    for (const row& r : {row{"ada", ada, false}, row{"ada", grace, true}, row{"team:finance", ada, true}, row{"team:empty", ada, false},
                         row{"team:nowhere", ada, false}, row{"nobody", ada, false}}) {
        CAPTURE(r.owner);
        auto some = everybody();
        one_of(some, r.disabled).status = person_status::disabled;
        const directory there = town(std::move(some), {}, r.owner);
        CHECK(there.has_active_owner(*there.agent_named("refund-bot")) == r.accountable);
        CHECK(there.owners(*there.agent_named("refund-bot")).empty() != r.accountable);
    }

    directory moved_to = town();
    const directory again = std::move(moved_to);
    CHECK(again.person_with_handle("ada") == &again.people().front());
}

TEST_CASE("who may decide, and why not")
{
    struct row {
        const char* name;
        std::vector<workflow> demanded;
        const char* owner;
        person_id who;
        std::optional<std::string> why;
    };
    const workflow later = flow("later", 1, {{{"team:finance"}, 10min}, {{"person:alan"}, 5min}, {{"person:tony"}, 5min}});
    const row rows[] = {
        {"asked", {finance()}, "ada", grace, std::nullopt},
        {"not asked", {finance()}, "ada", alan, "You are not asked about this."},
        {"asked later", {later}, "ada", alan, "You are asked from 2026-01-05T09:10:00.000Z on, if it is open then."},
        {"asked last", {later}, "ada", tony, "You are asked from 2026-01-05T09:15:00.000Z on, if it is open then."},
        {"an auditor in the team", {finance()}, "ada", oscar, "Auditors read everything and decide nothing."},
        {"an operator", {finance()}, "ada", olga, "Your role is not that of an approver."},
        {"the owner, where it is not excluded", {finance()}, "ada", ada, std::nullopt},
        {"the owner, excluded",
         {flow("f", 1, {{{"owner", "team:finance"}, 1min}}, {"owner"})},
         "ada",
         ada,
         "You own this agent, and its owner may not decide this."},
        {"a member of the owning team, excluded",
         {flow("f", 1, {{{"team:risk", "person:alan"}, 1min}}, {"owner"})},
         "team:risk",
         grace,
         "Your team risk owns this agent, and its owner may not decide this."},
        {"excluded by name",
         {flow("f", 1, {{{"team:finance"}, 1min}}, {"person:grace"})},
         "ada",
         grace,
         "The workflow excludes you by name."},
        {"excluded by team",
         {flow("f", 1, {{{"team:finance"}, 1min}}, {"team:risk"})},
         "ada",
         grace,
         "The workflow excludes your team risk."},
        {"excluded by another workflow",
         {finance(), flow("f", 1, {{{"person:alan"}, 1min}}, {"person:grace"})},
         "ada",
         grace,
         "The workflow excludes you by name."},
    };
    const directory people = town();
    for (const row& r : rows) {
        CAPTURE(r.name);
        const hold h = opened(r.demanded, town(everybody(), {}, r.owner), r.owner);
        CHECK(why_not(h, people, *people.find(r.who), t0) == r.why);
        CHECK(counts_in(h, people, *people.find(r.who), t0).empty() == r.why.has_value());
    }
}

TEST_CASE("a decision, a disabled account and the end leave nothing to decide")
{
    const directory people = town();
    const hold one = after(opened({finance(2)}), approves(ada), people, t0 + 1min);
    CHECK(why_not(one, people, *people.find(ada), t0 + 1min) == "You have decided already.");
    const hold closed = after(one, denies(grace), people, t0 + 2min);
    CHECK(why_not(closed, people, *people.find(edsger), t0 + 1min) == "This hold is no longer open: it is denied.");

    auto without = everybody();
    one_of(without, grace).status = person_status::disabled;
    const directory then = town(std::move(without));
    CHECK(why_not(one, then, *then.find(grace), t0 + 1min) == "Your account is disabled.");
    CHECK_FALSE(may_read(one, then, *then.find(grace), t0 + 1min));
}

TEST_CASE("a later step adds people and removes none")
{
    const directory people = town();
    const workflow w = flow("w", 1, {{{"person:ada"}, 1min}, {{"person:alan"}, 1min}});
    hold h = opened({w});
    CHECK(why_not(h, people, *people.find(alan), t0 + 1min));
    h = after(h, happened::woke{}, people, t0 + 1min);
    CHECK_FALSE(why_not(h, people, *people.find(alan), t0 + 1min));
    CHECK_FALSE(why_not(h, people, *people.find(ada), t0 + 1min));
}

TEST_CASE("who may read")
{
    const directory people = town();
    const hold h = opened({flow("w", 1, {{{"person:grace"}, 1min}, {{"person:alan"}, 1min}}, {"owner"})});
    const auto reads = [&](const hold& x, person_id who) { return may_read(x, people, *people.find(who), t0 + 1min); };
    CHECK(reads(h, grace));  // asked
    CHECK(reads(h, alan));   // asked later
    CHECK(reads(h, ada));    // owns the agent
    CHECK(reads(h, oscar));  // auditor
    CHECK(reads(h, olga));   // operator
    CHECK_FALSE(reads(h, edsger));
    CHECK_FALSE(reads(h, tony));

    // Who decided may read on, though no longer in the team.
    const hold decided = after(opened({finance(2)}), approves(edsger), people, t0 + 1min);
    auto left = everybody();
    one_of(left, edsger).teams.clear();
    const directory then = town(std::move(left));
    CHECK(may_read(decided, then, *then.find(edsger), t0 + 1min));
}

TEST_CASE("a schedule that nobody knows reaches nobody, and excludes everybody")
{
    const workflow asks_schedule = flow("w", 1, {{{"schedule:on-call"}, 1min}});
    const workflow excludes_schedule = flow("w", 1, {{{"team:finance"}, 1min}}, {"schedule:on-call"});
    const auto open_in = [&](const workflow& w, const directory& d) { return said(step(fresh({w}), happened::opened{}, d, t0)); };
    CHECK(open_in(asks_schedule, town()) == "moved:undeliverable");
    CHECK(open_in(excludes_schedule, town()) == "moved:undeliverable");

    const directory people = town(everybody(), rota({"alan"}));
    CHECK(open_in(asks_schedule, people) == "moved:held");
    const hold h = opened({excludes_schedule}, people);
    CHECK_FALSE(why_not(h, people, *people.find(ada), t0 + 1min));
}

TEST_CASE("whom a step reaches: active approvers with a passkey who are not excluded")
{
    auto people = everybody();
    one_of(people, ada).has_passkey = false;
    one_of(people, edsger).status = person_status::disabled;
    const directory d = town(std::move(people));
    const workflow all = finance(), but_risk = flow("finance", 1, {{{"team:finance"}, 1min}}, {"team:risk"});
    CHECK(reached_by(fresh({all}), all, 0, d, {t0, t0}) == std::vector{grace});
    CHECK(reached_by(fresh({but_risk}), but_risk, 0, d, {t0, t0}).empty());
}

TEST_CASE("an account at a provider reaches where a session is enough, and nowhere else")
{
    auto people = everybody();
    for (const person_id id : {ada, grace, edsger}) one_of(people, id).has_passkey = false;
    one_of(people, ada).has_account = true;
    const directory d = town(std::move(people));
    const auto by = [](assurance needed) { return flow("finance", 1, {{{"team:finance"}, 1min}}, {}, needed); };
    CHECK(reached_by(fresh({by(assurance::passkey)}), by(assurance::passkey), 0, d, {t0, t0}).empty());
    CHECK(reached_by(fresh({by(assurance::session)}), by(assurance::session), 0, d, {t0, t0}) == std::vector{ada});
    CHECK(reached_by(fresh({by(assurance::click)}), by(assurance::click), 0, d, {t0, t0}) == std::vector{ada});
    // Two rules at once: the stricter one counts.
    CHECK(reached_by(fresh({by(assurance::session), flow("other", 1, {{{"team:finance"}, 1min}})}), by(assurance::session), 0, d, {t0, t0})
              .empty());
}

TEST_CASE("at release: do the decisions given satisfy what is demanded now?")
{
    const directory people = town();
    const hold one = after(opened({finance()}), approves(grace), people, t0 + 1min);
    const hold by_click = after(opened({flow("finance", 1, {{{"team:finance"}, 10min}}, {}, assurance::session)}),
                                approves(grace, assurance::session), people, t0 + 1min);
    const hold two = after(after(opened({finance(2)}), approves(ada), people, t0 + 1min), approves(grace), people, t0 + 2min);

    auto without = everybody();
    one_of(without, grace).status = person_status::disabled;
    const directory disabled = town(std::move(without));
    auto moved_on = everybody();
    one_of(moved_on, grace).teams.clear();
    const directory left = town(std::move(moved_on));

    struct row {
        const char* name;
        const hold* held;
        std::vector<workflow> now;
        const directory* people;
        bool satisfied;
    };
    const row rows[] = {
        {"the same", &one, {finance()}, &people, true},
        {"one more approval", &one, {finance(2)}, &people, false},
        {"one fewer", &two, {finance(1)}, &people, true},
        {"disabled since", &one, {finance()}, &disabled, false},
        {"one of two disabled since", &two, {finance(2)}, &disabled, false},
        {"one of two disabled, one needed now", &two, {finance(1)}, &disabled, true},
        {"left the team since", &one, {finance()}, &left, true},
        {"stronger proof", &by_click, {finance()}, &people, false},
        {"the same proof", &by_click, {flow("finance", 1, {{{"team:finance"}, 10min}}, {}, assurance::session)}, &people, true},
        {"excluded now", &one, {flow("finance", 1, {{{"team:finance"}, 10min}}, {"person:grace"})}, &people, false},
        {"somebody else excluded now", &one, {flow("finance", 1, {{{"team:finance"}, 10min}}, {"owner"})}, &people, true},
        {"other people asked now", &one, {flow("finance", 1, {{{"person:alan"}, 10min}})}, &people, false},
        {"another workflow that asks the same person", &one, {flow("risk", 1, {{{"team:risk"}, 10min}})}, &people, true},
        {"another workflow that asks others", &one, {flow("risk", 1, {{{"person:tony"}, 10min}})}, &people, false},
        {"another workflow that would have asked later",
         &one,
         {flow("risk", 1, {{{"person:tony"}, 10min}, {{"person:grace"}, 1min}})},
         &people,
         false},
        {"both", &one, {finance(), flow("risk", 1, {{{"team:risk"}, 10min}})}, &people, true},
        {"only other times and channels", &one, {flow("finance", 1, {{{"team:finance"}, 1min}})}, &people, true},
        {"nothing that could be satisfied", &one, {}, &people, false},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(satisfied_by_new_demands(*r.held, r.now, *r.people, t0 + 5min) == r.satisfied);
    }
}
