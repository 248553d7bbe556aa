// Who decides while somebody is away, and what nobody gains by it.
#include "tests/workflows/cast.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::cast;

namespace {

struct away {
    person_id who;
    std::string deputy;
    time_point from = t0 - 24h;
    time_point until = t0 + 24h;
};

std::vector<person> people_with(const std::vector<away>& absences)
{
    auto people = everybody();
    for (const away& a : absences) one_of(people, a.who).away = absence{a.from, a.until, a.deputy};
    return people;
}

std::string told_by(const workflow& w, const directory& d, time_point now = t0)
{
    std::string text;
    for (const person_id id : reached_by(fresh({w}), w, 0, d, {now, now})) text += (text.empty() ? "" : ",") + d.find(id)->handle;
    return text;
}

// `counts for / in the place of`.
std::string may(const hold& h, const directory& d, person_id who, time_point now = t0)
{
    const entitlement e = entitled(h, d, *d.find(who), now);
    std::string text;
    for (const auto& c : e.counts_in) text += (text.empty() ? "" : ",") + c;
    for (const auto& p : e.in_place_of) text += " for " + p;
    return text;
}

}  // namespace

TEST_CASE("whom a step reaches while people are away")
{
    const workflow risk = flow("risk", 1, {{{"team:risk"}, 10min}});  // tony, grace
    const workflow not_alan = flow("risk", 1, {{{"team:risk"}, 10min}}, {"person:alan"});
    const workflow not_tony = flow("risk", 1, {{{"team:risk"}, 10min}}, {"person:tony"});
    struct row {
        const char* name;
        std::vector<away> absences;
        const workflow* asked;
        const char* told;
    };
    const row rows[] = {
        {"nobody is away", {}, &risk, "grace,tony"},
        {"without a deputy", {{tony, ""}}, &risk, "grace"},
        {"a deputy", {{tony, "alan"}}, &risk, "grace,alan"},
        {"a deputy who is asked anyway", {{tony, "grace"}}, &risk, "grace"},
        {"a chain", {{tony, "alan"}, {alan, "edsger"}}, &risk, "grace,edsger"},
        {"a chain that ends with nobody", {{tony, "alan"}, {alan, ""}}, &risk, "grace"},
        {"a loop", {{tony, "alan"}, {alan, "tony"}}, &risk, "grace"},
        {"a loop behind", {{tony, "alan"}, {alan, "edsger"}, {edsger, "alan"}}, &risk, "grace"},
        {"all away", {{tony, ""}, {grace, ""}}, &risk, ""},
        {"nobody of that name", {{tony, "nobody"}}, &risk, "grace"},
        {"an auditor decides nothing", {{tony, "oscar"}}, &risk, "grace"},
        {"not yet", {{tony, "alan", t0 + 1h, t0 + 2h}}, &risk, "grace,tony"},
        {"back at that moment", {{tony, "alan", t0 - 1h, t0}}, &risk, "grace,tony"},
        {"the deputy is excluded", {{tony, "alan"}}, &not_alan, "grace"},
        {"nobody stands behind the excluded", {{tony, "alan"}, {alan, "edsger"}}, &not_alan, "grace"},
        {"a deputy of the excluded", {{tony, "alan"}}, &not_tony, "grace"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(told_by(*r.asked, town(people_with(r.absences))) == r.told);
    }
}

TEST_CASE("a deputy decides in somebody's place, and the right to decide is used once")
{
    const workflow two = flow("risk", 2, {{{"team:risk"}, 1h}});
    const directory people = town(people_with({{tony, "alan"}}));
    const hold h = opened({two}, people);
    CHECK(may(h, people, alan) == "risk for tony");
    CHECK(may(h, people, tony) == "risk");  // away, and may decide all the same
    CHECK(may(h, people, edsger).empty());
    CHECK(may_read(h, people, *people.find(alan), t0));
    CHECK_FALSE(may_read(h, people, *people.find(edsger), t0));

    const hold by_deputy = after(h, approves(alan), people, t0 + 1min);
    CHECK(by_deputy.approvals_given() == 1);
    CHECK(by_deputy.decisions[0].in_place_of == std::vector<std::string>{"tony"});
    CHECK(why_not(by_deputy, people, *people.find(tony), t0 + 1min) == "alan has decided in your place.");
    CHECK(said(step(by_deputy, approves(tony), people, t0 + 1min)) == "refused:not-eligible");
    // Taken back, it is theirs again.
    const hold again = after(by_deputy, takes_back(alan), people, t0 + 2min);
    CHECK(may(again, people, tony) == "risk");

    const hold by_self = after(h, approves(tony), people, t0 + 1min);
    CHECK(may(by_self, people, alan).empty());
    CHECK(after(by_deputy, approves(grace), people, t0 + 2min).status == hold_status::approved);
}

TEST_CASE("one person counts once, whatever they stand in for")
{
    const workflow two = flow("risk", 2, {{{"team:risk"}, 1h}});
    // grace is of the team herself, and represents tony.
    const directory people = town(people_with({{tony, "grace"}}));
    hold h = opened({two}, people);
    CHECK(may(h, people, grace) == "risk");  // in her own right, which needs nobody's place
    h = after(h, approves(grace), people, t0 + 1min);
    CHECK(h.status == hold_status::held);
    CHECK(may(h, people, tony) == "risk");

    // Two who are away have one deputy: one approval.
    const directory both = town(people_with({{tony, "alan"}, {grace, "alan"}}));
    hold one = after(opened({two}, both), approves(alan), both, t0 + 1min);
    CHECK(one.status == hold_status::held);
    CHECK(one.approvals_given() == 1);
}

TEST_CASE("with places a deputy fills the one of whom they represent, or their own")
{
    workflow w = flow("both", 2, {{{"team:finance", "team:risk"}, 1h}});
    w.places = {{target::parse("team:finance").value(), 1}, {target::parse("team:risk").value(), 1}};
    const directory people = town(people_with({{tony, "edsger"}, {grace, ""}}));
    hold h = opened({w}, people);
    CHECK(may(h, people, edsger) == "both/team:finance,both/team:risk for tony");
    h = after(h, approves(edsger), people, t0 + 1min);
    CHECK(h.status == hold_status::held);  // one person, one place
    CHECK(after(h, approves(ada), people, t0 + 2min).status == hold_status::approved);
}

TEST_CASE("when somebody goes away or comes back, who is asked now is told")
{
    const workflow w = flow("risk", 1, {{{"person:tony"}, 10h}});
    const directory people = town(people_with({{tony, "alan", t0 + 1h, t0 + 2h}}));
    hold h = opened({w}, people);
    CHECK(h.wake_at == t0 + 1h);
    const auto told = [](const outcome& o) {
        std::vector<person_id> all;
        for (const effect& e : std::get<moved>(o).effects)
            if (const auto* t = std::get_if<effects::tell_people>(&e)) all.insert(all.end(), t->people.begin(), t->people.end());
        return all;
    };
    const outcome leaves = step(h, happened::woke{}, people, t0 + 1h);
    REQUIRE(std::holds_alternative<moved>(leaves));
    CHECK(told(leaves) == std::vector{alan});
    h = std::get<moved>(leaves).next;
    CHECK(h.wake_at == t0 + 2h);
    const outcome returns = step(h, happened::woke{}, people, t0 + 2h);
    REQUIRE(std::holds_alternative<moved>(returns));
    CHECK(told(returns) == std::vector{tony});
    CHECK(std::get<moved>(returns).next.wake_at == h.expires_at);
}

TEST_CASE("at release a decision in somebody's place stands as long as both do")
{
    const workflow w = flow("risk", 1, {{{"team:risk"}, 1h}});
    const directory people = town(people_with({{tony, "alan"}}));
    const hold h = after(opened({w}, people), approves(alan), people, t0 + 1min);
    CHECK(satisfied_by_new_demands(h, std::vector{w}, people, t0 + 2min));
    // Back since: eligibility was that of the moment.
    CHECK(satisfied_by_new_demands(h, std::vector{w}, town(), t0 + 2min));
    auto gone = everybody();
    one_of(gone, tony).status = person_status::disabled;
    CHECK_FALSE(satisfied_by_new_demands(h, std::vector{w}, town(std::move(gone)), t0 + 2min));
    const workflow now_excluded = flow("risk", 1, {{{"team:risk"}, 1h}}, {"person:tony"});
    CHECK_FALSE(satisfied_by_new_demands(h, std::vector{now_excluded}, people, t0 + 2min));
    // Other steps now: the right that was used is tony's.
    const workflow other = flow("risk", 1, {{{"person:tony"}, 1h}}), another = flow("risk", 1, {{{"person:grace"}, 1h}});
    CHECK(satisfied_by_new_demands(h, std::vector{other}, people, t0 + 2min));
    CHECK_FALSE(satisfied_by_new_demands(h, std::vector{another}, people, t0 + 2min));
}
