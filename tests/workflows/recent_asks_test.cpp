// Whom a step goes past for having been asked too often, and when it must not.
#include "workflows/recent_asks.hpp"

#include "tests/workflows/cast.hpp"

#include <map>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::cast;

namespace {

recent_asks tired(const std::vector<person_id>& people)
{
    std::map<person_id, int> asked;
    for (const person_id p : people) asked[p] = 20;
    return {20, std::move(asked)};
}

// `told,told; over:passed`, of one step of the machine.
std::string asked_by(const outcome& o, const directory& people = town())
{
    std::string text;
    const auto name = [&](person_id id) { return people.find(id)->handle; };
    REQUIRE(std::holds_alternative<moved>(o));
    for (const effect& e : std::get<moved>(o).effects) {
        if (const auto* told = std::get_if<effects::tell_people>(&e))
            for (const person_id p : told->people) text += " " + name(p);
        if (const auto* over = std::get_if<effects::pass_over>(&e))
            for (const passed_over& p : over->people) text += " (" + name(p.who) + std::to_string(p.step + 1) + ")";
    }
    return text.empty() ? text : text.substr(1);
}

std::string opens(const workflow& w, const recent_asks& asks) { return asked_by(step(fresh({w}), happened::opened{}, town(), t0, asks)); }

}  // namespace

TEST_CASE("a step goes past the tired, and never leaves a hold without people")
{
    const workflow one = flow("finance", 1, {{{"team:finance"}, 10min}});  // ada, grace, edsger
    const workflow two = flow("finance", 2, {{{"team:finance"}, 10min}});
    const workflow three = flow("finance", 3, {{{"team:finance"}, 10min}});
    const workflow ladder = flow("finance", 1, {{{"person:ada"}, 10min}, {{"person:tony"}, 10min}});
    const workflow same = flow("finance", 1, {{{"person:ada"}, 10min}, {{"person:ada"}, 10min}});
    const workflow both = flow("finance", 2, {{{"person:ada"}, 10min}, {{"person:tony"}, 10min}});
    struct row {
        const char* name;
        const workflow* asked;
        recent_asks asks;
        const char* then;
    };
    const row rows[] = {
        {"without a cap", &one, {}, "ada grace edsger"},
        {"nobody is tired", &one, tired({tony}), "ada grace edsger"},
        {"one is", &one, tired({ada}), "(ada1) grace edsger"},
        {"two are", &one, tired({ada, edsger}), "(ada1) (edsger1) grace"},
        {"all are, and it is the last step", &one, tired({ada, grace, edsger}), "ada grace edsger"},
        {"just enough are left", &two, tired({ada}), "(ada1) grace edsger"},
        {"too few would be left", &two, tired({ada, grace}), "ada grace edsger"},
        {"every one is needed", &three, tired({ada}), "ada grace edsger"},
        {"a step of only tired people is skipped at once", &ladder, tired({ada}), "(ada1) tony"},
        {"all of all steps are tired", &ladder, tired({ada, tony}), "ada"},
        {"the next step has the same people", &same, tired({ada}), "ada"},
        {"those of the next step are not enough", &both, tired({ada}), "ada"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(opens(*r.asked, r.asks) == r.then);
    }
}

TEST_CASE("who is just below the cap is asked once more, and then no more")
{
    recent_asks asks(2, {{ada, 1}});
    CHECK(opens(finance(), asks) == "ada grace edsger");
    asks.add(std::vector{ada, grace, edsger});
    CHECK(opens(finance(), asks) == "(ada1) grace edsger");
    CHECK(asks.asked(ada) == 2);
    CHECK(asks.asked(tony) == 0);
}

TEST_CASE("the last step tells the tired, though an earlier one told others who did not answer")
{
    const workflow w = flow("finance", 1, {{{"person:grace"}, 10min}, {{"person:ada"}, 10min}});
    const hold h = after(fresh({w}), happened::opened{}, town(), t0);
    CHECK(asked_by(step(h, happened::woke{}, town(), t0 + 10min, tired({ada}))) == "ada");
}

TEST_CASE("of several workflows one question is one, and those told by one are not enough for another")
{
    const workflow risk = flow("risk", 1, {{{"team:risk"}, 10min}});  // grace, tony
    const auto opens_both = [&](const workflow& other, const recent_asks& asks) {
        return asked_by(step(fresh({risk, other}), happened::opened{}, town(), t0, asks));
    };
    CHECK(opens_both(finance(), tired({grace})) == "(grace1) tony (grace1) ada edsger");
    CHECK(opens_both(flow("finance", 1, {{{"person:grace"}, 10min}}), tired({grace})) == "(grace1) tony grace");
    // Told by the first, where nobody else is; so the second is no further question.
    CHECK(asked_by(step(fresh({flow("one", 1, {{{"person:grace"}, 10min}}), finance()}), happened::opened{}, town(), t0, tired({grace}))) ==
          "grace ada grace edsger");
    CHECK(asked_by(step(fresh({risk, flow("finance", 1, {{{"person:ada"}, 10min}})}), happened::opened{}, town(), t0, tired({ada}))) ==
          "grace tony ada");
}

TEST_CASE("who was told is not passed over by a later step, and who was passed over may be told by one")
{
    const workflow w = flow("finance", 1, {{{"person:ada"}, 10min}, {{"team:finance"}, 10min}});
    const hold told = after(fresh({w}), happened::opened{}, town(), t0);
    // Ada is tired by now, but has this one already.
    CHECK(asked_by(step(told, happened::woke{}, town(), t0 + 10min, tired({ada}))) == "ada grace edsger");

    const outcome o = step(fresh({flow("finance", 1, {{{"team:finance"}, 10min}, {{"person:ada"}, 10min}})}), happened::opened{}, town(),
                           t0, tired({ada}));
    CHECK(asked_by(o) == "(ada1) grace edsger");
    CHECK(asked_by(step(std::get<moved>(o).next, happened::woke{}, town(), t0 + 10min, {})) == "ada");
}

TEST_CASE("who was passed over may decide, is not reminded, and stands on the hold")
{
    workflow w = finance();
    w.steps[0].remind = 2min;
    const outcome o = step(fresh({w}), happened::opened{}, town(), t0, tired({ada}));
    const hold& h = std::get<moved>(o).next;
    REQUIRE(h.demands[0].passed.size() == 1);
    CHECK(h.demands[0].passed[0] == passed_over{ada, 0, 20});
    CHECK(h.status == hold_status::held);
    const outcome again = step(h, happened::woke{}, town(), t0 + 2min, tired({ada}));
    std::string reminded;
    for (const effect& e : std::get<moved>(again).effects)
        if (const auto* r = std::get_if<effects::remind_people>(&e))
            for (const person_id p : r->people) reminded += town().find(p)->handle + " ";
    CHECK(reminded == "grace edsger ");
    CHECK(said(step(h, approves(ada), town(), t0 + 3min)) == "moved:approved");
}

TEST_CASE("whoever comes on call tired is told where nobody else is")
{
    const workflow w = flow("night", 1, {{{"schedule:on-call"}, 48h}});
    const directory people = town(everybody(), rota({"ada", "grace"}));
    const hold h = after(fresh({w}), happened::opened{}, people, t0);
    CHECK(asked_by(step(h, happened::woke{}, people, t0 + 24h, tired({grace})), people) == "grace");
}
