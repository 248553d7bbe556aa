// semantics.md, "Deciding": what is checked, in that order, against a real database.
#include "tests/gateway/people/scene.hpp"

#include "gateway/canonical/sha256.hpp"
#include "storage/audit_store.hpp"

#include <future>
#include <latch>
#include <string>

namespace sallyport::people {
namespace {

using namespace testing;

std::string other_text(std::string text)
{
    text.replace(text.find("approve"), 7, "approvE");
    return text;
}

}  // namespace

TEST_CASE_FIXTURE(scene, "an approval is written with its evidence")
{
    const auto id = hold_for({});
    const auto stated = state("ada", id);
    REQUIRE(stated.status == 200);
    CHECK(text_of(stated, "sha256") == sha256(text_of(stated, "statement")).base64url());
    const auto options = boost::json::parse(stated.body).at("webauthn").as_object();
    CHECK(options.at("challenge").as_string() == text_of(stated, "sha256"));
    CHECK(options.at("userVerification").as_string() == "required");
    CHECK(options.at("rpId").as_string() == "localhost");
    CHECK(options.at("allowCredentials").as_array().size() == 1);

    const auto done = sign("ada", id, stated);
    REQUIRE(outcome(done) == "201");
    CHECK(done.approved == id);
    const auto body = boost::json::parse(done.body).as_object();
    CHECK(body.at("decision").at("by").at("handle").as_string() == "ada");
    CHECK(body.at("decision").at("assurance").as_string() == "passkey");
    CHECK(body.at("hold").at("status").as_string() == "approved");
    CHECK(body.at("hold").at("request").at("body").at("text").as_string() == R"({"amount":900})");
    CHECK(read(id).status == hold_status::approved);
    CHECK(ask("SELECT count(*) FROM evidence") == "1");
}

TEST_CASE_FIXTURE(scene, "one denial closes, and its reason is kept")
{
    const auto id = hold_for({.approvals = 2});
    CHECK(outcome(decides("ada", id)) == "201");
    const auto stated =
        ask(&make_statement, "grace", {{"holds", id.text(), "statement"}, R"({"decision":"deny","reason":"not ours"})", {}});
    const auto done = sign("grace", id, stated);
    CHECK(outcome(done) == "201");
    REQUIRE(done.closed.size() == 1);
    CHECK(done.closed[0].status == hold_status::denied);
    CHECK(read(id).reason_given() == "not ours");
}

TEST_CASE_FIXTURE(scene, "what is no statement's request")
{
    const auto id = hold_for({});
    struct row {
        const char* name;
        std::string body;
    };
    for (const row& r : {row{"nothing", ""}, row{"no decision", R"({"reason":"x"})"}, row{"another decision", R"({"decision":"maybe"})"},
                         row{"a grant", R"({"decision":"approve","grant":{}})"}, row{"something else", R"({"decision":"approve","x":1})"},
                         row{"a reason of no text", R"({"decision":"approve","reason":1})"},
                         row{"a reason with controls", R"({"decision":"approve","reason":"\u0007"})"},
                         row{"too long a reason", R"({"decision":"approve","reason":")" + std::string(2001, 'x') + "\"}"}}) {
        CAPTURE(r.name);
        CHECK(outcome(ask(&make_statement, "ada", {{"holds", id.text(), "statement"}, r.body, {}})) == "malformed-request");
    }
    CHECK(outcome(ask(&make_statement, "ada", {{"holds", id.text(), "statement"}, R"({"decision":"deny","reason":"a\n\tb"})", {}})) ==
          "200");
}

TEST_CASE_FIXTURE(scene, "a hold that may not be read is none, to the byte")
{
    const auto id = hold_for({});
    const auto unknown = storage::some_id<hold_id>(999);
    for (const auto resource : {&make_statement, &decide, &take_back, &show_hold}) {
        const std::string body = resource == &decide ? R"({"statement":"x"})" : R"({"decision":"approve"})";
        const auto path = [&](const std::string& hold) {
            return std::vector<std::string>{"holds", hold, "decisions", storage::some_id<decision_id>(1).text()};
        };
        const auto hidden = ask(resource, "stranger", {path(id.text()), body, {}});
        CHECK(outcome(hidden) == "no-hold");
        for (const std::string& other : {unknown.text(), std::string("hld_x"), std::string("x")}) {
            const auto none = ask(resource, "stranger", {path(other), body, {}});
            CHECK(none.status == hidden.status);
            CHECK(none.body == hidden.body);
        }
    }
}

