#include "gateway/people/webauthn.hpp"

#include "tests/gateway/jose/authenticator.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

namespace sallyport::people::webauthn {
namespace {

using jose::testing::authenticator;
using jose::testing::tweak;

const relying_party rp{"localhost", "http://localhost:8081"};
const std::string asked = "what was asked, once";

result<registration_message> registration_of(const boost::json::object& message)
{
    const std::string text = boost::json::serialize(message);
    return read_registration(json::document::parse(text).value().root());
}

result<assertion_message> assertion_of(const boost::json::object& message)
{
    const std::string text = boost::json::serialize(message);
    return read_assertion(json::document::parse(text).value().root());
}

result<registered_key> registered(const boost::json::object& message)
{
    const auto read = registration_of(message);
    if (!read) return read.error();
    return verify_registration(*read, rp, asked);
}

result<std::uint32_t> asserted(const boost::json::object& message, const std::string& key)
{
    const auto read = assertion_of(message);
    if (!read) return read.error();
    return verify_assertion(*read, rp, asked, key);
}

template <class T>
bool bad(const result<T>& r)
{
    return !r && r.error().what == problem::bad_assertion && !r.error().detail.empty();
}

struct lie {
    const char* name;
    tweak what;
};

// semantics.md "Deciding": challenge, origin, crossOrigin, rpIdHash, type, UP, UV.
std::vector<lie> lies()
{
    using namespace jose::testing;
    std::vector<lie> all{
        {"another challenge", {.challenge = base64url("something else")}},
        {"the challenge in another encoding", {.challenge = base64(asked)}},
        {"another origin", {.origin = "http://localhost:8082"}},
        {"an origin with a slash", {.origin = "http://localhost:8081/"}},
        {"another site", {.rp_id = "example.com"}},
        {"nobody touched it", {.flags = user_verified}},
        {"nobody was verified", {.flags = user_present}},
        {"backed up, though it cannot be", {.flags = static_cast<std::uint8_t>(user_present | user_verified | backed_up)}},
    };
    for (const boost::json::value& cross : {boost::json::value(true), boost::json::value("false"), boost::json::value(nullptr)}) {
        lie framed{"in a page of theirs", {}};
        framed.what.client_data["crossOrigin"] = cross;
        all.push_back(framed);
    }
    lie top{"under a page of theirs", {}};
    top.what.client_data["topOrigin"] = "http://localhost:8081";
    all.push_back(top);
    return all;
}

}  // namespace

TEST_CASE("a passkey is registered, and answers")
{
    for (const auto type : {jose::key_type::ed25519, jose::key_type::p256}) {
        const authenticator passkey("credential-1", type);
        const auto key = registered(passkey.create(base64url(asked), {.count = 7}));
        REQUIRE(key.has_value());
        CHECK(key->credential_id == "credential-1");
        CHECK(key->sign_count == 7);
        const auto counter = asserted(passkey.get(base64url(asked), {.count = 8}), key->public_key);
        REQUIRE(counter.has_value());
        CHECK(*counter == 8);
        CHECK(stated_challenge(assertion_of(passkey.get(base64url(asked)))->client_data_json) == asked);

        const authenticator stranger("credential-1", type);
        CHECK(bad(asserted(stranger.get(base64url(asked)), key->public_key)));
        CHECK(bad(asserted(passkey.get(base64url(asked), {.broken_signature = true}), key->public_key)));
    }
}

TEST_CASE("browsers may say more than was asked")
{
    const authenticator passkey("credential-1");
    const auto key = registered(passkey.create(base64url(asked))).value().public_key;
    tweak more;
    more.client_data["other_keys_can_be_added_here"] = "do not compare clientDataJSON against a template";
    CHECK(asserted(passkey.get(base64url(asked), more), key).has_value());
    tweak backed;
    backed.flags = jose::testing::user_present | jose::testing::user_verified | jose::testing::backup_eligible | jose::testing::backed_up;
    CHECK(asserted(passkey.get(base64url(asked), backed), key).has_value());
}

TEST_CASE("an answer that is not believed")
{
    const authenticator passkey("credential-1");
    const auto key = registered(passkey.create(base64url(asked))).value().public_key;
    for (lie l : lies()) {
        CAPTURE(l.name);
        CHECK(bad(asserted(passkey.get(base64url(asked), l.what), key)));
        if (l.what.flags) *l.what.flags |= jose::testing::attested;
        CHECK(bad(registered(passkey.create(base64url(asked), l.what))));
    }
    CHECK(bad(asserted(passkey.get(base64url(asked), {.type = "webauthn.create"}), key)));
    CHECK(bad(registered(passkey.create(base64url(asked), {.type = "webauthn.get"}))));
    CHECK(bad(registered(passkey.create(base64url(asked), {.flags = jose::testing::user_present | jose::testing::user_verified}))));
    CHECK(bad(registered(passkey.create(base64url(asked), {.id = "another"}))));
    CHECK(bad(asserted(passkey.get(base64url(asked)), "")));
    CHECK(bad(asserted(passkey.get(base64url(asked)), "no key")));
}

TEST_CASE("a message that cannot be read")
{
    const authenticator passkey("credential-1");
    const auto good = passkey.get(base64url(asked));
    struct row {
        const char* name;
        std::function<void(boost::json::object&)> change;
    };
    const auto response = [](boost::json::object& m) -> boost::json::object& { return m.at("response").as_object(); };
    const row rows[] = {
        {"no type", [](auto& m) { m.erase("type"); }},
        {"another type", [](auto& m) { m["type"] = "password"; }},
        {"no id", [](auto& m) { m.erase("id"); }},
        {"two ids", [](auto& m) { m["rawId"] = base64url("credential-2"); }},
        {"an id in another encoding", [](auto& m) { m["id"] = m["rawId"] = "Y3JlZGVudGlhbC0x=="; }},
        {"no response", [](auto& m) { m.erase("response"); }},
        {"no clientDataJSON", [&](auto& m) { response(m).erase("clientDataJSON"); }},
        {"too long a clientDataJSON", [&](auto& m) { response(m)["clientDataJSON"] = base64url(std::string(17 << 10, ' ')); }},
        {"no authenticatorData", [&](auto& m) { response(m).erase("authenticatorData"); }},
        {"no signature", [&](auto& m) { response(m)["signature"] = 1; }},
        {"a userHandle of no text", [&](auto& m) { response(m)["userHandle"] = 1; }},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        auto message = good;
        r.change(message);
        CHECK(bad(assertion_of(message)));
    }
    auto without = good;
    response(without)["userHandle"] = nullptr;
    CHECK_FALSE(assertion_of(without)->user_handle);
    for (const char* text : {"", "[]", "{", R"({"challenge":1})", R"({"challenge":"="})"}) CHECK_FALSE(stated_challenge(text));

    auto cut = assertion_of(good).value();
    const auto key = registered(passkey.create(base64url(asked))).value().public_key;
    for (std::size_t length = 0; length < cut.authenticator_data.size(); ++length) {
        auto shorter = cut;
        shorter.authenticator_data.resize(length);
        CHECK(bad(verify_assertion(shorter, rp, asked, key)));
    }
    auto object = registration_of(passkey.create(base64url(asked))).value();
    for (std::size_t length = 0; length < object.attestation_object.size(); ++length) {
        auto shorter = object;
        shorter.attestation_object.resize(length);
        CHECK(bad(verify_registration(shorter, rp, asked)));
    }
}

}  // namespace sallyport::people::webauthn
