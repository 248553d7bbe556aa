#include "gateway/notify/notices.hpp"

#include "gateway/identity/decision_token.hpp"
#include "gateway/notify/backoff.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::notify;
using namespace std::chrono_literals;
using storage::message_kind;
using storage::outbox_entry;
using storage::outbox_state;

namespace {

template <class Id>
Id some_id(std::uint8_t n)
{
    ulid_bytes raw{};
    raw.back() = n;
    return Id::from_bytes(raw);
}

const time_point t0 = time_point(1'800'000'000'000'000us);

const composing plain{"", "", false, t0};

person some_person(std::uint8_t n, std::string handle)
{
    person p;
    p.id = some_id<person_id>(n);
    p.handle = handle;
    p.name = "Name of " + handle;
    p.email = handle + "@example.com";
    p.roles = {role::approver};
    p.has_passkey = true;
    return p;
}

struct world {
    world()
    {
        agent bot;
        bot.id = some_id<agent_id>(9);
        bot.name = "refund-bot";
        bot.owner = owner_name{owner_name::kind::person, "ada"};
        people = directory(1, {some_person(1, "ada"), some_person(2, "grace")}, {}, {bot});
        hold& h = stored.hold;
        h.id = some_id<hold_id>(3);
        h.action = some_id<action_id>(4);
        h.agent = bot.id;
        h.owner = bot.owner;
        h.route = "payments";
        h.reasons = {{"refunds-over-500", "Refund 900 EUR"}};
        h.demands = {{workflow{"finance", 2, assurance::passkey, {}, {{{target{target::kind::owner, ""}}, {"ops"}, 10min}}}}};
        h.created_at = t0;
        h.expires_at = t0 + 10min;
        stored.action.method = "POST";
        stored.action.authority = "api.payments.example";
        stored.action.target = "/v1/refunds";
        asked.key = h.id.text() + "/email/" + some_id<person_id>(1).text();
        asked.channel = "email";
        asked.hold = h.id;
        asked.person = some_id<person_id>(1);
        ended.key = asked.key + "/ended";
        ended.channel = asked.channel;
        ended.hold = asked.hold;
        ended.person = asked.person;
        ended.what = message_kind::ended;
    }
    void decide(std::uint8_t who, decision_kind kind)
    {
        decision d;
        d.id = some_id<decision_id>(who);
        d.by = some_id<person_id>(who);
        d.kind = kind;
        d.reason = kind == decision_kind::deny ? "twice already" : "";
        d.counts_in = {"finance"};
        stored.hold.decisions.push_back(d);
    }
    void close(hold_status how)
    {
        stored.hold.status = how;
        stored.hold.closed_at = t0 + 1min;
    }

    directory people;
    storage::stored_hold stored;
    outbox_entry asked, ended;
};

std::string why_not_needed(const composition& c)
{
    const auto* no = std::get_if<not_needed>(&c);
    return no ? std::string(no->why) : std::string();
}

}  // namespace

TEST_CASE("a message that asks says what the hold is, and where it is decided")
{
    world w;
    const auto c = compose(w.asked, {}, w.stored, w.people, {"https://gate.example", "", false, t0});
    REQUIRE(std::holds_alternative<notifiers::notice>(c));
    const auto& n = std::get<notifiers::notice>(c);
    CHECK(n.key == w.asked.key);
    CHECK(n.what == notifiers::notice::kind::asked);
    REQUIRE(n.to);
    CHECK(n.to->email == "ada@example.com");
    CHECK(n.agent == "refund-bot");
    CHECK(n.owner == "ada");
    CHECK(sentence(n) == "Refund 900 EUR");
    CHECK(n.workflows == std::vector<std::string>{"finance"});
    CHECK(n.approvals_needed == 2);
    CHECK(n.link == "https://gate.example/holds/" + w.stored.hold.id.text());
    CHECK(n.earlier_ref.empty());
}

TEST_CASE("what is over is not asked any more")
{
    world w;
    SUBCASE("the hold is gone") { CHECK(why_not_needed(compose(w.asked, {}, {}, w.people, plain)) == "its hold is not there"); }
    SUBCASE("decided")
    {
        w.close(hold_status::denied);
        CHECK(why_not_needed(compose(w.asked, {}, w.stored, w.people, plain)) == "it was over before it could be told");
    }
    SUBCASE("by this person")
    {
        w.decide(1, decision_kind::approve);
        CHECK(why_not_needed(compose(w.asked, {}, w.stored, w.people, plain)) == "the person has decided already");
    }
    SUBCASE("a stranger")
    {
        w.asked.person = some_id<person_id>(77);
        CHECK(why_not_needed(compose(w.asked, {}, w.stored, w.people, plain)) == "the person is not there");
    }
}

TEST_CASE("word of the end goes to those who were told, after they were told")
{
    world w;
    w.close(hold_status::released);
    w.stored.hold.outcome = hold_outcome{201, t0 + 1min};
    w.decide(1, decision_kind::approve);
    w.decide(2, decision_kind::approve);
    struct row {
        const char* name;
        outbox_state state;
        bool told, early;
    };
    const row rows[] = {{"on its way", outbox_state::pending, false, true},
                        {"told", outbox_state::sent, true, false},
                        {"never told", outbox_state::skipped, false, false},
                        {"could not be told", outbox_state::dead, false, false}};
    for (const row& r : rows) {
        CAPTURE(r.name);
        w.asked.state = r.state;
        w.asked.message_ref = "C1/169.1";
        const auto c = compose(w.ended, w.asked, w.stored, w.people, plain);
        CHECK(std::holds_alternative<too_early>(c) == r.early);
        REQUIRE(std::holds_alternative<notifiers::notice>(c) == r.told);
        if (!r.told) continue;
        const auto& n = std::get<notifiers::notice>(c);
        CHECK(n.earlier_ref == "C1/169.1");
        CHECK(outcome_sentence(n) == "Approved by Name of ada and Name of grace and sent; the upstream answered 201.");
    }
    CHECK(why_not_needed(compose(w.ended, {}, w.stored, w.people, plain)) == "nobody was asked");
}

TEST_CASE("where a click suffices, the message carries what decides; where more is asked, it does not")
{
    world w;
    const std::string key(32, 'k');
    for (const auto asks : {assurance::click, assurance::session, assurance::passkey}) {
        CAPTURE(name_of(asks));
        w.stored.hold.demands.front().asks.assurance = asks;
        const auto c = compose(w.asked, {}, w.stored, w.people, {"https://gate.example", key, false, t0});
        REQUIRE(std::holds_alternative<notifiers::notice>(c));
        const auto& n = std::get<notifiers::notice>(c);
        CHECK(n.assurance == asks);
        const auto token = identity::read_decision_token(n.decision_token, key);
        REQUIRE(token.has_value() == (asks == assurance::click));
        if (!token) {
            CHECK(n.link == "https://gate.example/holds/" + w.stored.hold.id.text());
            continue;
        }
        CHECK(token->hold == w.stored.hold.id);
        CHECK(token->person == some_id<person_id>(1));
        CHECK(token->channel == "email");
        CHECK(token->expires_at == w.stored.hold.expires_at);
        CHECK(n.link == "https://gate.example/d/" + n.decision_token);
    }
}

TEST_CASE("buttons in Slack where what is pressed comes back, and nowhere else")
{
    world w;
    w.stored.hold.demands.front().asks.assurance = assurance::click;
    w.asked.channel = "slack";
    const std::string key(32, 'k');
    for (const bool answers : {false, true}) {
        const auto c = compose(w.asked, {}, w.stored, w.people, {"https://gate.example", key, answers, t0});
        REQUIRE(std::holds_alternative<notifiers::notice>(c));
        CHECK(std::get<notifiers::notice>(c).decision_token.empty() != answers);
    }
}

TEST_CASE("who is not entitled any more is told nothing")
{
    world w;
    SUBCASE("nobody asks a person who may not decide it")
    {
        w.asked.person = some_id<person_id>(2);  // grace owns nothing
        CHECK(why_not_needed(compose(w.asked, {}, w.stored, w.people, plain)) == "the person may not decide it any more");
    }
    SUBCASE("nor tells the end to one who may not read it")
    {
        w.close(hold_status::denied);
        w.asked.state = outbox_state::sent;
        w.ended.person = w.asked.person = some_id<person_id>(2);
        CHECK(why_not_needed(compose(w.ended, w.asked, w.stored, w.people, plain)) == "the person may not read it any more");
    }
}

TEST_CASE("no reminder comes before its question")
{
    world w;
    outbox_entry again = w.asked;
    again.what = message_kind::reminded;
    w.asked.state = outbox_state::pending;
    CHECK(why_not_needed(compose(again, w.asked, w.stored, w.people, plain)) == "the question is still on its way");
    w.asked.state = outbox_state::sent;
    CHECK(std::holds_alternative<notifiers::notice>(compose(again, w.asked, w.stored, w.people, plain)));
}

TEST_CASE("of a denial, who denied and why")
{
    world w;
    w.decide(2, decision_kind::approve);
    w.decide(1, decision_kind::deny);
    w.close(hold_status::denied);
    w.asked.state = outbox_state::sent;
    const auto c = compose(w.ended, w.asked, w.stored, w.people, plain);
    REQUIRE(std::holds_alternative<notifiers::notice>(c));
    CHECK(outcome_sentence(std::get<notifiers::notice>(c)) == "Denied by Name of ada: twice already");
}

TEST_CASE("pauses double, differ, end, and are what the channel asked for at least")
{
    CHECK(pause_after(1, 0, {}) == 1s);
    CHECK(pause_after(1, 0.999, {}) < 2s);
    CHECK(pause_after(2, 0, {}) == 2s);
    CHECK(pause_after(5, 0, {}) == 16s);
    CHECK(pause_after(1000, 0, {}) == longest_pause / 2);
    CHECK(pause_after(1, 0, duration(1min)) >= 1min);
    CHECK(pause_after(1, 0.5, duration(1min)) < 62s);
}
