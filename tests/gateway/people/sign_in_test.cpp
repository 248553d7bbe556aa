// Enrolment and signing in: challenges that are not kept, and count once.
#include "gateway/canonical/sha256.hpp"
#include "tests/gateway/people/scene.hpp"

#include <string>

namespace sallyport::people {
namespace {

using namespace testing;

struct door : scene {
    std::string challenge() { return text_of(ask(&login_options, "", {{"login", "options"}, "{}", {}}), "challenge"); }
    std::string login_with(const boost::json::object& message)
    {
        return outcome(ask(&login, "", {{"login"}, boost::json::serialize(message), {}}));
    }
    std::string invite(const std::string& handle)
    {
        const std::string code = "code of " + handle;
        in([&](storage::transaction& tx) {
            storage::invitation i;
            i.id = storage::some_id<person_id>(static_cast<unsigned>(handle.front()));
            i.handle = handle;
            i.name = handle;
            i.email = handle + "@example.com";
            i.code_hash = std::string(sha256(code).view());
            i.expires_at = tx.now() + 1h;
            storage::person_store::invite(tx, i).value();
        });
        return code;
    }
};

}  // namespace

TEST_CASE_FIXTURE(door, "signing in, once for each challenge")
{
    const authenticator& ada = passkeys.at("ada");
    const auto asked = challenge();
    CHECK(login_with(ada.get(asked, {.flags = user_present})) == "bad-assertion");
    CHECK(ask("SELECT count(*) FROM challenges") == "0");
    CHECK(login_with(ada.get(asked)) == "200");
    CHECK(ask("SELECT count(*) FROM challenges") == "1");
    CHECK(login_with(ada.get(asked)) == "bad-assertion");
    CHECK(login_with(ada.get(challenge())) == "200");
    CHECK(ask("SELECT count(*) FROM sessions") == "2");
}

TEST_CASE_FIXTURE(door, "asking to sign in leaves nothing behind")
{
    for (int i = 0; i < 10; ++i) challenge();
    CHECK(ask("SELECT count(*) FROM challenges") == "0");
}

TEST_CASE_FIXTURE(door, "who is not signed in")
{
    const authenticator& ada = passkeys.at("ada");
    CHECK(login_with(ada.get(base64url("not one of ours"))) == "bad-assertion");
    CHECK(login_with(ada.get(challenge(), {.without_user_handle = true})) == "bad-assertion");
    CHECK(login_with(ada.get(challenge(), {.user_handle = passkeys.at("grace").user_handle})) == "bad-assertion");
    CHECK(login_with(authenticator("unknown").get(challenge())) == "bad-assertion");
    CHECK(login_with(ada.get(text_of(state("ada", hold_for({})), "sha256"))) == "bad-assertion");  // asked for something else
    in([&](storage::transaction& tx) { storage::person_store::set_status(tx, "ada", person_status::disabled).value(); });
    CHECK(login_with(ada.get(challenge())) == "bad-assertion");
    CHECK(ask("SELECT count(*) FROM sessions") == "0");
}

TEST_CASE_FIXTURE(door, "an enrolment's code registers one passkey, and the record says which")
{
    const auto code = invite("mary"), others = invite("niels");
    const auto options = [&](const std::string& with) { return ask(&enrolment_options, "", {{"enrolments", with, "options"}, "", {}}); };
    const auto register_with = [&](const std::string& with, const boost::json::object& message) {
        return ask(&enrol, "", {{"enrolments", with}, boost::json::serialize(message), {}});
    };
    const authenticator passkey("the new credential");
    CHECK(outcome(options("no code")) == "no-enrolment");
    const auto asked = text_of(options(code), "challenge");
    CHECK(outcome(register_with("no code", passkey.create(asked))) == "no-enrolment");
    CHECK(outcome(register_with(code, passkey.create(text_of(options(others), "challenge")))) == "bad-assertion");
    CHECK(outcome(register_with(code, passkey.create(challenge()))) == "bad-assertion");
    CHECK(outcome(register_with(code, passkey.create(asked, {.origin = "http://x.example"}))) == "bad-assertion");
    const auto done = register_with(code, passkey.create(asked));
    CHECK(outcome(done) == "201");
    CHECK(done.directory_generation > 0);
    CHECK(outcome(register_with(code, passkey.create(asked))) == "no-enrolment");
    CHECK(ask("SELECT count(*) FROM challenges") == "0");

    const auto recorded = boost::json::parse(ask("SELECT data FROM audit_pending WHERE data LIKE '%passkey.add%'")).as_object();
    CHECK(recorded.at("handle").as_string() == "mary");
    CHECK(recorded.at("credential").as_string() == base64url("the new credential"));
    CHECK(recorded.at("key").as_string() == base64(spki(passkey)));
    CHECK(recorded.at("relying_party").as_string() == "localhost");
}

}  // namespace sallyport::people
