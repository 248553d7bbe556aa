#include "storage/person_store.hpp"

#include "storage/agent_store.hpp"
#include "storage/credential_store.hpp"
#include "storage/directory_store.hpp"
#include "storage/identity_store.hpp"
#include "storage/key_store.hpp"
#include "storage/passkey_store.hpp"
#include "storage/session_store.hpp"
#include "tests/storage/fixture.hpp"
#include "tests/storage/people.hpp"

#include <functional>
#include <future>
#include <latch>
#include <thread>

namespace sallyport::storage {
namespace {

using namespace std::chrono_literals;

passkey some_passkey(person_id of, char fill)
{
    passkey k;
    k.credential_id = std::string("\0id\xff", 4) + fill;
    k.person = of;
    k.public_key = std::string("\xa5\x01\x02", 3) + fill;
    k.sign_count = 0;
    k.user_handle = bytes32('h');
    k.transports = {"internal", "hybrid"};
    k.name = "Telephone";
    return k;
}

template <class T>
problem refusal(const result<T>& r)
{
    REQUIRE_FALSE(r.has_value());
    return r.error().what;
}

}  // namespace

TEST_CASE("a person is invited, and again")
{
    fixture f;
    const auto soon = f.now() + 24h;
    auto i = invitation_of("ada", 1, soon);
    i.roles = {role::approver, role::operator_};
    const auto first = f.in([&](transaction& tx) { return person_store::invite(tx, i); });
    CHECK_FALSE(first.known);
    CHECK(first.person.id == i.id);
    CHECK(first.person.roles == i.roles);
    CHECK(first.person.status == person_status::active);
    CHECK_FALSE(first.person.has_passkey);

    // The second link voids the first, keeps what is not said, and the id.
    invitation again = invitation_of("ada", 2, soon);
    again.name.clear();
    again.email = "new@example.com";
    const auto second = f.in([&](transaction& tx) { return person_store::invite(tx, again); });
    CHECK(second.known);
    CHECK(second.person.id == i.id);
    CHECK(second.person.name == i.name);
    CHECK(second.person.email == "new@example.com");
    CHECK(second.person.roles == i.roles);
    f.in([&](transaction& tx) {
        CHECK_FALSE(person_store::find_enrolment(tx, i.code_hash));
        const auto open = person_store::find_enrolment(tx, again.code_hash);
        REQUIRE(open);
        CHECK(open->person.handle == "ada");
        CHECK(open->expires_at == soon);
        CHECK(person_store::spend_enrolment(tx, again.code_hash) == race::won);
        CHECK(person_store::spend_enrolment(tx, again.code_hash) == race::lost);
        CHECK_FALSE(person_store::find_enrolment(tx, again.code_hash));
        CHECK_FALSE(person_store::find_enrolment(tx, bytes32('?')));
    });
}

TEST_CASE("a link that has expired is no link")
{
    fixture f;
    f.in([&](transaction& tx) {
        person_store::invite(tx, invitation_of("ada", 1, tx.now() - 1us)).value();
        CHECK_FALSE(person_store::find_enrolment(tx, invitation_of("ada", 1, {}).code_hash));
        CHECK(person_store::spend_enrolment(tx, invitation_of("ada", 1, {}).code_hash) == race::lost);
    });
}

TEST_CASE("of two who spend a code at once one gets it")
{
    fixture f(2);
    const auto soon = f.now() + 1h;
    const auto i = invitation_of("ada", 1, soon);
    f.in([&](transaction& tx) { person_store::invite(tx, i).value(); });
    std::latch both(2);
    const auto spend = [&] {
        return f.in([&, once = false](transaction& tx) mutable {
            REQUIRE(person_store::find_enrolment(tx, i.code_hash));
            if (!std::exchange(once, true)) both.arrive_and_wait();
            return person_store::spend_enrolment(tx, i.code_hash);
        });
    };
    auto other = std::async(std::launch::async, spend);
    const auto mine = spend();
    CHECK((mine == race::won) != (other.get() == race::won));
}

TEST_CASE("a reset ends passkeys and sessions at once; disabling ends sessions and links")
{
    fixture f;
    f.in([&](transaction& tx) {
        const auto soon = tx.now() + 1h;
        const auto ada = person_store::invite(tx, invitation_of("ada", 1, soon)).value().person;
        passkey_store::add(tx, some_passkey(ada.id, 'a')).value();
        session_store::create(tx, {bytes32('s'), ada.id, {}, soon});
        CHECK(person_store::by_id(tx, ada.id)->has_passkey);

        // Without a reset everything stays.
        person_store::invite(tx, invitation_of("ada", 2, soon)).value();
        CHECK(passkey_store::list(tx, ada.id).size() == 1);
        CHECK(session_store::find(tx, bytes32('s')));

        auto reset = invitation_of("ada", 3, soon);
        reset.reset = true;
        CHECK_FALSE(person_store::invite(tx, reset).value().person.has_passkey);
        CHECK(passkey_store::list(tx, ada.id).empty());
        CHECK_FALSE(session_store::find(tx, bytes32('s')));

        session_store::create(tx, {bytes32('t'), ada.id, {}, soon});
        CHECK(person_store::set_status(tx, "ada", person_status::disabled).value().status == person_status::disabled);
        CHECK_FALSE(session_store::find(tx, bytes32('t')));
        CHECK_FALSE(person_store::find_enrolment(tx, reset.code_hash));
        CHECK(refusal(person_store::invite(tx, invitation_of("ada", 4, soon))) == problem::conflict);

        CHECK(person_store::set_status(tx, "ada", person_status::active).value().status == person_status::active);
        CHECK_FALSE(session_store::find(tx, bytes32('t')));
        CHECK(person_store::invite(tx, invitation_of("ada", 5, soon)).has_value());
        CHECK(refusal(person_store::set_status(tx, "nobody", person_status::disabled)) == problem::not_found);
    });
}

TEST_CASE("teams")
{
    fixture f;
    f.in([&](transaction& tx) {
        for (const auto* handle : {"grace", "ada"}) add_person(tx, handle);
        person_store::add_team(tx, "finance").value();
        CHECK(refusal(person_store::add_team(tx, "finance")) == problem::conflict);
        CHECK(person_store::join_team(tx, "finance", "grace").value());
        CHECK(person_store::join_team(tx, "finance", "ada").value());
        CHECK_FALSE(person_store::join_team(tx, "finance", "ada").value());
        CHECK(refusal(person_store::join_team(tx, "none", "ada")) == problem::not_found);
        CHECK(refusal(person_store::join_team(tx, "finance", "none")) == problem::not_found);
        CHECK(person_store::teams(tx) == std::vector<team>{{"finance", {"ada", "grace"}}});
        CHECK(person_store::by_handle(tx, "ada")->teams == std::vector<std::string>{"finance"});
        CHECK(person_store::leave_team(tx, "finance", "ada").value());
        CHECK_FALSE(person_store::leave_team(tx, "finance", "ada").value());
        CHECK(person_store::team_named(tx, "finance")->members == std::vector<std::string>{"grace"});

        auto a = agent_of(1, "bot", {owner_name::kind::team, "finance"});
        agent_store::add(tx, a).value();
        const auto refused = person_store::remove_team(tx, "finance");
        CHECK(refusal(refused) == problem::conflict);
        CHECK(refused.error().detail.find("bot") != std::string::npos);
        person_store::add_team(tx, "empty").value();
        person_store::join_team(tx, "empty", "ada").value();
        CHECK(person_store::remove_team(tx, "empty").has_value());
        CHECK_FALSE(person_store::team_named(tx, "empty"));
        CHECK(refusal(person_store::remove_team(tx, "empty")) == problem::not_found);
    });
}

TEST_CASE("passkeys and their counters")
{
    fixture f;
    f.in([&](transaction& tx) {
        const auto ada = add_person(tx, "ada");
        const auto grace = add_person(tx, "grace");
        const auto key = some_passkey(ada.id, 'a');
        passkey_store::add(tx, key).value();
        CHECK(refusal(passkey_store::add(tx, some_passkey(grace.id, 'a'))) == problem::conflict);
        const auto found = passkey_store::find(tx, key.credential_id);
        REQUIRE(found);
        CHECK(found->person == ada.id);
        CHECK(found->public_key == key.public_key);
        CHECK(found->user_handle == key.user_handle);
        CHECK(found->transports == key.transports);
        CHECK(found->name == key.name);
        CHECK_FALSE(found->last_used_at);
        CHECK_FALSE(passkey_store::find(tx, "other"));

        struct row {
            const char* name;
            std::uint32_t count;
            race then;
            std::uint32_t stored;
        };
        const row rows[] = {
            {"both 0: the authenticator keeps none", 0, race::won, 0},
            {"it grows", 5, race::won, 5},
            {"the same again", 5, race::lost, 5},
            {"back", 4, race::lost, 5},
            {"back to 0", 0, race::lost, 5},
            {"the largest", 4294967295U, race::won, 4294967295U},
        };
        for (const row& r : rows) {
            CAPTURE(r.name);
            CHECK(passkey_store::count_up(tx, key.credential_id, r.count) == r.then);
            CHECK(passkey_store::find(tx, key.credential_id)->sign_count == r.stored);
        }
        CHECK(passkey_store::find(tx, key.credential_id)->last_used_at);
        CHECK(passkey_store::count_up(tx, "other", 9) == race::lost);
        CHECK(refusal(passkey_store::remove(tx, grace.id, key.credential_id)) == problem::not_found);
        CHECK(passkey_store::remove(tx, ada.id, key.credential_id).has_value());
        CHECK_FALSE(passkey_store::find(tx, key.credential_id));
    });
}

TEST_CASE("a challenge is used once, until its time has passed")
{
    fixture f;
    f.in([&](transaction& tx) {
        const auto ada = add_person(tx, "ada");
        const challenge c{bytes32('c'), "statement", ada.id, tx.now() + 5min};
        CHECK_FALSE(passkey_store::used(tx, c.value));
        CHECK(passkey_store::use(tx, c) == race::won);
        CHECK(passkey_store::used(tx, c.value));
        CHECK(passkey_store::use(tx, c) == race::lost);
        CHECK(passkey_store::use(tx, {c.value, "login", std::nullopt, c.expires_at}) == race::lost);
        CHECK_FALSE(passkey_store::used(tx, bytes32('d')));
        CHECK(passkey_store::use(tx, {bytes32('e'), "login", std::nullopt, tx.now() - 1us}) == race::won);
        CHECK(passkey_store::remove_expired_challenges(tx) == 1);
        CHECK(passkey_store::used(tx, c.value));
    });
}

TEST_CASE("a challenge that was used stays used, whatever becomes of its person")
{
    fixture f;
    f.in([&](transaction& tx) {
        const auto ada = add_person(tx, "ada");
        CHECK(passkey_store::use(tx, {bytes32('c'), "statement", ada.id, tx.now() + 5min}) == race::won);
        person_store::set_status(tx, "ada", person_status::disabled).value();
        person_store::set_status(tx, "ada", person_status::active).value();
        auto again = invitation_of("ada", 2, tx.now() + 1h);
        again.reset = true;
        person_store::invite(tx, again).value();
        CHECK(passkey_store::used(tx, bytes32('c')));
    });
}

TEST_CASE("of two who use a challenge at once one does")
{
    fixture f(2);
    const auto soon = f.now() + 1h;
    std::latch both(2);
    const auto use = [&] {
        return f.in([&, once = false](transaction& tx) mutable {
            if (!std::exchange(once, true)) both.arrive_and_wait();
            return passkey_store::use(tx, {bytes32('c'), "login", std::nullopt, soon}) == race::won;
        });
    };
    auto other = std::async(std::launch::async, use);
    const bool mine = use();
    CHECK(mine != other.get());
}

TEST_CASE("sessions")
{
    fixture f;
    f.in([&](transaction& tx) {
        const auto ada = add_person(tx, "ada");
        const auto until = tx.now() + 12h;
        session_store::create(tx, {bytes32('1'), ada.id, {}, until});
        session_store::create(tx, {bytes32('2'), ada.id, {}, until, session_by::oidc, "Mozilla/5.0"});
        CHECK(session_store::find(tx, bytes32('2'))->made_by == session_by::oidc);
        CHECK(session_store::find(tx, bytes32('2'))->user_agent == "Mozilla/5.0");
        const auto found = session_store::find(tx, bytes32('1'));
        REQUIRE(found);
        CHECK(found->person == ada.id);
        CHECK(found->expires_at == until);
        CHECK(found->made_by == session_by::passkey);
        CHECK(session_store::list(tx, ada.id).size() == 2);
        CHECK(session_store::remove(tx, bytes32('1')));
        CHECK_FALSE(session_store::remove(tx, bytes32('1')));
        CHECK_FALSE(session_store::find(tx, bytes32('1')));
        CHECK(session_store::remove_all(tx, ada.id) == 1);
    });
    const auto ada = f.in([](transaction& tx) { return person_store::by_handle(tx, "ada").value().id; });
    f.sql("INSERT INTO sessions (token_hash, person, created_at, expires_at) VALUES (sha256('x'::bytea), '" + ada.text() +
          "', now() - interval '2 days', now() - interval '1 day')");
    f.in([&](transaction& tx) {
        CHECK(session_store::list(tx, ada).empty());
        CHECK(session_store::remove_expired(tx) == 1);
    });
}

TEST_CASE("accounts at an identity provider: one a person, each of one person")
{
    fixture f;
    const std::string here = "https://id.example", there = "https://id.example/";
    f.in([&](transaction& tx) {
        const auto ada = add_person(tx, "ada"), bob = add_person(tx, "bob");
        CHECK_FALSE(identity_store::find(tx, here, "1"));
        CHECK(identity_store::link(tx, here, "1", ada.id) == race::won);
        CHECK(identity_store::link(tx, here, "1", bob.id) == race::lost);
        CHECK(identity_store::link(tx, here, "2", ada.id) == race::lost);
        CHECK(identity_store::link(tx, here, "A", bob.id) == race::won);
        CHECK(identity_store::link(tx, there, "1", bob.id) == race::won);
        CHECK(identity_store::find(tx, here, "1") == ada.id);
        CHECK(person_store::by_id(tx, ada.id)->has_account);
        CHECK_FALSE(person_store::by_id(tx, ada.id)->has_passkey);
        CHECK(identity_store::find(tx, there, "1") == bob.id);
        CHECK_FALSE(identity_store::find(tx, here, "a"));
        CHECK(identity_store::linked(tx, ada.id, here));
        CHECK_FALSE(identity_store::linked(tx, ada.id, there));
        identity_store::used(tx, here, "1");
    });
    CHECK(f.ask("SELECT count(*) FROM oidc_identities WHERE last_used_at > linked_at") == "1");
    f.in([&](transaction& tx) {
        auto reset = invitation_of("ada", 3, tx.now() + 1h);
        reset.reset = true;
        person_store::invite(tx, reset).value();
        CHECK_FALSE(identity_store::find(tx, here, "1"));
        CHECK(identity_store::find(tx, here, "A"));
    });
}

TEST_CASE("who has an address")
{
    fixture f;
    const auto found = [&](std::string_view email) {
        return f.in([&](transaction& tx) {
            std::string all;
            for (const person& p : person_store::active_by_email(tx, email)) all += p.handle + " ";
            return all;
        });
    };
    f.in([](transaction& tx) {
        add_person(tx, "ada");
        add_person(tx, "bob");
    });
    f.sql("UPDATE people SET email = 'Ada.K@Example.com' WHERE handle = 'ada'");
    CHECK(found("ada.k@example.com") == "ada ");
    CHECK(found("ADA.K@EXAMPLE.COM") == "ada ");
    CHECK(found("ada.k@example.co") == "");
    CHECK(found("%@example.com") == "");
    // U+212A is a K to some, and another mailbox to others.
    CHECK(found("ada.\xE2\x84\xAA@example.com") == "");
    f.sql("UPDATE people SET email = 'ada.k@example.com' WHERE handle = 'bob'");
    CHECK(found("ada.k@example.com") == "ada bob ");
    f.sql("UPDATE people SET status = 'disabled' WHERE handle = 'ada'");
    CHECK(found("ada.k@example.com") == "bob ");
}

TEST_CASE("agents")
{
    fixture f;
    auto a = agent_of(1, "refund-bot", {owner_name::kind::person, "ada"});
    a.purpose = "Refunds \"small\" ones";
    a.scopes = {"payments", "crm:read"};
    a.labels = {{"env", "test"}, {"quo\"te", "a\\b"}};
    a.keys = {{"kid-1", "{\"kty\":\"EC\"}", std::nullopt}};
    f.in([&](transaction& tx) {
        CHECK(refusal(agent_store::add(tx, a)) == problem::invalid_input);
        add_person(tx, "ada");
        a.created_at = tx.now();
        agent_store::add(tx, a).value();
        auto twin = agent_of(2, "refund-bot", a.owner);
        CHECK(refusal(agent_store::add(tx, twin)) == problem::conflict);
        CHECK(refusal(agent_store::add(tx, agent_of(3, "x", {owner_name::kind::team, "none"}))) == problem::invalid_input);

        const auto read = agent_store::by_name(tx, "refund-bot");
        REQUIRE(read);
        CHECK(read->id == a.id);
        CHECK(read->cls == a.cls);
        CHECK(read->owner == a.owner);
        CHECK(read->purpose == a.purpose);
        CHECK(read->scopes == a.scopes);
        CHECK(read->labels == a.labels);
        CHECK(read->created_at == a.created_at);
        CHECK_FALSE(read->last_seen_at);
        REQUIRE(read->keys.size() == 1);
        CHECK(read->keys[0].jwk == a.keys[0].jwk);
        CHECK(agent_store::by_id(tx, a.id)->name == a.name);
        CHECK_FALSE(agent_store::by_name(tx, "none"));
        CHECK(agent_store::owned_by(tx, a.owner) == std::vector<agent_id>{a.id});
        CHECK(agent_store::owned_by(tx, {owner_name::kind::team, "ada"}).empty());

        CHECK(agent_store::set_status(tx, a.id, agent_status::suspended).value().status == agent_status::suspended);
        CHECK(agent_store::set_status(tx, a.id, agent_status::active).value().keys.size() == 1);
        CHECK(refusal(agent_store::set_status(tx, some_id<agent_id>(9), agent_status::active)) == problem::not_found);

        agent_store::touch(tx, std::vector<agent_store::seen>{{a.id, tx.now()}, {a.id, tx.now() - 1h}, {some_id<agent_id>(9), tx.now()}});
        CHECK(agent_store::by_id(tx, a.id)->last_seen_at == tx.now());
        agent_store::touch(tx, std::vector<agent_store::seen>{{a.id, tx.now() - 1h}});
        CHECK(agent_store::by_id(tx, a.id)->last_seen_at == tx.now());

        CHECK(agent_store::set_status(tx, a.id, agent_status::revoked).has_value());
        CHECK(refusal(agent_store::set_status(tx, a.id, agent_status::active)) == problem::conflict);
        CHECK(refusal(agent_store::replace_keys(tx, a.id, {"k", "{}", std::nullopt}, std::nullopt)) == problem::conflict);
        // A name is used up for ever.
        CHECK(refusal(agent_store::add(tx, twin)) == problem::conflict);
    });
}

TEST_CASE("an agent's keys are replaced, at once or with an overlap")
{
    fixture f;
    f.in([&](transaction& tx) {
        add_person(tx, "ada");
        auto a = agent_of(1, "bot", {owner_name::kind::person, "ada"});
        a.keys = {{"one", "{\"n\":1}", std::nullopt}};
        agent_store::add(tx, a).value();
        const auto until = tx.now() + 24h;
        auto now = agent_store::replace_keys(tx, a.id, {"two", "{\"n\":2}", std::nullopt}, until).value();
        REQUIRE(now.keys.size() == 2);
        CHECK(now.keys[0].kid == "one");
        CHECK(now.keys[0].not_after == until);
        CHECK_FALSE(now.keys[1].not_after);
        // What ends sooner is not prolonged; what has ended goes.
        now = agent_store::replace_keys(tx, a.id, {"three", "{\"n\":3}", std::nullopt}, until + 24h).value();
        REQUIRE(now.keys.size() == 3);
        CHECK(now.keys[0].not_after == until);
        CHECK(now.keys[1].not_after == until + 24h);
        now = agent_store::replace_keys(tx, a.id, {"four", "{\"n\":4}", std::nullopt}, std::nullopt).value();
        REQUIRE(now.keys.size() == 1);
        CHECK(now.keys[0].kid == "four");
        now = agent_store::replace_keys(tx, a.id, {"five", "{\"n\":5}", std::nullopt}, tx.now() - 1h).value();
        now = agent_store::replace_keys(tx, a.id, {"six", "{\"n\":6}", std::nullopt}, until).value();
        REQUIRE(now.keys.size() == 2);
        CHECK(now.keys[0].kid == "five");
        // The same key again is good again, without an end.
        now = agent_store::replace_keys(tx, a.id, {"five", "{\"n\":5}", std::nullopt}, until).value();
        REQUIRE(now.keys.size() == 2);
        CHECK_FALSE(now.keys[0].not_after);
    });
}

TEST_CASE("credentials")
{
    fixture f;
    const std::string sealed("\0\x01\xfe\xff", 4);
    f.in([&](transaction& tx) {
        CHECK(credential_store::put(tx, {{"payments-key", "header", "X-Api-Key", {}}, sealed}));
        CHECK_FALSE(credential_store::put(tx, {{"payments-key", "bearer", "", {}}, sealed + sealed}));
        CHECK(credential_store::put(tx, {{"crm", "basic", "", {}}, sealed}));
        const auto all = credential_store::list(tx);
        REQUIRE(all.size() == 2);
        CHECK(all[0].name == "crm");
        CHECK(all[1].type == "bearer");
        CHECK(credential_store::load(tx)[1].sealed == sealed + sealed);
        CHECK(credential_store::remove(tx, "crm").has_value());
        CHECK(refusal(credential_store::remove(tx, "crm")) == problem::not_found);
        CHECK(credential_store::load(tx).size() == 1);
    });
}

TEST_CASE("keys of the gateway: replicas that start at once agree on one")
{
    fixture f(2);
    std::latch both(2);
    const auto first = [&](const char* kid) {
        return f.in([&, kid, once = false](transaction& tx) mutable {
            if (!std::exchange(once, true)) both.arrive_and_wait();
            return key_store::add_first(tx, {kid, "token", "ES256", "sealed", "{}", {}, std::nullopt}).kid;
        });
    };
    auto other = std::async(std::launch::async, first, "a");
    const auto mine = first("b");
    CHECK(mine == other.get());
    f.in([&](transaction& tx) {
        CHECK(key_store::load(tx).size() == 1);
        CHECK(key_store::add_first(tx, {"c", "receipt", "Ed25519", "sealed", "{}", {}, std::nullopt}).kid == "c");
        CHECK(key_store::rotate(tx, {"d", "token", "ES256", "more", "{}", {}, std::nullopt}).has_value());
        const auto all = key_store::load(tx);
        REQUIRE(all.size() == 3);
        for (const auto& k : all) CHECK(k.retired_at.has_value() == (k.kid == mine));
        CHECK(key_store::remove_retired(tx, tx.now() - 1h) == 0);
        CHECK(key_store::remove_retired(tx, tx.now() + 1h) == 1);
    });
    const auto again = f.db().run_blocking([](transaction& tx) {
        return key_store::rotate(tx, {"d", "token", "ES256", "more", "{}", {}, std::nullopt});
    });
    CHECK(refusal(again) == problem::conflict);
    // A refused rotation retires nothing.
    f.in([](transaction& tx) {
        for (const auto& k : key_store::load(tx)) CHECK_FALSE(k.retired_at);
    });
}

TEST_CASE("an assertion is used once")
{
    fixture f;
    f.in([&](transaction& tx) {
        add_person(tx, "ada");
        for (unsigned n = 1; n <= 2; ++n)
            agent_store::add(tx, agent_of(n, "bot-" + std::to_string(n), {owner_name::kind::person, "ada"})).value();
        const auto a = some_id<agent_id>(1), b = some_id<agent_id>(2);
        const std::string odd("j\0ti\xff", 5), odder("j\0tj\xff", 5);
        CHECK(key_store::use_assertion(tx, a, odd, tx.now() + 5min) == race::won);
        CHECK(key_store::use_assertion(tx, a, odd, tx.now() + 5min) == race::lost);
        CHECK(key_store::use_assertion(tx, a, odder, tx.now() + 5min) == race::won);
        CHECK(key_store::use_assertion(tx, b, odd, tx.now() + 5min) == race::won);
        CHECK(key_store::use_assertion(tx, b, std::string(100'000, 'x'), tx.now() - 1us) == race::won);
        CHECK(key_store::remove_expired_assertions(tx) == 1);
    });
}

TEST_CASE("the directory is one reading, and its generation moves with every change")
{
    fixture f;
    const auto generation = [&] { return f.in([](transaction& tx) { return directory_store::current_generation(tx); }); };
    struct row {
        const char* name;
        std::function<void(transaction&)> change;
        bool moves;
    };
    const auto a = agent_of(1, "bot", {owner_name::kind::person, "ada"});
    const row rows[] = {
        {"a person", [](transaction& tx) { add_person(tx, "ada"); }, true},
        {"a team", [](transaction& tx) { person_store::add_team(tx, "finance").value(); }, true},
        {"joining", [](transaction& tx) { person_store::join_team(tx, "finance", "ada").value(); }, true},
        {"joining again", [](transaction& tx) { person_store::join_team(tx, "finance", "ada").value(); }, false},
        {"an agent", [&](transaction& tx) { agent_store::add(tx, a).value(); }, true},
        {"being seen",
         [&](transaction& tx) {
             agent_store::touch(tx, std::vector<agent_store::seen>{{a.id, tx.now()}});
         },
         false},
        {"a passkey", [](transaction& tx) { passkey_store::add(tx, some_passkey(person_store::by_handle(tx, "ada")->id, 'a')).value(); },
         true},
        {"a credential",
         [](transaction& tx) {
             credential_store::put(tx, {{"key", "bearer", "", {}}, "sealed"});
         },
         true},
        {"nothing", [](transaction& tx) { agent_store::list(tx); }, false},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto before = generation();
        f.in(r.change);
        CHECK((generation() > before) == r.moves);
    }
    const auto all = f.in([](transaction& tx) { return directory_store::load(tx); });
    CHECK(all.generation == generation());
    REQUIRE(all.people.size() == 1);
    CHECK(all.people[0].has_passkey);
    CHECK(all.people[0].teams == std::vector<std::string>{"finance"});
    CHECK(all.teams == std::vector<team>{{"finance", {"ada"}}});
    REQUIRE(all.agents.size() == 1);
    CHECK(all.agents[0].name == "bot");
    CHECK(all.credentials.size() == 1);
}

}  // namespace sallyport::storage
