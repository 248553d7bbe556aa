// What the page's API says and does of places, deputies, the last approver and the glass, against a real database.
#include "gateway/canonical/json.hpp"
#include "gateway/canonical/sha256.hpp"
#include "storage/session_store.hpp"
#include "tests/gateway/people/scene.hpp"

#include <string>
#include <vector>

namespace sallyport::people {
namespace {

using namespace testing;

struct office : scene {
    office()
    {
        in([&](storage::transaction& tx) {
            storage::person_store::add_team(tx, "legal").value();
            storage::person_store::join_team(tx, "legal", "grace").value();
            storage::person_store::join_team(tx, "legal", "olaf").value();
        });
    }
    boost::json::object shown_to(const std::string& handle, hold_id id)
    {
        return boost::json::parse(ask(&show_hold, handle, {{"holds", id.text()}, "", {}}).body).as_object().at("hold").as_object();
    }
    void away(const std::string& handle, const std::string& deputy)
    {
        in([&](storage::transaction& tx) {
            const auto now = tx.now();
            storage::person_store::set_absence(tx, handle, {now - 1h, now + 1h, deputy}).value();
        });
    }
    reply states_loudly(const std::string& handle, hold_id id, const std::string& more)
    {
        return ask(&make_statement, handle,
                   {{"holds", id.text(), "statement"}, R"({"decision":"approve","break_glass":true)" + more + "}", {}});
    }
    std::string last_entry()
    {
        return ask(
            "SELECT data FROM (SELECT id, data FROM audit_pending) AS a WHERE data::text LIKE '%statement%' ORDER BY id DESC LIMIT 1");
    }
};

}  // namespace

TEST_CASE_FIXTURE(office, "one of each team, and what is missing in words")
{
    const auto id = hold_for({.approvals = 2, .whom = {"team:finance", "team:legal"}, .places = {{"team:finance", 1}, {"team:legal", 1}}});
    auto h = shown_to("ada", id);
    CHECK(boost::json::serialize(h.at("workflow").at("missing")) == R"(["one more of team finance","one more of team legal"])");
    CHECK(h.at("approvals").at("needed").as_int64() == 2);
    CHECK(outcome(decides("ada", id)) == "201");
    h = shown_to("grace", id);
    CHECK(boost::json::serialize(h.at("workflow").at("missing")) == R"(["one more of team legal"])");
    CHECK(boost::json::serialize(h.at("workflow").at("places")) ==
          R"([{"of":"team finance","needed":1,"given":1},{"of":"team legal","needed":1,"given":0}])");
    CHECK(outcome(decides("grace", id)) == "201");
    CHECK(read(id).status == hold_status::approved);
}

TEST_CASE_FIXTURE(office, "the ladder says who is asked when, and what is now")
{
    const auto id = hold_for({.whom = {"team:finance"}, .later = {"team:legal"}});
    away("olaf", "stranger");
    const auto h = shown_to("ada", id);
    const auto& steps = h.at("workflows").at(0).at("ladder").as_array();
    REQUIRE(steps.size() == 2);
    CHECK(steps[0].at("state").as_string() == "now");
    CHECK(steps[0].at("begins_at") == h.at("created_at"));
    CHECK(steps[0].at("people").as_array().size() == 2);
    CHECK(steps[1].at("state").as_string() == "later");
    CHECK(steps[1].at("begins_at") == steps[0].at("ends_at"));
    CHECK(steps[1].at("begins_at") == h.at("workflow").at("next_step_at"));
    CHECK(steps[1].at("ends_at") == h.at("expires_at"));
    const auto& stands_in = steps[1].at("people").at(1);
    CHECK(stands_in.at("handle").as_string() == "stranger");
    CHECK(stands_in.at("in_place_of").at(0).at("handle").as_string() == "olaf");
    // Lists are without.
    const auto list = boost::json::parse(ask(&list_holds, "ada", {{"holds"}, "", {}}).body);
    CHECK_FALSE(list.at("holds").at(0).at("workflows").at(0).as_object().contains("ladder"));
}

TEST_CASE_FIXTURE(office, "a deputy decides in somebody's place, and it is written so")
{
    const auto id = hold_for({.approvals = 2});
    CHECK(outcome(state("stranger", id)) == "no-hold");
    away("grace", "stranger");
    const auto before = shown_to("stranger", id);
    CHECK(before.at("may_decide").as_bool());
    CHECK(before.at("in_place_of").at(0).at("name").as_string() == "Name of grace");
    CHECK(outcome(decides("stranger", id)) == "201");
    CHECK(shown_to("ada", id).at("decisions").at(0).at("in_place_of").at(0).at("handle").as_string() == "grace");
    CHECK(shown_to("grace", id).at("why_not").as_string() == "Name of stranger has decided in your place.");
    CHECK(outcome(state("grace", id)) == "not-eligible");
    CHECK(ask("SELECT in_place_of FROM decisions") == "{grace}");
    // Two at the same place never count twice.
    CHECK(read(id).approvals_given() == 1);
}

TEST_CASE_FIXTURE(office, "being away is one's own to say, recorded, and a deputy is named by a passkey's session only")
{
    const auto now = in([](storage::transaction& tx) { return tx.now(); });
    const auto until = format_rfc3339(now + 24h);
    const auto session = [&](storage::session_by by) {
        const std::string token = by == storage::session_by::oidc ? "by the provider" : "by the passkey";
        in([&](storage::transaction& tx) {
            const auto ada = storage::person_store::by_handle(tx, "ada").value();
            storage::session_store::create(tx, {std::string(sha256(token).view()), ada.id, {}, tx.now() + 1h, by, {}});
        });
        return token;
    };
    const std::string passkey = session(storage::session_by::passkey), provider = session(storage::session_by::oidc);
    const auto put = [&](const std::string& body, const std::string& token) {
        return ask(&put_absence, "ada", {{"me", "absence"}, body, {}, token});
    };
    struct row {
        const char* name;
        std::string body;
        const std::string* token;
        const char* then;
    };
    const std::string good = R"({"until":")" + until + R"(","deputy":"grace"})";
    const row rows[] = {
        {"nothing", "{}", &passkey, "malformed-request"},
        {"no time", R"({"until":"tomorrow"})", &passkey, "malformed-request"},
        {"something else", R"({"until":")" + until + R"(","for":"ever"})", &passkey, "malformed-request"},
        {"nobody", R"({"until":")" + until + R"(","deputy":"zoe"})", &passkey, "not-found"},
        {"an auditor", R"({"until":")" + until + R"(","deputy":"auditor"})", &passkey, "conflict"},
        {"oneself", R"({"until":")" + until + R"(","deputy":"ada"})", &passkey, "malformed-request"},
        {"over already", R"({"from":"2020-01-01T00:00:00Z","until":"2020-01-02T00:00:00Z"})", &passkey, "malformed-request"},
        {"a deputy by a provider's session", good, &provider, "not-permitted"},
        {"nobody by a provider's session", R"({"until":")" + until + "\"}", &provider, "200"},
        {"a deputy", good, &passkey, "200"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(outcome(put(r.body, *r.token)) == r.then);
    }
    const auto me = boost::json::parse(put(good, passkey).body).at("person");
    CHECK(me.at("away").at("deputy").as_string() == "grace");
    CHECK(put(good, passkey).directory_generation > 0);
    CHECK(ask("SELECT count(*) FROM audit_pending WHERE kind = 'admin' AND data::text LIKE '%person.absent%'") == "4");
    CHECK(outcome(ask(&delete_absence, "ada", {{"me", "absence"}, "", {}, passkey})) == "200");
    CHECK(outcome(ask(&delete_absence, "ada", {{"me", "absence"}, "", {}, passkey})) == "not-found");
    CHECK(ask("SELECT count(*) FROM audit_pending WHERE kind = 'admin' AND data::text LIKE '%person.back%'") == "1");
}

TEST_CASE_FIXTURE(office, "breaking the glass is a statement of its own, and nothing less opens it")
{
    const auto id = hold_for({.approvals = 3, .excluded = {"person:olaf"}, .needed = assurance::session, .glass = {"person:olaf"}});
    CHECK(shown_to("olaf", id).at("may_break_glass").as_bool());
    CHECK_FALSE(shown_to("olaf", id).at("may_decide").as_bool());
    CHECK_FALSE(shown_to("ada", id).at("may_break_glass").as_bool());
    struct row {
        const char* name;
        const char* who;
        const char* more;
        const char* then;
    };
    for (const row& r : {row{"without a reason", "olaf", "", "malformed-request"},
                         row{"with an empty one", "olaf", R"(,"reason":" ")", "malformed-request"},
                         row{"not named", "ada", R"(,"reason":"fire")", "not-eligible"}}) {
        CAPTURE(r.name);
        CHECK(outcome(states_loudly(r.who, id, r.more)) == r.then);
    }
    CHECK(outcome(ask(&make_statement, "olaf",
                      {{"holds", id.text(), "statement"}, R"({"decision":"deny","reason":"x","break_glass":true})", {}})) ==
          "malformed-request");

    const auto stated = states_loudly("olaf", id, R"(,"reason":"fire")");
    REQUIRE(stated.status == 200);
    CHECK(text_of(stated, "statement").find(R"("slot":"break-glass")") != std::string::npos);
    // The workflow is content with a session; this is not.
    CHECK(outcome(answer("olaf", id, text_of(stated, "statement"), nullptr)) == "assurance-too-low");
    // Somebody else's hands.
    CHECK(outcome(answer("ada", id, text_of(stated, "statement"), passkeys.at("ada").get(text_of(stated, "sha256"), {}))) ==
          "not-eligible");
    CHECK(outcome(decides("ada", id)) == "201");
    const auto done = sign("olaf", id, stated);  // somebody approved meanwhile: it is no place in the quorum
    REQUIRE(outcome(done) == "201");
    REQUIRE(done.glass_broken);
    CHECK(done.approved == id);
    const hold after = read(id);
    CHECK(after.status == hold_status::approved);
    REQUIRE(after.glass_broken());
    CHECK(after.glass_broken()->reason == "fire");
    CHECK(shown_to("ada", id).at("decisions").at(1).at("break_glass").as_bool());
    CHECK(ask("SELECT count(*) FROM audit_pending WHERE kind = 'decision' AND data::json->>'break_glass' = 'true'") == "1");
    // Nothing is broken twice.
    CHECK(outcome(states_loudly("olaf", id, R"(,"reason":"fire")")) == "hold-closed");
}

TEST_CASE_FIXTURE(office, "an ordinary statement opens no glass, and a denial is stronger")
{
    const auto id = hold_for({.approvals = 2, .glass = {"person:ada", "person:olaf"}});
    const auto loud = states_loudly("olaf", id, R"(,"reason":"fire")");
    CHECK(outcome(decides("grace", id, "deny")) == "201");
    CHECK(outcome(sign("olaf", id, loud)) == "hold-closed");
    CHECK(read(id).status == hold_status::denied);

    const auto other = hold_for({.approvals = 2, .glass = {"person:ada"}});
    CHECK(outcome(decides("ada", other)) == "201");
    CHECK(read(other).status == hold_status::held);
    CHECK_FALSE(read(other).decisions.at(0).break_glass);
    CHECK(outcome(states_loudly("ada", other, R"(,"reason":"fire")")) == "not-eligible");  // decided already
}

TEST_CASE_FIXTURE(office, "whoever approved the agent's last call does not approve the next")
{
    const auto first = hold_for({.excluded = {"last-approver"}}), second = hold_for({.excluded = {"last-approver"}});
    const auto stated = state("ada", second);
    CHECK(stated.status == 200);
    CHECK(outcome(decides("ada", first)) == "201");
    // The statement was made before: what counts is the moment of deciding.
    CHECK(outcome(sign("ada", second, stated)) == "not-eligible");
    CHECK(shown_to("ada", second).at("why_not").as_string() ==
          "You approved this agent's last call under this workflow, and this one needs somebody else.");
    CHECK(outcome(decides("grace", second)) == "201");
    CHECK(outcome(decides("ada", hold_for({.excluded = {"last-approver"}}))) == "201");
}

}  // namespace sallyport::people
