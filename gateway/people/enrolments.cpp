#include "gateway/canonical/sha256.hpp"
#include "gateway/jose/random.hpp"
#include "gateway/people/challenge.hpp"
#include "gateway/people/request.hpp"
#include "gateway/people/resources.hpp"
#include "gateway/people/sessions.hpp"
#include "gateway/people/views.hpp"
#include "gateway/people/webauthn.hpp"
#include "storage/directory_store.hpp"
#include "storage/passkey_store.hpp"
#include "storage/person_store.hpp"
#include "storage/session_store.hpp"
#include "workflows/encoding.hpp"

#include <boost/json/object.hpp>

namespace sallyport::people {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view login_purpose = "login";
constexpr auto challenge_life = 5min;

webauthn::relying_party party(const call& c) { return {c.config().public_host, origin_of(c.config().public_url)}; }

std::string hash_of(std::string_view token) { return std::string(sha256(token).view()); }

std::string new_challenge(const call& c, std::string_view purpose, time_point now)
{
    return make_challenge(purpose, now + challenge_life, random_bytes(challenge_random), c.around->challenge_key.reveal());
}

// Good for that code and for no other.
std::string enrol_purpose(std::string_view code) { return "enrol:" + sha256(code).hex(); }

failure spent() { return fail(problem::no_enrolment); }

std::vector<webauthn::known_credential> known(const std::vector<storage::passkey>& passkeys)
{
    std::vector<webauthn::known_credential> all;
    for (const auto& p : passkeys) all.push_back({p.credential_id, p.transports});
    return all;
}

// Says nothing about the person, and is the same for all of their passkeys.
std::string user_handle(const person& p) { return {reinterpret_cast<const char*>(p.id.bytes().data()), p.id.bytes().size()}; }

}  // namespace

result<reply> enrolment_options(storage::transaction& tx, const call& c)
{
    if (const auto nothing = message::read(c.body, {}); !nothing) return nothing.error();
    const auto found = storage::person_store::find_enrolment(tx, hash_of(c.path[1]));
    if (!found) return spent();
    const std::string challenge = new_challenge(c, enrol_purpose(c.path[1]), tx.now());
    const webauthn::user user{user_handle(found->person), found->person.handle, found->person.name};
    return json_reply(200,
                      webauthn::creation_options(party(c), user, challenge, known(storage::passkey_store::list(tx, found->person.id))));
}

result<reply> enrol(storage::transaction& tx, const call& c)
{
    const auto found = storage::person_store::find_enrolment(tx, hash_of(c.path[1]));
    if (!found) return spent();
    const auto document = json::document::parse(c.body);
    if (!document) return document.error();
    const auto message = webauthn::read_registration(document->root());
    if (!message) return message.error();
    const auto value = webauthn::stated_challenge(message->client_data_json);
    // The code stays good: whoever mistyped a PIN may try again with new options. Once it is spent, so are its challenges.
    if (!value || !is_challenge(*value, enrol_purpose(c.path[1]), tx.now(), c.around->challenge_key.reveal()))
        return problem_reply(fail(problem::bad_assertion, "The challenge is unknown or expired."));
    const auto key = webauthn::verify_registration(*message, party(c), *value);
    if (!key) return problem_reply(key.error());

    storage::passkey passkey;
    passkey.credential_id = key->credential_id;
    passkey.person = found->person.id;
    passkey.public_key = key->public_key;
    passkey.sign_count = key->sign_count;
    passkey.user_handle = user_handle(found->person);
    passkey.transports = message->transports;
    if (const auto added = storage::passkey_store::add(tx, passkey); !added)
        return fail(problem::bad_assertion, "This passkey is registered already.");
    if (storage::person_store::spend_enrolment(tx, hash_of(c.path[1])) == storage::race::lost) return spent();
    // What decisions are checked against for ever after (audit/verify.cpp).
    record_act(tx, found->person, "passkey.add",
               {{"credential", base64url(key->credential_id)}, {"key", base64(key->public_key)}, {"relying_party", party(c).id}});

    person now = found->person;
    now.has_passkey = true;
    reply r = json_reply(201, {{"person", person_json(now)}});
    add_session(tx, c, now, storage::session_by::passkey, r);
    r.directory_generation = storage::directory_store::current_generation(tx);
    return r;
}

result<reply> login_options(storage::transaction& tx, const call& c)
{
    if (const auto nothing = message::read(c.body, {}); !nothing) return nothing.error();
    return json_reply(200, webauthn::request_options(party(c), new_challenge(c, login_purpose, tx.now()), {}, challenge_life));
}

result<reply> login(storage::transaction& tx, const call& c)
{
    const auto document = json::document::parse(c.body);
    if (!document) return document.error();
    const auto message = webauthn::read_assertion(document->root());
    if (!message) return message.error();
    const auto value = webauthn::stated_challenge(message->client_data_json);
    const bool ours = value && is_challenge(*value, login_purpose, tx.now(), c.around->challenge_key.reveal());
    // The same for an unknown passkey, a disabled person and a wrong signature.
    const failure wrong = fail(problem::bad_assertion, "This passkey does not sign anybody in.");
    const auto passkey = storage::passkey_store::find(tx, message->credential_id);
    const auto who = passkey ? storage::person_store::by_id(tx, passkey->person) : std::nullopt;
    if (!ours || !who || who->status != person_status::active) return problem_reply(wrong);
    // Nobody was named before, so that the passkey itself must say whose it is (WebAuthn Level 3, §7.2 step 6).
    if (message->user_handle != passkey->user_handle) return problem_reply(wrong);
    const auto counter = webauthn::verify_assertion(*message, party(c), *value, passkey->public_key);
    if (!counter || storage::passkey_store::count_up(tx, passkey->credential_id, *counter) == storage::race::lost)
        return problem_reply(wrong);
    // Kept only now: whoever is nobody's passkey cannot fill the table.
    if (storage::passkey_store::use(tx, {*value, std::string(login_purpose), who->id, tx.now() + challenge_life}) == storage::race::lost)
        return problem_reply(wrong);

    reply r = json_reply(200, {{"person", person_json(*who)}});
    add_session(tx, c, *who, storage::session_by::passkey, r);
    record_act(tx, *who, "login", {{"by", name_of(storage::session_by::passkey)}});
    return r;
}

result<reply> logout(storage::transaction& tx, const call& c)
{
    if (const auto nothing = message::read(c.body, {}); !nothing) return nothing.error();
    if (!c.session.empty()) storage::session_store::remove(tx, hash_of(c.session));
    reply r;
    r.status = 204;
    r.media_type.clear();
    r.headers.emplace_back("Set-Cookie", set_cookie({}, {}, c.config().public_url.starts_with("https:")));
    return r;
}

result<reply> me(storage::transaction&, const call& c) { return json_reply(200, {{"person", person_json(*c.person)}}); }

}  // namespace sallyport::people
