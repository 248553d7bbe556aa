#include "workflows/simulation.hpp"

#include "tests/workflows/cast.hpp"
#include "tests/workflows/zones.hpp"

#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::cast;

namespace {

std::string list_of(const std::vector<std::string>& words)
{
    std::string text;
    for (const auto& w : words) text += (text.empty() ? "" : ",") + w;
    return text;
}

struct in_words {
    std::string operator()(const played::step_begun& e) const { return "step " + std::to_string(e.step); }
    std::string operator()(const played::step_skipped& e) const { return "skipped " + std::to_string(e.step) + ": " + list_of(e.why); }
    std::string operator()(const played::hand_over& e) const { return e.schedule + ": " + list_of(e.on_call); }
    std::string operator()(const played::told& e) const
    {
        return (e.again ? "reminded " : "told ") + list_of(e.people) + " by " + list_of(e.via);
    }
    std::string operator()(const played::ended& e) const { return std::string(name_of(e.how)) + " " + std::to_string(e.reached); }
};

// `10m step 2`, one an event.
std::vector<std::string> played_by(const workflow& w, const directory& people, const std::vector<std::string>& absent = {},
                                   std::string_view owner = "ada", time_point at = t0)
{
    std::vector<std::string> lines;
    std::vector<absent_person> away;
    for (const std::string& who : absent) {
        const auto equals = who.find('=');
        away.push_back({who.substr(0, equals), equals == std::string::npos ? std::string() : who.substr(equals + 1)});
    }
    for (const played_event& e : simulate(w, bot(owner), people, away, at))
        lines.push_back((e.at == at ? "0s" : format_duration(e.at - at)) + " " + std::visit(in_words{}, e.what));
    return lines;
}

using lines = std::vector<std::string>;

}  // namespace

TEST_CASE("an escalation, and what becomes of it when people are away")
{
    workflow finance = flow("finance", 2, {{{"owner", "team:risk"}, 10min}, {{"person:alan"}, 5min}, {{"team:finance"}, 20min}});
    finance.steps[0].via = {"slack", "email"};
    const directory people = town();
    struct row {
        const char* name;
        std::vector<std::string> absent;
        lines happens;
    };
    const row rows[] = {
        {"everybody is there",
         {},
         {"0s step 1", "0s told ada,grace,tony by inbox,slack,email", "10m step 2", "10m told alan by inbox", "15m step 3",
          "15m told edsger by inbox", "35m expired 5"}},
        {"the second step's only one is away",
         {"alan"},
         {"0s step 1", "0s told ada,grace,tony by inbox,slack,email", "10m skipped 2: alan is absent", "10m step 3",
          "10m told edsger by inbox", "35m expired 4"}},
        {"the first step's",
         {"ada", "grace", "tony"},
         {"0s skipped 1: ada is absent,grace is absent,tony is absent", "0s step 2", "0s told alan by inbox", "5m step 3",
          "5m told edsger by inbox", "35m expired 2"}},
        {"nobody is left",
         {"ada", "grace", "tony", "alan", "edsger"},
         {"0s skipped 1: ada is absent,grace is absent,tony is absent", "0s skipped 2: alan is absent",
          "0s skipped 3: ada is absent,grace is absent,edsger is absent,oscar is no approver", "0s undeliverable 0"}},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(played_by(finance, people, r.absent) == r.happens);
    }
}

TEST_CASE("reminders are played too")
{
    workflow w = flow("w", 1, {{{"person:ada"}, 10min}});
    w.steps[0].remind = 4min;
    w.steps[0].via = {"email"};
    CHECK(played_by(w, town(), {}) == lines{"0s step 1", "0s told ada by inbox,email", "4m reminded ada by inbox,email",
                                            "8m reminded ada by inbox,email", "10m expired 1"});
}

TEST_CASE("why a step reaches nobody")
{
    auto some = everybody();
    one_of(some, alan).status = person_status::disabled;
    one_of(some, tony).has_passkey = false;
    const directory people = town(std::move(some), rota({"zoe"}));
    struct row {
        const char* whom;
        const char* owner;
        std::vector<std::string> excluded;
        const char* why;
    };
    const row rows[] = {
        {"person:alan", "ada", {}, "alan is disabled"},
        {"person:tony", "ada", {}, "tony has no passkey"},
        {"person:oscar", "ada", {}, "oscar is no approver"},
        {"person:ada", "ada", {"owner"}, "ada is excluded by the workflow's `not`"},
        {"person:zoe", "ada", {}, "there is no person zoe"},
        {"team:empty", "ada", {}, "nobody is in team empty"},
        {"schedule:on-call", "ada", {}, "nobody is on call in on-call"},
        {"schedule:unknown", "ada", {}, "nobody is on call in unknown"},
        {"owner", "team:empty", {}, "nobody is team:empty"},
    };
    for (const row& r : rows) {
        CAPTURE(r.whom);
        const workflow w = flow("w", 1, {{{r.whom}, 10min}, {{"person:grace"}, 10min}}, r.excluded);
        CHECK(played_by(w, people, {}, r.owner) ==
              lines{std::string("0s skipped 1: ") + r.why, "0s step 2", "0s told grace by inbox", "20m expired 1"});
    }
    agent nobodys;
    const auto events = simulate(flow("w", 1, {{{"owner"}, 10min}}), nobodys, people, {}, t0);
    CHECK(std::get<played::step_skipped>(events.at(0).what).why == lines{"whose agent it is was not said"});
}

TEST_CASE("shifts change while it runs")
{
    workflow w = flow("w", 1, {{{"person:tony"}, 10min}, {{"schedule:on-call"}, 2h}});
    w.steps[1].via = {"slack"};
    CHECK(played_by(w, town(everybody(), rota({"ada", "grace"}, 1h))) ==
          lines{"0s step 1", "0s told tony by inbox", "10m step 2", "10m told ada by inbox,slack", "1h on-call: grace",
                "1h told grace by inbox,slack", "2h on-call: ada", "130m expired 3"});
    CHECK(played_by(w, town(everybody(), rota({"ada", "grace"}, 1h)), {"grace"}) ==
          lines{"0s step 1", "0s told tony by inbox", "10m step 2", "10m told ada by inbox,slack", "1h on-call: grace", "2h on-call: ada",
                "130m expired 2"});
}

TEST_CASE("a hundred days in no time")
{
    const workflow w = flow("w", 1, {{{"schedule:on-call"}, 24h * 50}, {{"schedule:on-call", "team:risk"}, 24h * 50}});
    const auto events = played_by(w, town(everybody(), rota({"ada", "grace", "edsger"}, 1h)));
    CHECK(events.size() == 2 + 2399 + 2 + 2 + 1);  // step 1 and ada, every hour, grace, edsger, step 2 and tony, the end
    CHECK(events.back() == "100d expired 4");
}

TEST_CASE("what never ends is cut")
{
    const workflow w = flow("w", 1, {{{"schedule:on-call"}, 24h * 365}});
    const auto events = simulate(w, bot(), town(everybody(), rota({"ada", "grace"}, 1min)), {}, t0);
    CHECK(events.size() < 10'100);
    CHECK(std::get<played::ended>(events.back().what).how == hold_status::held);
}
