#include "workflows/agent.hpp"
#include "workflows/hold.hpp"
#include "workflows/person.hpp"
#include "workflows/workflow.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace sallyport;

TEST_CASE("the contract's words and the enumerators find each other")
{
    const auto both_ways = []<class Enum>(const std::vector<std::string>& words, std::optional<Enum> (*find)(std::string_view) noexcept,
                                          std::string_view (*name)(Enum) noexcept) {
        for (std::size_t i = 0; i < words.size(); ++i) {
            CAPTURE(words[i]);
            CHECK(name(static_cast<Enum>(i)) == words[i]);
            CHECK(find(words[i]) == static_cast<Enum>(i));
        }
        CHECK(name(static_cast<Enum>(words.size())).empty());
        for (const char* odd : {"", "Active", "held ", "none"}) CHECK_FALSE(find(odd));
    };
    both_ways.operator()<agent_class>({"personal", "consumer", "workforce", "digital-worker"}, agent_class_named, name_of);
    both_ways.operator()<agent_status>({"active", "suspended", "revoked"}, agent_status_named, name_of);
    both_ways.operator()<role>({"approver", "operator", "auditor"}, role_named, name_of);
    both_ways.operator()<person_status>({"active", "disabled"}, person_status_named, name_of);
    both_ways.operator()<hold_status>(
        {"held", "approved", "releasing", "released", "denied", "expired", "withdrawn", "undeliverable", "void", "unknown"},
        hold_status_named, name_of);
    both_ways.operator()<verdict_kind>({"allow", "hold", "deny"}, verdict_named, name_of);
    both_ways.operator()<decision_kind>({"approve", "deny"}, decision_named, name_of);
    both_ways.operator()<assurance>({"click", "session", "passkey"}, assurance_named, name_of);
}

TEST_CASE("what may be a name")
{
    struct row {
        const char* name;
        std::string text;
        bool valid;
    };
    const row rows[] = {
        {"plain", "refund-bot", true},
        {"one letter", "a", true},
        {"begins with a digit", "2fa", true},
        {"dots and underscores", "a.b_c", true},
        {"64", std::string(64, 'a'), true},
        {"65", std::string(65, 'a'), false},
        {"empty", "", false},
        {"upper case", "Ada", false},
        {"begins with a hyphen", "-a", false},
        {"begins with a dot", ".a", false},
        {"space", "a b", false},
        {"colon", "team:a", false},
        {"slash", "a/b", false},
        {"NUL", std::string("a\0b", 3), false},
        {"not ASCII", "ä", false},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(valid_name(r.text) == r.valid);
    }
}

TEST_CASE("owners and targets are read as they are written")
{
    CHECK(owner_name::parse("ada") == owner_name{owner_name::kind::person, "ada"});
    CHECK(owner_name::parse("team:finance") == owner_name{owner_name::kind::team, "finance"});
    CHECK(owner_name::parse("team:finance")->text() == "team:finance");
    for (const char* bad : {"", "team:", "team:A", "person:ada", "Ada", "team:team:a"}) {
        CAPTURE(bad);
        CHECK_FALSE(owner_name::parse(bad));
    }
    for (const char* word : {"owner", "person:ada", "team:finance", "schedule:finance-on-call"}) {
        CAPTURE(word);
        REQUIRE(target::parse(word));
        CHECK(target::parse(word)->text() == word);
    }
    for (const char* bad : {"", "ada", "owner:", "owner:ada", "person", "person:", "team:A b", "group:x", "Team:finance", ":x"}) {
        CAPTURE(bad);
        CHECK_FALSE(target::parse(bad));
    }
}

TEST_CASE("a workflow is as long as its steps together")
{
    using namespace std::chrono_literals;
    workflow w;
    CHECK(w.length() == 0s);
    w.steps = {{{}, {}, 10min}, {{}, {}, 20min}};
    CHECK(w.length() == 30min);
}

TEST_CASE("a hold counts distinct people, and those only where they count")
{
    hold h;
    CHECK(h.current().asks.name.empty());  // of nothing
    demand two, risk;
    two.asks.name = "two";
    two.asks.approvals = 2;
    risk.asks.name = "risk";
    risk.asks.assurance = assurance::session;
    two.asks.assurance = assurance::click;
    h.demands = {two, risk};
    CHECK(h.approvals_needed() == 2);
    CHECK(h.assurance_needed() == assurance::session);
    const auto person = [](std::uint8_t n) {
        ulid_bytes b{};
        b[0] = n;
        return person_id::from_bytes(b);
    };
    h.decisions.push_back({{}, person(1), decision_kind::approve, "fine", {}, {}, {"two"}});
    h.decisions.push_back({{}, person(1), decision_kind::approve, "again", {}, {}, {"two"}});
    CHECK(h.given(h.demands[0]) == 1);
    CHECK(h.given(h.demands[1]) == 0);
    CHECK(h.current().asks.name == "two");
    h.decisions.push_back({{}, person(2), decision_kind::approve, "", {}, {}, {"two", "risk"}});
    CHECK(h.satisfied(h.demands[0]));
    CHECK(h.satisfied(h.demands[1]));
    CHECK(h.current().asks.name == "risk");
    CHECK(h.approvals_given() == 1);
    CHECK(h.reason_given() == "again");
    CHECK(h.decided_by(person(2)) == &h.decisions[2]);
    CHECK(h.decided_by(person(3)) == nullptr);
    CHECK_FALSE(h.denied());
    h.decisions.push_back({{}, person(4), decision_kind::deny, "no", {}, {}, {"two"}});
    CHECK(h.denied());
    CHECK(h.reason_given() == "no");
    CHECK(h.given(h.demands[0]) == 2);  // a denial is no approval
}

TEST_CASE("which states are the end")
{
    for (const auto open : {hold_status::held, hold_status::approved, hold_status::releasing}) CHECK_FALSE(closed(open));
    for (const auto end : {hold_status::released, hold_status::denied, hold_status::expired, hold_status::withdrawn,
                           hold_status::undeliverable, hold_status::void_, hold_status::unknown})
        CHECK(closed(end));
}