TEST_CASE_FIXTURE(scene, "who may not decide, and what is closed")
{
    add("olga", role::operator_, true);
    struct row {
        const char* name;
        asks what;
        const char* who;
        const char* then;
    };
    const row rows[] = {
        {"asked", {}, "ada", "200"},
        {"an auditor in the team", {}, "auditor", "not-eligible"},
        {"an operator in the team", {}, "olga", "not-eligible"},
        {"the owner, who may read it", {}, "olaf", "not-eligible"},
        {"the owner, asked and excluded", {.whom = {"owner", "team:finance"}, .excluded = {"owner"}}, "olaf", "not-eligible"},
        {"the owner, asked", {.whom = {"owner", "team:finance"}}, "olaf", "200"},
        {"asked by a later step", {.later = {"person:stranger"}}, "stranger", "not-eligible"},
        {"excluded by name", {.excluded = {"person:ada"}}, "ada", "not-eligible"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto id = hold_for(r.what);
        CHECK(outcome(state(r.who, id)) == r.then);
        if (std::string(r.then) == "200") continue;
        CHECK(outcome(answer(r.who, id, "anything", nullptr)) == r.then);
        // Closed comes first: it is the same for everybody who may read it.
        CHECK(outcome(decides("grace", id, "deny")) == "201");
        CHECK(outcome(state(r.who, id)) == "hold-closed");
        CHECK(outcome(answer(r.who, id, "anything", nullptr)) == "hold-closed");
    }
    const auto id = hold_for({.approvals = 2});
    CHECK(outcome(decides("ada", id)) == "201");
    CHECK(outcome(state("ada", id)) == "not-eligible");  // has decided already
    sql("UPDATE holds SET expires_at = now() - interval '1 second', created_at = now() - interval '1 hour' WHERE id = '" + id.text() + "'");
    CHECK(outcome(state("grace", id)) == "hold-closed");
}

TEST_CASE_FIXTURE(scene, "a statement that is not this one, or no longer good")
{
    const auto id = hold_for({.approvals = 3}), other = hold_for({});
    const auto stated = state("ada", id);
    const std::string text = text_of(stated, "statement"), hash = text_of(stated, "sha256");
    const auto proof = [&](const std::string& who) { return passkeys.at(who).get(hash); };

    CHECK(outcome(answer("ada", id, "", proof("ada"))) == "bad-assertion");
    CHECK(outcome(answer("ada", id, other_text(text), proof("ada"))) == "bad-assertion");
    CHECK(outcome(answer("grace", id, text, proof("grace"))) == "bad-assertion");
    CHECK(outcome(answer("ada", other, text, proof("ada"))) == "bad-assertion");
    CHECK(ask("SELECT count(*) FROM challenges") == "0");  // nobody's answer to it

    // Somebody else has filled its place: nothing of it was wrong.
    const auto graces = state("grace", id);
    CHECK(outcome(answer("ada", id, text, proof("ada"))) == "201");
    CHECK(outcome(sign("grace", id, graces)) == "statement-stale");
    CHECK(outcome(decides("grace", id)) == "201");

    config->limits.statement = 0s;
    const auto late = hold_for({});
    CHECK(outcome(decides("ada", late)) == "statement-stale");
}

TEST_CASE_FIXTURE(scene, "the proof that is needed")
{
    const auto strict = hold_for({}), easy = hold_for({.needed = assurance::session});
    const auto stated = state("ada", strict);
    CHECK(outcome(answer("ada", strict, text_of(stated, "statement"), nullptr)) == "assurance-too-low");
    CHECK(outcome(sign("ada", strict, stated)) == "201");  // that did not use it
    const auto light = answer("ada", easy, text_of(state("ada", easy), "statement"), nullptr);
    CHECK(outcome(light) == "201");
    CHECK(boost::json::parse(light.body).at("decision").at("assurance").as_string() == "session");
    for (const char* body : {R"({})", R"({"statement":1})", R"({"statement":"x","assertion":1})", R"({"statement":"x","other":1})"})
        CHECK(outcome(ask(&decide, "ada", {{"holds", hold_for({}).text(), "decisions"}, body, {}})) == "malformed-request");
}

TEST_CASE_FIXTURE(scene, "an assertion that does not verify decides nothing, is in the record, and has used the statement")
{
    struct row {
        const char* name;
        tweak what;
    };
    boost::json::object framed{{"crossOrigin", true}};
    const row rows[] = {
        {"another challenge", {.challenge = base64url("x")}},
        {"another origin", {.origin = "http://localhost:9999"}},
        {"inside another page", {.client_data = framed}},
        {"another site", {.rp_id = "example.com"}},
        {"another kind", {.type = "webauthn.create"}},
        {"nobody there", {.flags = user_verified}},
        {"nobody verified", {.flags = user_present}},
        {"somebody else's passkey", {.id = "credential of grace"}},
        {"nobody's passkey", {.id = "unknown"}},
        {"another user handle", {.user_handle = "x"}},
        {"another signature", {.broken_signature = true}},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto id = hold_for({});
        const auto stated = state("ada", id);
        CHECK(outcome(sign("ada", id, stated, r.what)) == "bad-assertion");
        CHECK(read(id).decisions.empty());
        CHECK(ask("SELECT data FROM audit_pending WHERE kind = 'decision' AND hold = '" + id.text() + "'").find("bad-assertion") !=
              std::string::npos);
        CHECK(outcome(sign("ada", id, stated)) == "statement-stale");
        CHECK(outcome(decides("ada", id)) == "201");
    }
}

TEST_CASE_FIXTURE(scene, "a passkey's counter grows, or stays at nothing")
{
    struct row {
        const char* name;
        std::uint32_t first, second;
        const char* then;
    };
    for (const row& r : {row{"none is kept", 0, 0, "201"}, row{"it grows", 7, 8, "201"}, row{"it stays", 7, 7, "bad-assertion"},
                         row{"it falls", 7, 3, "bad-assertion"}, row{"it is lost", 7, 0, "bad-assertion"}}) {
        CAPTURE(r.name);
        sql("UPDATE passkeys SET sign_count = 0");
        const auto one = hold_for({}), two = hold_for({});
        CHECK(outcome(sign("ada", one, state("ada", one), {.count = r.first})) == "201");
        CHECK(outcome(sign("ada", two, state("ada", two), {.count = r.second})) == r.then);
    }
}

TEST_CASE_FIXTURE(scene, "one's own decision is taken back while it is held")
{
    const auto id = hold_for({.approvals = 2});
    const auto first = boost::json::parse(decides("ada", id).body).at("decision").at("id").as_string();
    const auto back = [&](const std::string& who, const std::string& decision) {
        return outcome(ask(&take_back, who, {{"holds", id.text(), "decisions", decision}, "", {}}));
    };
    CHECK(back("ada", "x") == "not-found");
    CHECK(back("grace", std::string(first)) != "200");
    CHECK(back("ada", std::string(first)) == "200");
    CHECK(read(id).decisions.empty());
    CHECK(outcome(decides("ada", id)) == "201");
    CHECK(outcome(decides("grace", id)) == "201");
    CHECK(back("ada", read(id).decided_by(*person_id::parse(ask("SELECT id FROM people WHERE handle = 'ada'")))->id.text()) ==
          "hold-closed");
}

TEST_CASE_FIXTURE(scene, "two approvers at once")
{
    const auto both_decide = [&](hold_id id, const std::string& one, const std::string& other) {
        const auto first = state(one, id), second = state(other, id);
        std::latch both(2);
        const auto decide_as = [&](const std::string& who, const reply& stated) {
            both.arrive_and_wait();
            return outcome(sign(who, id, stated));
        };
        auto elsewhere = std::async(std::launch::async, [&] { return decide_as(other, second); });
        std::string here = decide_as(one, first);
        std::string there = elsewhere.get();
        return here < there ? std::pair(here, there) : std::pair(there, here);
    };
    for (int round = 0; round < 5; ++round) {
        const auto single = hold_for({}), pair = hold_for({.approvals = 2}), same = hold_for({.approvals = 2});
        // One is enough: the other comes too late.
        CHECK(both_decide(single, "ada", "grace") == std::pair<std::string, std::string>("201", "hold-closed"));
        CHECK(read(single).decisions.size() == 1);
        // Both signed for the first place: one has it, and the other signs anew.
        CHECK(both_decide(pair, "ada", "grace") == std::pair<std::string, std::string>("201", "statement-stale"));
        CHECK(read(pair).status == hold_status::held);
        const auto left = read(pair).decided_by(*person_id::parse(ask("SELECT id FROM people WHERE handle = 'ada'"))) ? "grace" : "ada";
        CHECK(outcome(decides(left, pair)) == "201");
        CHECK(read(pair).status == hold_status::approved);
        // Nobody counts twice.
        CHECK(both_decide(same, "ada", "ada") == std::pair<std::string, std::string>("201", "not-eligible"));
        CHECK(read(same).decisions.size() == 1);
    }
}

TEST_CASE_FIXTURE(scene, "the same statement twice at once decides once")
{
    const auto id = hold_for({.approvals = 2});
    const auto stated = state("ada", id);
    std::latch both(2);
    const auto again = [&] {
        both.arrive_and_wait();
        return outcome(sign("ada", id, stated));
    };
    auto elsewhere = std::async(std::launch::async, again);
    const auto here = again(), there = elsewhere.get();
    CHECK((here == "201") != (there == "201"));
    CHECK(read(id).decisions.size() == 1);
}

}  // namespace sallyport::people
