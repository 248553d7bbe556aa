#include "workflows/hold_step.hpp"

#include "tests/workflows/cast.hpp"

#include <algorithm>

using namespace sallyport;
using namespace sallyport::cast;

namespace {

constexpr hold_status all_statuses[] = {hold_status::held,   hold_status::approved, hold_status::releasing, hold_status::released,
                                        hold_status::denied, hold_status::expired,  hold_status::withdrawn, hold_status::undeliverable,
                                        hold_status::void_,  hold_status::unknown};

// A hold that came to that status the way holds do.
hold in(hold_status status)
{
    const directory people = town();
    const hold held = opened({finance()});
    const auto approved = [&] { return after(held, approves(ada), people, t0 + 1min); };
    const auto releasing = [&] { return after(approved(), happened::claimed{}, people, t0 + 1min); };
    switch (status) {
    case hold_status::held: return after(opened({finance(2)}), approves(grace), people, t0 + 30s);
    case hold_status::approved: return approved();
    case hold_status::releasing: return releasing();
    case hold_status::released: return after(releasing(), happened::answered{201}, people, t0 + 1min);
    case hold_status::denied: return after(held, denies(ada), people, t0 + 1min);
    case hold_status::expired: return after(held, happened::woke{}, people, t0 + 10min);
    case hold_status::withdrawn: return after(held, happened::withdrawn{}, people, t0 + 1min);
    case hold_status::undeliverable: return after(fresh({flow("nobody", 1, {{{"team:empty"}, 10min}})}), happened::opened{}, people, t0);
    case hold_status::void_: return after(held, happened::voided{"agent-suspended"}, people, t0 + 1min);
    case hold_status::unknown: return after(releasing(), happened::lost{"timeout"}, people, t0 + 1min);
    }
    FAIL("no such status");
    return held;
}

std::vector<person_id> told(const outcome& o)
{
    std::vector<person_id> people;
    for (const effect& e : std::get<moved>(o).effects)
        if (const auto* tell = std::get_if<effects::tell_people>(&e)) people.insert(people.end(), tell->people.begin(), tell->people.end());
    std::sort(people.begin(), people.end());
    people.erase(std::unique(people.begin(), people.end()), people.end());
    return people;
}

bool releases(const outcome& o)
{
    const auto& effects = std::get<moved>(o).effects;
    return std::any_of(effects.begin(), effects.end(), [](const effect& e) { return std::holds_alternative<effects::release_action>(e); });
}

}  // namespace

TEST_CASE("every status comes about")
{
    for (const hold_status s : all_statuses) {
        CAPTURE(name_of(s));
        const hold h = in(s);
        CHECK(h.status == s);
        CHECK(h.closed_at.has_value() == closed(s));
        CHECK(h.wake_at.has_value() == (s == hold_status::held || s == hold_status::approved));
        CHECK(h.release_by.has_value() == (s == hold_status::approved || s == hold_status::releasing));
        CHECK(h.outcome.has_value() == (s == hold_status::released));
    }
}

