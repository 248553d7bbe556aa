// Who an account of a provider's is here, and what signing in by it changes.
#include "gateway/people/openid_door.hpp"

#include "gateway/people/sessions.hpp"
#include "storage/identity_store.hpp"
#include "storage/session_store.hpp"
#include "tests/gateway/people/scene.hpp"

#include <algorithm>
#include <set>
#include <string>

namespace sallyport::people {
namespace {

using namespace testing;

struct provided : scene {
    unsigned attempts = 0;

    provided()
    {
        config::oidc_sign_in oidc;
        oidc.issuer = "https://id.example";
        oidc.client_id = "gate";
        oidc.groups = {{"approvers", "finance"}, {"money", "finance"}, {"ops", "platform"}, {"ghosts", "no-such-team"}};
        config->oidc = oidc;
        in([&](storage::transaction& tx) { storage::person_store::add_team(tx, "platform").value(); });
        in([&](storage::transaction& tx) { storage::person_store::add_team(tx, "ours").value(); });
    }

    openid::attempt begun(std::string next = "/")
    {
        openid::attempt a;
        a.issuer = config->oidc->issuer;
        a.client_id = "gate";
        a.state = "state " + std::to_string(++attempts);
        a.next = std::move(next);
        a.expires_at = in([](storage::transaction& tx) { return tx.now(); }) + 10min;
        return a;
    }
    static openid::account account(std::string subject, std::string email, std::vector<std::string> groups = {})
    {
        return {std::move(subject), std::move(email), std::move(groups), true};
    }

    result<reply> signs_in(const openid::account& who, const openid::attempt& a)
    {
        return db().run_blocking([&](storage::transaction& tx) -> result<reply> {
            call c;
            c.standing = standing(tx);
            c.around = &around;
            c.user_agent = "Browser/1";
            return enter(tx, c, a, who);
        });
    }
    result<reply> signs_in(const openid::account& who) { return signs_in(who, begun()); }
    problem refusal(const openid::account& who)
    {
        const auto entered = signs_in(who);
        REQUIRE_FALSE(entered.has_value());
        return entered.error().what;
    }

