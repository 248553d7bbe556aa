// Grants as people propose, sign, see and end them.
#include "tests/gateway/people/scene.hpp"

#include "gateway/canonical/grant_text.hpp"
#include "storage/audit_store.hpp"

#include <string>

namespace sallyport::people {
namespace {

using namespace testing;

struct granting : scene {
    reply proposes(const std::string& who, hold_id id) { return ask(&propose_grant, who, {{"holds", id.text(), "grant"}, "", {}}); }
    boost::json::value proposal(const std::string& who, hold_id id)
    {
        const auto said = proposes(who, id);
        REQUIRE(outcome(said) == "200");
        return boost::json::parse(said.body).at("grant");
    }
    reply previews(const std::string& who, hold_id id, const boost::json::value& grant)
    {
        return ask(&preview_grant, who, {{"holds", id.text(), "grant"}, boost::json::serialize(boost::json::object{{"grant", grant}}), {}});
    }
    reply states(const std::string& who, hold_id id, const boost::json::value& grant, std::string_view decision = "approve")
    {
        return ask(
            &make_statement, who,
            {{"holds", id.text(), "statement"}, boost::json::serialize(boost::json::object{{"decision", decision}, {"grant", grant}}), {}});
    }
    reply grants(const std::string& who, hold_id id, const boost::json::value& grant)
    {
        const auto stated = states(who, id, grant);
        REQUIRE(outcome(stated) == "200");
        return sign(who, id, stated);
    }
    boost::json::array listed(const std::string& who, std::vector<parameter> query = {})
    {
        const auto said = ask(&list_grants, who, {{"grants"}, "", std::move(query)});
        REQUIRE(outcome(said) == "200");
        return boost::json::parse(said.body).at("grants").as_array();
    }
    reply revokes(const std::string& who, const std::string& id) { return ask(&revoke_grant, who, {{"grants", id}, "", {}}); }
    std::string left_by(hold_id id) { return scene::ask("SELECT id FROM grants WHERE hold = '" + id.text() + "'"); }
    static boost::json::object week(const reply& r) { return boost::json::parse(r.body).at("week").as_object(); }