TEST_CASE("every status meets every event")
{
    struct row {
        const char* name;
        event what;
        std::vector<std::string> then;  // in the order of the statuses
    };
    const std::string gone = "refused:hold-closed", same = "unchanged";
    const auto only = [&](std::string held, std::string approved, std::string releasing, const std::string& otherwise) {
        std::vector<std::string> all(std::size(all_statuses), otherwise);
        all[0] = std::move(held);
        all[1] = std::move(approved);
        all[2] = std::move(releasing);
        return all;
    };
    const row rows[] = {
        {"opened again", happened::opened{}, only(same, gone, gone, gone)},
        {"granted", happened::granted{id_of<grant_id>(1)}, only("refused:internal-error", gone, gone, gone)},
        {"woke, too early", happened::woke{}, only(same, same, same, same)},
        {"approved by a second", approves(edsger), only("moved:approved", gone, gone, gone)},
        {"approved by the first again", approves(grace), only("refused:not-eligible", gone, gone, gone)},
        {"approved by a stranger", approves(alan), only("refused:not-eligible", gone, gone, gone)},
        {"approved by nobody known", approves(id_of<person_id>(77)), only("refused:not-eligible", gone, gone, gone)},
        {"approved with too little proof", approves(edsger, assurance::session), only("refused:assurance-too-low", gone, gone, gone)},
        {"denied", denies(edsger), only("moved:denied", gone, gone, gone)},
        {"taken back", takes_back(grace), only("moved:held", gone, gone, gone)},
        {"another's taken back", happened::taken_back{id_of<decision_id>(2), edsger}, only("refused:not-eligible", gone, gone, gone)},
        {"what was not decided taken back", takes_back(edsger), only("refused:not-found", gone, gone, gone)},
        {"withdrawn", happened::withdrawn{}, only("moved:withdrawn", "moved:withdrawn", gone, gone)},
        {"voided", happened::voided{"agent-suspended"}, only("moved:void", "moved:void", gone, gone)},
        {"claimed", happened::claimed{}, only(gone, "moved:releasing", gone, gone)},
        {"nothing was sent", happened::sent_nothing{"refused"}, only(gone, gone, "moved:approved", gone)},
        {"answered", happened::answered{500}, only(gone, gone, "moved:released", gone)},
        {"lost", happened::lost{"timeout"}, only(gone, gone, "moved:unknown", gone)},
        {"lost, the upstream being idempotent", happened::lost{"timeout", true}, only(gone, gone, "moved:approved", gone)},
        {"denied by an operator", happened::denied_by_operator{"no"}, only("moved:denied", gone, gone, gone)},
    };
    const directory people = town();
    for (const row& r : rows)
        for (std::size_t i = 0; i < std::size(all_statuses); ++i) {
            CAPTURE(r.name);
            CAPTURE(name_of(all_statuses[i]));
            const hold h = in(all_statuses[i]);
            const outcome o = step(h, r.what, people, t0 + 90s);
            CHECK(said(o) == r.then[i]);
            if (const auto* m = std::get_if<moved>(&o)) {
                CHECK(m->next.version == h.version + 1);
                if (m->next.status != h.status) CHECK(may_follow(h.status, m->next.status));
            }
        }
}