    std::vector<std::string> teams(std::string_view handle)
    {
        return in([&](storage::transaction& tx) { return storage::person_store::by_handle(tx, handle).value().teams; });
    }
    std::string acts() { return ask("SELECT coalesce(string_agg(data::json->>'act', ' ' ORDER BY id), '') FROM audit_pending"); }
};

}  // namespace

TEST_CASE_FIXTURE(provided, "an account is linked once, by an address in whatever case, and known by its subject from then on")
{
    CHECK(signs_in(account("s1", "ADA@example.com", {"money"})).has_value());
    CHECK(ask("SELECT handle FROM people JOIN oidc_identities ON person = people.id") == "ada");
    CHECK(signs_in(account("s1", "", {"money"})).has_value());
    CHECK(signs_in(account("s1", "grace@example.com", {"money"})).has_value());
    CHECK(ask("SELECT count(*) FROM oidc_identities") == "1");
    CHECK(ask("SELECT string_agg(DISTINCT made_by || ' ' || user_agent, ',') FROM sessions") == "oidc Browser/1");
    CHECK(ask("SELECT count(*) FROM sessions") == "3");
    CHECK(acts() == "identity.link login login login");
    // Another issuer's account of that name is somebody else's.
    config->oidc->issuer = "https://other.example";
    CHECK(refusal(account("s1", "")) == problem::not_permitted);
}

TEST_CASE_FIXTURE(provided, "nobody is made by signing in, and who is nobody leaves nothing behind")
{
    in([&](storage::transaction& tx) { storage::person_store::set_status(tx, "stranger", person_status::disabled).value(); });
    REQUIRE(signs_in(account("adas", "ada@example.com")).has_value());
    sql("UPDATE people SET email = 'twin@example.com' WHERE handle IN ('olaf', 'grace')");
    const std::string people = ask("SELECT count(*) FROM people"), before = acts();
    struct row {
        const char* name;
        openid::account who;
    };
    const row rows[] = {
        {"an address that nobody has", account("s", "mallory@example.com")},
        {"no address", account("s", "")},
        {"the address of somebody disabled", account("s", "stranger@example.com")},
        {"the address of two", account("s", "twin@example.com")},
        {"a second account for one person", account("s", "ada@example.com")},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(refusal(r.who) == problem::not_permitted);
    }
    CHECK(ask("SELECT count(*) FROM people") == people);
    CHECK(ask("SELECT count(*) FROM oidc_identities") == "1");
    CHECK(ask("SELECT count(*) FROM challenges") == "1");
    CHECK(ask("SELECT count(*) FROM sessions") == "1");
    CHECK(acts() == before);
    in([&](storage::transaction& tx) { storage::person_store::set_status(tx, "ada", person_status::disabled).value(); });
    CHECK(refusal(account("adas", "ada@example.com")) == problem::not_permitted);
}

TEST_CASE_FIXTURE(provided, "an attempt counts once")
{
    const auto once = begun();
    CHECK(signs_in(account("s1", "ada@example.com"), once).has_value());
    const auto again = signs_in(account("s1", "ada@example.com"), once);
    REQUIRE_FALSE(again.has_value());
    CHECK(again.error().what == problem::expired);
    CHECK(ask("SELECT count(*) FROM sessions") == "1");
}

TEST_CASE_FIXTURE(provided, "teams that groups are mapped to follow the provider; others do not")
{
    using words = std::vector<std::string>;
    in([&](storage::transaction& tx) { storage::person_store::join_team(tx, "ours", "ada").value(); });
    struct row {
        const char* name;
        words groups, teams;
    };
    const row rows[] = {
        {"as it was", {"approvers"}, {"finance", "ours"}},
        {"by another group of the same team", {"money"}, {"finance", "ours"}},
        {"by both", {"approvers", "money"}, {"finance", "ours"}},
        {"another", {"ops", "unheard of"}, {"ours", "platform"}},
        {"a group is no team's name", {"finance", "ours", "Approvers"}, {"ours"}},
        {"a team that does not exist", {"ghosts"}, {"ours"}},
        {"all", {"approvers", "ops", "ghosts"}, {"finance", "ours", "platform"}},
        {"none", {}, {"ours"}},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto entered = signs_in(account("s1", "ada@example.com", r.groups));
        REQUIRE(entered.has_value());
        CHECK(teams("ada") == r.teams);
    }
    CHECK(teams("grace") == words{"finance"});
    // A provider that says nothing of groups names none.
    CHECK(signs_in(account("s1", "", {"ops"})).has_value());
    CHECK(signs_in({"s1", "", {}, false}).has_value());
    CHECK(teams("ada") == words{"ours"});
    config->oidc->groups.clear();
    in([&](storage::transaction& tx) { storage::person_store::join_team(tx, "finance", "ada").value(); });
    CHECK(signs_in(account("s1", "", {})).has_value());
    CHECK(teams("ada") == words{"finance", "ours"});
}

TEST_CASE_FIXTURE(provided, "the answer is a page that leads on by itself, without a script")
{
    const auto entered = signs_in(account("s1", "ada@example.com", {"ops"}), begun("/history?a=b&q=\"<"));
    REQUIRE(entered.has_value());
    CHECK(entered->status == 200);
    CHECK(entered->media_type == "text/html; charset=utf-8");
    CHECK(entered->body.find("content=\"0; url=/history?a=b&amp;q=&quot;&lt;\"") != std::string::npos);
    CHECK(entered->directory_generation > 0);
    const auto elsewhere = signs_in(account("s1", "ada@example.com", {"ops"}), begun("//evil.example"));
    CHECK(elsewhere->body.find("evil") == std::string::npos);
    CHECK(elsewhere->directory_generation == 0);  // neither teams nor the link are new
}

TEST_CASE_FIXTURE(scene, "sessions are seen and ended by those whose they are, and by roles")
{
    add("olga", role::operator_, false);
    in([&](storage::transaction& tx) {
        const auto ada = storage::person_store::by_handle(tx, "ada").value();
        call c;
        c.standing = standing(tx);
        reply r;
        for (int i = 0; i < 9; ++i) add_session(tx, c, ada, storage::session_by::passkey, r);
    });
    const auto ids = [&](const std::string& who, std::string of) {
        const auto r = ask(&list_sessions_of, who, {{"people", std::move(of), "sessions"}, "", {}});
        std::vector<std::string> all;
        if (r.status != 200) return all;
        const auto answer = boost::json::parse(r.body).as_object();
        for (const auto& s : answer.at("sessions").as_array()) all.emplace_back(s.as_object().at("id").as_string());
        return all;
    };
    const auto end = [&](const std::string& who, const std::string& of, const std::string& id) {
        return outcome(ask(&end_session_of, who, {{"people", of, "sessions", id}, "", {}}));
    };
    const auto own = ids("ada", "ada");
    REQUIRE(own.size() == 9);
    CHECK(std::set<std::string>(own.begin(), own.end()).size() == 9);
    CHECK(ids("olga", "ada") == own);
    CHECK(ids("auditor", "ada") == own);
    CHECK(ids("grace", "ada").empty());

    struct row {
        const char* name;
        const char *who, *of;
        std::string id;
        const char* outcome;
    };
    const row rows[] = {
        {"another's, by an approver", "grace", "ada", own[0], "not-permitted"},
        {"another's, by an auditor, who reads all and changes nothing", "auditor", "ada", own[0], "not-permitted"},
        {"another's, by an operator", "olga", "ada", own[0], "204"},
        {"the same again", "olga", "ada", own[0], "not-found"},
        {"one that is another person's", "olga", "grace", own[1], "not-found"},
        {"of nobody", "olga", "nobody", own[1], "not-found"},
        {"none", "olga", "ada", "", "not-found"},
        {"one's own, by name", "ada", "ada", own[1], "204"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(end(r.who, r.of, r.id) == r.outcome);
    }
    CHECK(outcome(ask(&end_session, "ada", {{"sessions", own[2]}, "", {}})) == "204");
    CHECK(outcome(ask(&end_session, "grace", {{"sessions", own[3]}, "", {}})) == "not-found");
    CHECK(ask("SELECT count(*) FROM sessions") == "6");
    CHECK(ask("SELECT count(*) FROM audit_pending WHERE data LIKE '%session.end%'") == "3");
    // Neither token nor stored hash can be had from what is shown.
    CHECK(ask("SELECT count(*) FROM sessions WHERE encode(token_hash, 'base64') LIKE '" + own[4].substr(0, 10) + "%'") == "0");
}

TEST_CASE_FIXTURE(scene, "how one signs in is told to everybody")
{
    const auto methods = [&] { return ask(&login_methods, "", {{"login", "methods"}, "", {}}).body; };
    CHECK(methods() == R"({"passkey":true,"oidc":null})");
    config->oidc.emplace();
    config->oidc->name = "id.example:8443";
    CHECK(methods() == R"({"passkey":true,"oidc":{"name":"id.example:8443"}})");
}

}  // namespace sallyport::people