    using scene::ask;
};

}  // namespace

TEST_CASE_FIXTURE(granting, "what is signed is the grant, to the byte, and it lasts from the approval on")
{
    const auto id = hold_for({});
    auto grant = proposal("ada", id);
    grant.as_object()["seconds"] = 600;
    const auto stated = states("ada", id, grant);
    REQUIRE(outcome(stated) == "200");
    const auto statement = boost::json::parse(text_of(stated, "statement")).as_object();
    CHECK(statement.at("grant") == grant);
    const auto done = sign("ada", id, stated);
    REQUIRE(outcome(done) == "201");
    const auto hold = boost::json::parse(done.body).at("hold").as_object();
    CHECK(boost::json::parse(done.body).at("decision").at("grant") == grant);
    CHECK(hold.at("left_grant").as_string() == left_by(id));
    CHECK(hold.at("grant").is_null());
    CHECK(ask("SELECT expires_at - created_at = interval '10 minutes' FROM grants") == "t");
    CHECK(ask("SELECT g.created_at = h.decided_at FROM grants AS g JOIN holds AS h ON h.id = g.hold") == "t");
    CHECK(ask("SELECT terms FROM grants") == terms_text(read_terms(boost::json::serialize(grant)).value()));
    CHECK(ask("SELECT count(*) FROM audit_pending WHERE data::json->>'act' = 'grant.make'") == "1");
}

TEST_CASE_FIXTURE(granting, "a grant is signed by a passkey, whatever the workflow is content with")
{
    const auto easy = hold_for({.needed = assurance::session});
    const auto grant = proposal("ada", easy);
    const auto stated = states("ada", easy, grant);
    REQUIRE(outcome(stated) == "200");
    CHECK(outcome(answer("ada", easy, text_of(stated, "statement"), nullptr)) == "assurance-too-low");
    CHECK(left_by(easy) == "");
    CHECK(outcome(grants("ada", easy, grant)) == "201");
    CHECK(left_by(easy) != "");
}

TEST_CASE_FIXTURE(granting, "what is no grant cannot be signed")
{
    const auto id = hold_for({});
    const auto good = proposal("ada", id);
    struct row {
        const char* name;
        std::function<void(boost::json::object&)> change;
    };
    const auto shape = [](boost::json::object& g) -> boost::json::object& { return g.at("shape").as_object(); };
    const row rows[] = {
        {"empty", [](auto& g) { g.clear(); }},
        {"another target", [&](auto& g) { shape(g)["target"] = "/v1/payouts"; }},
        {"another upstream", [&](auto& g) { shape(g)["authority"] = "evil.example"; }},
        {"other headers", [&](auto& g) { shape(g)["headers"] = boost::json::array{}; }},
        {"another value", [&](auto& g) { shape(g).at("fields").at(0).as_object()["equals"] = "901"; }},
        {"no end", [](auto& g) { g["seconds"] = 1'000'000'000; }},
        {"without bound", [](auto& g) { g["count"] = 1'000'000; }},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        auto grant = good.as_object();
        r.change(grant);
        CHECK(outcome(states("ada", id, grant)) == "malformed-request");
        CHECK(outcome(previews("ada", id, grant)) == "malformed-request");
    }
    CHECK(outcome(states("ada", id, good, "deny")) == "malformed-request");
    CHECK(outcome(states("ada", id, nullptr)) == "200");
    CHECK(outcome(previews("ada", id, nullptr)) == "malformed-request");
    // Who may not decide learns nothing of last week either.
    CHECK(outcome(proposes("auditor", id)) == "not-eligible");
    CHECK(outcome(proposes("stranger", id)) == "no-hold");
    CHECK(outcome(decides("ada", id)) == "201");
    CHECK(outcome(proposes("grace", id)) == "hold-closed");
    CHECK(left_by(id).empty());
}

TEST_CASE_FIXTURE(granting, "two must sign the same")
{
    struct row {
        const char* name;
        bool first, second, same;
        bool made;
    };
    for (const row& r : {row{"both", true, true, true, true}, row{"the first alone", true, false, true, false},
                         row{"the second alone", false, true, true, false}, row{"two others", true, true, false, false}}) {
        CAPTURE(r.name);
        const auto id = hold_for({.approvals = 2});
        auto grant = proposal("ada", id);
        CHECK(outcome(r.first ? grants("ada", id, grant) : decides("ada", id)) == "201");
        if (!r.same) grant.as_object()["count"] = 9;
        CHECK(outcome(r.second ? grants("grace", id, grant) : decides("grace", id)) == "201");
        CHECK(read(id).status == hold_status::approved);
        CHECK(left_by(id).empty() != r.made);
    }
}

TEST_CASE_FIXTURE(granting, "what is taken back leaves nothing behind")
{
    const auto id = hold_for({.approvals = 2});
    const auto grant = proposal("ada", id);
    const auto given = grants("ada", id, grant);
    const auto decision = std::string(boost::json::parse(given.body).at("decision").at("id").as_string());
    CHECK(outcome(ask(&take_back, "ada", {{"holds", id.text(), "decisions", decision}, "", {}})) == "200");
    CHECK(outcome(grants("grace", id, grant)) == "201");
    CHECK(outcome(decides("ada", id)) == "201");
    CHECK(left_by(id).empty());
}

TEST_CASE_FIXTURE(granting, "against last week's held calls")
{
    const auto in_week = [&](const std::string& body) { return hold_for({.body = body}); };
    in_week(R"({"amount":100})");
    in_week(R"({"amount":250.50})");
    in_week(R"({"amount":900,"more":1})");
    CHECK(outcome(decides("ada", in_week(R"({"amount":50})"), "deny")) == "201");
    const auto old = in_week(R"({"amount":1})");
    sql("UPDATE holds SET created_at = created_at - interval '8 days' WHERE id = '" + old.text() + "'");
    hold_for({.whom = {"person:stranger"}, .body = R"({"amount":2})"});  // which ada may not read
    const auto id = in_week(R"({"amount":300.00})");

    auto said = week(proposes("ada", id));
    CHECK(said.at("looked_at") == 4);
    CHECK(said.at("covered") == 0);
    CHECK(said.at("complete") == true);

    auto grant = proposal("ada", id).as_object();
    grant.at("shape").at("fields").at(0) = {{"pointer", "/amount"}, {"type", "number"}, {"at_least", "0"}, {"at_most", "300.00"}};
    said = week(previews("ada", id, grant));
    CHECK(said.at("covered") == 3);
    CHECK(said.at("sum") == "400.5");
    CHECK(said.at("largest") == "250.5");
    CHECK(said.at("denied") == 1);
    CHECK(said.at("passed") == 3);
    grant["count"] = 2;
    said = week(previews("ada", id, grant));
    CHECK(said.at("passed") == 2);
    CHECK(said.at("beyond") == 1);
    grant["count"] = 10;
    grant["sum"] = {{"pointer", "/amount"}, {"at_most", "160"}};
    said = week(previews("ada", id, grant));
    CHECK(said.at("passed") == 2);  // 100 and 50; what is too much is skipped, as it would be
    CHECK(said.at("beyond") == 1);
}

TEST_CASE_FIXTURE(granting, "who sees a grant, and who ends it")
{
    add("olga", role::operator_, false);
    const auto id = hold_for({.whom = {"person:ada", "person:grace"}});
    REQUIRE(outcome(grants("ada", id, proposal("ada", id))) == "201");
    const std::string grant = left_by(id);
    struct row {
        const char* who;
        bool sees;
        const char* ends;
    };
    for (const row& r : {row{"stranger", false, "not-found"}, row{"grace", true, "not-permitted"}, row{"auditor", true, "not-permitted"},
                         row{"ada", true, "200"}, row{"olaf", true, "200"}, row{"olga", true, "200"}}) {
        CAPTURE(r.who);
        sql("UPDATE grants SET revoked_at = NULL, revoked_by = NULL, revoked_why = ''");
        const auto all = listed(r.who);
        CHECK(all.size() == (r.sees ? 1U : 0U));
        if (r.sees) CHECK(all[0].at("may_revoke").as_bool() == (std::string(r.ends) == "200"));
        CHECK(outcome(ask(&show_grant, r.who, {{"grants", grant}, "", {}})) == (r.sees ? "200" : "not-found"));
        CHECK(outcome(revokes(r.who, grant)) == r.ends);
        CHECK((ask("SELECT revoked_at IS NOT NULL FROM grants") == "t") == (std::string(r.ends) == "200"));
    }
    // Once more changes nothing.
    const auto again = revokes("ada", grant);
    CHECK(outcome(again) == "200");
    CHECK(boost::json::parse(again.body).at("grant").at("revoked_by").at("handle") == "olga");
    CHECK(listed("ada", {{"status", "active"}}).empty());
    CHECK(listed("ada", {{"status", "revoked,expired"}}).size() == 1);
    CHECK(listed("ada", {{"agent", "refund-bot"}}).size() == 1);
    CHECK(listed("ada", {{"agent", "nobody"}}).empty());
    for (const parameter& p : {parameter{"status", "open"}, parameter{"limit", "0"}, parameter{"cursor", "x"}, parameter{"x", "y"}})
        CHECK(outcome(ask(&list_grants, "ada", {{"grants"}, "", {p}})) == "malformed-request");
    for (const char* other : {"grt_x", "grt_00000000000000000000000000", "x"}) CHECK(outcome(revokes("ada", other)) == "not-found");
}

TEST_CASE_FIXTURE(granting, "a list goes on where it stopped")
{
    for (int i = 0; i < 3; ++i) {
        const auto id = hold_for({});
        REQUIRE(outcome(grants("ada", id, proposal("ada", id))) == "201");
    }
    const auto page = [&](std::vector<parameter> query) {
        return boost::json::parse(ask(&list_grants, "ada", {{"grants"}, "", std::move(query)}).body).as_object();
    };
    const auto first = page({{"limit", "2"}});
    CHECK(first.at("grants").as_array().size() == 2);
    const auto second = page({{"limit", "2"}, {"cursor", std::string(first.at("next").as_string())}});
    CHECK(second.at("grants").as_array().size() == 1);
    CHECK(second.at("next").is_null());
}

}  // namespace sallyport::people