TEST_CASE("decisions move a hold")
{
    const directory people = town();
    const hold one = opened({finance()}), two = opened({finance(2)});
    const hold two_of_them = after(two, approves(ada), people, t0 + 1min);
    struct row {
        const char* name;
        hold held;
        event when;
        time_point now;
        const char* then;
    };
    const row rows[] = {
        {"one of two waits", two, approves(ada), t0 + 1min, "moved:held"},
        {"the second releases", two_of_them, approves(grace), t0 + 1min, "moved:approved"},
        {"nobody counts twice", two_of_them, approves(ada), t0 + 1min, "refused:not-eligible"},
        {"one is enough for one", one, approves(ada), t0 + 1min, "moved:approved"},
        {"one denial closes, whatever the quorum", two_of_them, denies(grace), t0 + 1min, "moved:denied"},
        {"in the last moment", one, approves(ada), t0 + 10min - 1us, "moved:approved"},
        {"late is late", one, approves(ada), t0 + 10min, "moved:expired"},
        {"a late denial too", one, denies(ada), t0 + 1h, "moved:expired"},
        {"a late change of mind too", two_of_them, takes_back(ada), t0 + 10min, "moved:expired"},
        {"and an operator's", one, happened::denied_by_operator{"x"}, t0 + 10min, "moved:expired"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(said(step(r.held, r.when, people, r.now)) == r.then);
    }
}

TEST_CASE("an approval says when, by whom and where it counts, and wakes the releaser")
{
    const directory people = town();
    const outcome o = step(opened({finance()}), approves(grace), people, t0 + 1min);
    const hold h = std::get<moved>(o).next;
    CHECK(releases(o));
    CHECK(h.decided_at == t0 + 1min);
    CHECK(h.release_by == t0 + 2min);
    CHECK(h.wake_at == h.release_by);
    REQUIRE(h.decisions.size() == 1);
    CHECK(h.decisions[0].at == t0 + 1min);
    CHECK(h.decisions[0].counts_in == std::vector<std::string>{"finance"});

    auto patient = decides(grace, decision_kind::approve);
    patient.release_window = 5min;
    CHECK(after(opened({finance()}), patient, people, t0 + 1min).release_by == t0 + 6min);
}

TEST_CASE("a denial keeps its reason")
{
    const directory people = town();
    const hold by_person = after(opened({finance()}), denies(ada, "Not this one"), people, t0 + 1min);
    CHECK(by_person.reason_given() == "Not this one");
    CHECK(by_person.decided_at == t0 + 1min);
    const hold by_operator = after(opened({finance()}), happened::denied_by_operator{"From the terminal"}, people, t0 + 1min);
    CHECK(by_operator.reason_given() == "From the terminal");
    CHECK(by_operator.decisions.empty());
}

TEST_CASE("steps begin one after the other")
{
    const directory people = town();
    const workflow w = flow("w", 1, {{{"person:ada"}, 10min}, {{"person:alan", "person:ada"}, 20min}, {{"team:risk"}, 30min}});
    const outcome first = step(fresh({w}), happened::opened{}, people, t0);
    CHECK(told(first) == std::vector{ada});
    const hold h = std::get<moved>(first).next;
    CHECK(h.expires_at == t0 + 1h);
    CHECK(h.wake_at == t0 + 10min);

    const outcome second = step(h, happened::woke{}, people, t0 + 10min);
    CHECK(told(second) == std::vector{ada, alan});  // ada anew: its channels may be others
    const hold h2 = std::get<moved>(second).next;
    CHECK(h2.wake_at == t0 + 30min);

    const outcome third = step(h2, happened::woke{}, people, t0 + 30min);
    CHECK(told(third) == std::vector{grace, tony});
    const hold h3 = std::get<moved>(third).next;
    CHECK(h3.wake_at == h3.expires_at);
    CHECK(said(step(h3, happened::woke{}, people, h3.expires_at - 1us)) == "unchanged");
    CHECK(said(step(h3, happened::woke{}, people, h3.expires_at)) == "moved:expired");

    // Nothing ran for half an hour: what was missed is made up for, at the times that it would have had.
    const outcome late = step(h, happened::woke{}, people, t0 + 45min);
    CHECK(told(late) == std::vector{ada, grace, alan, tony});
    CHECK(std::get<moved>(late).next.demands[0].step == 2);
    CHECK(said(step(h, happened::woke{}, people, t0 + 2h)) == "moved:expired");
}

TEST_CASE("who has not decided is reminded, until the step is over or enough have")
{
    const directory people = town();
    workflow w = flow("w", 2, {{{"person:ada", "person:grace"}, 10min}, {{"person:alan"}, 20min}});
    w.steps[0].remind = 4min;
    const auto reminded = [](const outcome& o) {
        std::vector<person_id> all;
        for (const effect& e : std::get<moved>(o).effects)
            if (const auto* again = std::get_if<effects::remind_people>(&e))
                all.insert(all.end(), again->people.begin(), again->people.end());
        std::sort(all.begin(), all.end());
        return all;
    };
    const hold h = opened({w});
    CHECK(h.wake_at == t0 + 4min);
    CHECK(said(step(h, happened::woke{}, people, t0 + 3min)) == "unchanged");

    const outcome first = step(h, happened::woke{}, people, t0 + 4min);
    CHECK(reminded(first) == std::vector{ada, grace});
    CHECK(told(first).empty());
    CHECK(std::get<moved>(first).next.wake_at == t0 + 8min);

    const hold decided = after(std::get<moved>(first).next, approves(ada), people, t0 + 5min);
    CHECK(decided.wake_at == t0 + 8min);
    const outcome second = step(decided, happened::woke{}, people, t0 + 8min);
    CHECK(reminded(second) == std::vector{grace});
    // At ten minutes the next step begins instead; it reminds nobody.
    const hold h2 = std::get<moved>(second).next;
    CHECK(h2.wake_at == t0 + 10min);
    const outcome third = step(h2, happened::woke{}, people, t0 + 10min);
    CHECK(reminded(third).empty());
    CHECK(told(third) == std::vector{alan});
    CHECK(std::get<moved>(third).next.wake_at == h.expires_at);

    // What was slept through is one reminder, and what was enough before it comes is none.
    CHECK(reminded(step(h, happened::woke{}, people, t0 + 9min)) == std::vector{ada, grace});
    workflow one = flow("one", 1, {{{"person:ada", "person:grace"}, 10min}});
    one.steps[0].remind = 4min;
    const hold satisfied = after(opened({one, finance(2)}), approves(ada), people, t0 + 1min);
    CHECK(satisfied.status == hold_status::held);
    CHECK(satisfied.wake_at == satisfied.expires_at);
}

TEST_CASE("a step that reaches nobody is skipped at once")
{
    auto some = everybody();
    one_of(some, ada).has_passkey = false;
    one_of(some, edsger).status = person_status::disabled;
    const directory people = town(std::move(some));
    struct row {
        const char* name;
        workflow asked;
        std::size_t step;
        duration wakes;
        const char* then;
    };
    const row rows[] = {
        {"nobody in it", flow("w", 1, {{{"team:empty"}, 10min}, {{"person:grace"}, 5min}}), 1, 15min, "moved:held"},
        {"no passkey", flow("w", 1, {{{"person:ada"}, 10min}, {{"person:grace"}, 5min}}), 1, 15min, "moved:held"},
        {"disabled", flow("w", 1, {{{"person:edsger"}, 10min}, {{"person:grace"}, 5min}}), 1, 15min, "moved:held"},
        {"an auditor", flow("w", 1, {{{"person:oscar"}, 10min}, {{"person:grace"}, 5min}}), 1, 15min, "moved:held"},
        {"an unknown handle", flow("w", 1, {{{"person:zoe"}, 10min}, {{"person:grace"}, 5min}}), 1, 15min, "moved:held"},
        {"excluded", flow("w", 1, {{{"owner"}, 10min}, {{"person:grace"}, 5min}}, {"owner"}), 1, 15min, "moved:held"},
        {"two in a row", flow("w", 1, {{{"team:empty"}, 10min}, {{"person:ada"}, 10min}, {{"person:grace"}, 5min}}), 2, 25min,
         "moved:held"},
        {"in the middle, later", flow("w", 1, {{{"person:grace"}, 10min}, {{"team:empty"}, 5min}}), 0, 10min, "moved:held"},
        {"all", flow("w", 1, {{{"team:empty"}, 10min}, {{"person:ada"}, 5min}}), 1, 0min, "moved:undeliverable"},
        {"no step at all", flow("w", 1, {}), 0, 0min, "moved:undeliverable"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const outcome o = step(fresh({r.asked}), happened::opened{}, people, t0);
        CHECK(said(o) == r.then);
        const hold& h = std::get<moved>(o).next;
        CHECK(h.demands[0].step == r.step);
        if (h.status == hold_status::held) CHECK(h.wake_at == t0 + r.wakes);
    }
}

TEST_CASE("what later steps do not reach does not end the hold")
{
    const directory people = town();
    hold h = opened({flow("w", 1, {{{"person:ada"}, 10min}, {{"team:empty"}, 5min}, {{"team:empty"}, 5min}})});
    const outcome o = step(h, happened::woke{}, people, t0 + 10min);
    CHECK(said(o) == "moved:held");
    CHECK(told(o).empty());
    h = std::get<moved>(o).next;
    CHECK(h.wake_at == t0 + 20min);
    CHECK(said(step(h, approves(ada), people, t0 + 19min)) == "moved:approved");
    CHECK(said(step(h, happened::woke{}, people, t0 + 20min)) == "moved:expired");
}

TEST_CASE("two workflows: each one's number, by people eligible for it")
{
    const directory people = town();
    const workflow fin = flow("finance", 2, {{{"person:ada", "person:grace"}, 10min}}), risk = flow("risk", 1, {{{"team:risk"}, 30min}});
    const hold h = opened({fin, risk});
    CHECK(h.expires_at == t0 + 10min);  // the shorter
    CHECK(h.approvals_needed() == 2);
    CHECK(h.current().asks.name == "finance");

    SUBCASE("one person may count in both")
    {
        const hold one = after(h, approves(grace), people, t0 + 1min);
        CHECK(one.status == hold_status::held);
        CHECK(one.decisions[0].counts_in == std::vector<std::string>{"finance", "risk"});
        CHECK(one.satisfied(one.demands[1]));
        CHECK(said(step(one, approves(ada), people, t0 + 2min)) == "moved:approved");
    }
    SUBCASE("two approvals are not enough where one workflow has none")
    {
        hold both = after(h, approves(tony), people, t0 + 1min);
        CHECK(both.current().asks.name == "finance");
        CHECK(both.approvals_given() == 0);
        both = after(both, approves(ada), people, t0 + 2min);
        CHECK(both.status == hold_status::held);
        CHECK(next_slot(both) == 3);
        CHECK(said(step(both, approves(grace), people, t0 + 3min)) == "moved:approved");
    }
    SUBCASE("nobody for one of them")
    {
        const hold none = fresh({fin, flow("nobody", 1, {{{"team:empty"}, 5min}})});
        CHECK(said(step(none, happened::opened{}, people, t0)) == "moved:undeliverable");
    }
    SUBCASE("people asked by both are told once")
    {
        CHECK(told(step(fresh({fin, risk}), happened::opened{}, people, t0)) == std::vector{ada, grace, tony});
    }
    SUBCASE("the strictest proof")
    {
        const hold strict = opened({finance(), flow("risk", 1, {{{"team:risk"}, 10min}}, {}, assurance::click)});
        CHECK(said(step(strict, approves(tony, assurance::click), people, t0 + 1min)) == "refused:assurance-too-low");
    }
}

TEST_CASE("a workflow that has what it needs does not escalate, and catches up when that is taken back")
{
    const directory people = town();
    const workflow quick = flow("quick", 1, {{{"person:ada"}, 1min}, {{"person:alan"}, 30min}}),
                   slow = flow("slow", 1, {{{"person:tony"}, 30min}});
    const hold one = after(opened({quick, slow}), approves(ada), people, t0 + 30s);
    CHECK(one.wake_at == one.expires_at);
    CHECK(said(step(one, happened::woke{}, people, t0 + 5min)) == "unchanged");
    const hold again = after(one, takes_back(ada), people, t0 + 6min);
    CHECK(again.decisions.empty());
    CHECK(again.wake_at == t0 + 1min);  // overdue
    const outcome o = step(again, happened::woke{}, people, t0 + 6min);
    CHECK(told(o) == std::vector{alan});
    CHECK(said(step(std::get<moved>(o).next, approves(ada), people, t0 + 7min)) == "moved:held");
}

TEST_CASE("sending is tried until the window closes")
{
    const directory people = town();
    hold h = after(opened({finance()}), approves(ada), people, t0);
    time_point now = t0;
    duration before{};
    int attempts = 0;
    while (true) {
        const outcome claim = step(h, happened::claimed{}, people, now);
        if (said(claim) == "moved:void") break;
        h = std::get<moved>(claim).next;
        CHECK(h.status == hold_status::releasing);
        h = after(h, happened::sent_nothing{"connection refused"}, people, now);
        CHECK(h.attempts == ++attempts);
        const duration pause = *h.wake_at - now;
        CHECK(h.wake_at <= h.release_by);
        if (h.wake_at != h.release_by) CHECK(pause >= before);
        before = pause;
        CHECK(said(step(h, happened::woke{}, people, *h.wake_at - 1us)) == "unchanged");
        now = *h.wake_at;
        const outcome woken = step(h, happened::woke{}, people, now);
        if (said(woken) == "moved:void") break;
        CHECK(releases(woken));
        h = std::get<moved>(woken).next;
        CHECK(h.wake_at == h.release_by);
    }
    CHECK(now == t0 + 60s);
    CHECK(attempts > 10);
    CHECK(attempts < 30);
    CHECK(after(h, happened::woke{}, people, now).detail == "upstream-unreachable");
    const hold releasing = after(after(opened({finance()}), approves(ada), people, t0), happened::claimed{}, people, t0 + 59s);
    CHECK(after(releasing, happened::sent_nothing{"x"}, people, t0 + 60s).status == hold_status::void_);
}

TEST_CASE("what may have been sent ends unknown, unless an answer comes")
{
    const directory people = town();
    const hold approved = after(opened({finance()}), approves(ada), people, t0);
    const auto claimed = [&](const hold& h, time_point now) { return after(h, happened::claimed{}, people, now); };
    const hold sent = after(claimed(approved, t0), happened::lost{"cut off", true}, people, t0);
    CHECK(sent.status == hold_status::approved);
    CHECK(sent.maybe_sent);
    CHECK(sent.attempts == 1);
    CHECK(sent.wake_at > t0);
    CHECK(sent.wake_at < sent.release_by);
    struct row {
        const char* name;
        hold held;
        event what;
        time_point now;
        const char* then;
    };
    const row rows[] = {
        {"it is sent again", sent, happened::claimed{}, t0 + 1s, "moved:releasing"},
        {"its agent cannot withdraw it", sent, happened::withdrawn{}, t0 + 1s, "refused:hold-closed"},
        {"policy turns against it", sent, happened::voided{"policy denies it now"}, t0 + 1s, "moved:unknown"},
        {"its time is over, asleep", sent, happened::woke{}, t0 + 60s, "moved:unknown"},
        {"its time is over, claimed", sent, happened::claimed{}, t0 + 60s, "moved:unknown"},
        {"then nothing could be sent", claimed(sent, t0 + 1s), happened::sent_nothing{"refused"}, t0 + 2s, "moved:approved"},
        {"nor until its time was over", claimed(sent, t0 + 1s), happened::sent_nothing{"refused"}, t0 + 60s, "moved:unknown"},
        {"lost a second time", claimed(sent, t0 + 1s), happened::lost{"cut off", true}, t0 + 2s, "moved:approved"},
        {"lost in the end", claimed(sent, t0 + 1s), happened::lost{"cut off", true}, t0 + 60s, "moved:unknown"},
        {"lost where it may not be sent again now", claimed(sent, t0 + 1s), happened::lost{"cut off"}, t0 + 2s, "moved:unknown"},
        {"answered the second time", claimed(sent, t0 + 1s), happened::answered{200}, t0 + 2s, "moved:released"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const outcome o = step(r.held, r.what, people, r.now);
        CHECK(said(o) == r.then);
        if (const auto* m = std::get_if<moved>(&o)) CHECK(m->next.maybe_sent);
    }
    CHECK_FALSE(approved.maybe_sent);
    CHECK_FALSE(after(claimed(approved, t0), happened::sent_nothing{"refused"}, people, t0).maybe_sent);
    CHECK(after(claimed(approved, t0), happened::lost{"cut off"}, people, t0).maybe_sent);
}

TEST_CASE("a row that claims to be approved without approvals is not sent")
{
    const directory people = town();
    hold h = after(opened({finance(2)}), approves(ada), people, t0);
    h.status = hold_status::approved;
    h.release_by = t0 + 1min;
    CHECK(said(step(h, happened::claimed{}, people, t0)) == "refused:internal-error");
    h.demands.clear();
    CHECK(said(step(h, happened::claimed{}, people, t0)) == "refused:internal-error");
}

TEST_CASE("the slot is the place that the next approval fills")
{
    const directory people = town();
    hold h = opened({finance(3)});
    CHECK(next_slot(h) == 1);
    h = after(h, approves(ada), people, t0);
    CHECK(next_slot(h) == 2);
    h = after(h, takes_back(ada), people, t0);
    CHECK(next_slot(h) == 1);
}

TEST_CASE("a schedule's people: on call when the step began, and whoever comes on call while it runs")
{
    // From t0: ada, from t0 + 1 h: grace, from t0 + 2 h: alan.
    const directory people = town(everybody(), rota({"ada", "grace", "alan"}, 1h));
    const workflow w = flow("w", 2, {{{"schedule:on-call"}, 150min}});
    const outcome begun = step(fresh({w}), happened::opened{}, people, t0);
    CHECK(told(begun) == std::vector{ada});
    hold h = std::get<moved>(begun).next;
    CHECK(h.wake_at == t0 + 1h);
    CHECK(said(step(h, approves(grace), people, t0 + 1h - 1s)) == "refused:not-eligible");
    CHECK(said(step(h, happened::woke{}, people, t0 + 1h - 1s)) == "unchanged");

    SUBCASE("the next one is told when the shift changes, and may decide; so may the one before")
    {
        const outcome o = step(h, happened::woke{}, people, t0 + 1h);
        CHECK(told(o) == std::vector{grace});
        h = std::get<moved>(o).next;
        CHECK(h.wake_at == t0 + 2h);
        CHECK(said(step(h, approves(alan), people, t0 + 90min)) == "refused:not-eligible");
        h = after(h, approves(ada), people, t0 + 90min);
        CHECK(h.wake_at == t0 + 2h);
        CHECK(said(step(h, approves(grace), people, t0 + 100min)) == "moved:approved");
        const outcome third = step(h, happened::woke{}, people, t0 + 2h);
        CHECK(told(third) == std::vector{alan});
        CHECK(std::get<moved>(third).next.wake_at == t0 + 150min);
        CHECK(said(step(std::get<moved>(third).next, approves(grace), people, t0 + 130min)) == "moved:approved");
    }
    SUBCASE("may decide before the wake-up")
    {
        const hold one = after(h, approves(grace), people, t0 + 1h + 1s);
        CHECK(one.wake_at == t0 + 1h);  // overdue: grace is yet to be told
        CHECK(told(step(one, happened::woke{}, people, t0 + 1h + 2s)) == std::vector{grace});
    }
    SUBCASE("a late wake-up tells who is on call then")
    {
        const outcome o = step(h, happened::woke{}, people, t0 + 2h + 10min);
        CHECK(told(o) == std::vector{alan});
        CHECK(std::get<moved>(o).next.wake_at == t0 + 150min);
    }
    SUBCASE("it ends all the same")
    {
        h = after(h, happened::woke{}, people, t0 + 1h);
        h = after(h, happened::woke{}, people, t0 + 2h);
        CHECK(said(step(h, happened::woke{}, people, t0 + 150min)) == "moved:expired");
    }
    SUBCASE("another configuration may know it no more")
    {
        const directory changed = people.with({});
        CHECK(said(step(h, approves(ada), changed, t0 + 1min)) == "refused:not-eligible");
        CHECK(said(step(h, happened::woke{}, changed, t0 + 1h)) == "moved:held");
    }
}

TEST_CASE("a schedule in a later step: who was on call before it began is not asked")
{
    const directory people = town(everybody(), rota({"ada", "grace", "alan"}, 1h));
    hold h = opened({flow("w", 1, {{{"person:tony"}, 90min}, {{"schedule:on-call"}, 1h}})}, people);
    CHECK(h.wake_at == t0 + 90min);  // no step begun names the schedule
    CHECK(why_not(h, people, *people.find(grace), t0 + 5min) == "You are asked from 2026-01-05T10:30:00.000Z on, if it is open then.");
    CHECK(why_not(h, people, *people.find(ada), t0 + 5min) == "You are not asked about this.");
    CHECK(may_read(h, people, *people.find(grace), t0 + 5min));
    CHECK_FALSE(may_read(h, people, *people.find(alan), t0 + 5min));

    const outcome o = step(h, happened::woke{}, people, t0 + 90min);
    CHECK(told(o) == std::vector{grace});
    h = std::get<moved>(o).next;
    CHECK(h.wake_at == t0 + 2h);
    CHECK(said(step(h, approves(ada), people, t0 + 91min)) == "refused:not-eligible");
    CHECK(said(step(h, approves(grace), people, t0 + 130min)) == "moved:approved");
    CHECK_FALSE(may_read(h, people, *people.find(alan), t0 + 100min));
    CHECK(may_read(h, people, *people.find(alan), t0 + 2h));
}

TEST_CASE("a step that nobody was on call for is skipped, and whoever comes on call later is told")
{
    const auto absent = [] {
        auto some = everybody();
        one_of(some, ada).has_passkey = false;
        return some;
    };
    const directory people = town(absent(), rota({"ada", "grace"}, 1h));
    const outcome o =
        step(fresh({flow("w", 1, {{{"schedule:on-call"}, 30min}, {{"person:tony"}, 90min}})}), happened::opened{}, people, t0);
    CHECK(told(o) == std::vector{tony});
    const hold h = std::get<moved>(o).next;
    CHECK(h.demands[0].begun == std::vector{t0, t0});
    CHECK(told(step(h, happened::woke{}, people, t0 + 1h)) == std::vector{grace});
}

TEST_CASE("`not` excludes who is on call now, and everybody where the schedule is not known")
{
    const directory people = town(everybody(), rota({"ada", "grace"}, 1h));
    const hold h = opened({flow("w", 1, {{{"team:finance"}, 3h}}, {"schedule:on-call"})}, people);
    CHECK(why_not(h, people, *people.find(ada), t0 + 1min) == "The workflow excludes whoever is on call in on-call.");
    CHECK_FALSE(why_not(h, people, *people.find(grace), t0 + 1min));
    CHECK(why_not(h, people, *people.find(grace), t0 + 1h));
    CHECK_FALSE(why_not(h, people, *people.find(ada), t0 + 1h));
    const directory unknown = people.with({});
    CHECK(why_not(h, unknown, *unknown.find(edsger), t0 + 1min));
}

TEST_CASE("a hold of an earlier release, whose steps have no times of beginning, goes on")
{
    const directory people = town(everybody(), rota({"ada", "grace"}, 1h));
    hold h = opened({flow("w", 1, {{{"schedule:on-call"}, 90min}, {{"person:tony"}, 1h}})}, people);
    for (demand& d : h.demands) {
        d.begun.clear();
        d.told_until = {};
    }
    h.wake_at = t0 + 90min;
    CHECK(said(step(h, approves(ada), people, t0 + 80min)) == "moved:approved");
    CHECK(said(step(h, approves(grace), people, t0 + 80min)) == "moved:approved");
    const outcome o = step(h, happened::woke{}, people, t0 + 90min);
    CHECK(told(o) == std::vector{grace, tony});
    CHECK(std::get<moved>(o).next.demands[0].begun == std::vector{t0, t0 + 90min});
}

TEST_CASE("a workflow that has what it needs tells no later shift, and catches up when that is taken back")
{
    const directory people = town(everybody(), rota({"ada", "grace"}, 1h));
    const hold h = opened({flow("one", 1, {{{"schedule:on-call"}, 3h}}), flow("two", 1, {{{"person:tony"}, 3h}})}, people);
    const hold given = after(h, approves(ada), people, t0 + 1min);
    CHECK(given.wake_at == t0 + 3h);
    const hold again = after(given, takes_back(ada), people, t0 + 70min);
    CHECK(again.wake_at == t0 + 1h);
    CHECK(told(step(again, happened::woke{}, people, t0 + 70min)) == std::vector{grace});
}
