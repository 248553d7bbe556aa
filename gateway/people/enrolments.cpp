#include "gateway/canonical/sha256.hpp"
#include "gateway/jose/random.hpp"
#include "gateway/people/request.hpp"
#include "gateway/people/resources.hpp"
#include "gateway/people/views.hpp"
#include "gateway/people/webauthn.hpp"
#include "storage/audit_store.hpp"
#include "storage/directory_store.hpp"
#include "storage/passkey_store.hpp"
#include "storage/person_store.hpp"
#include "storage/session_store.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace sallyport::people {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view enrol_purpose = "enrol";
constexpr std::string_view login_purpose = "login";
constexpr auto challenge_life = 5min;
constexpr std::size_t challenge_bytes = 32;
constexpr std::size_t session_bytes = 32;

webauthn::relying_party party(const call& c) { return {c.config().public_host, origin_of(c.config().public_url)}; }

std::string hash_of(std::string_view token) { return std::string(sha256(token).view()); }

failure spent() { return fail(problem::no_enrolment); }

std::vector<webauthn::known_credential> known(const std::vector<storage::passkey>& passkeys)
{
    std::vector<webauthn::known_credential> all;
    for (const auto& p : passkeys) all.push_back({p.credential_id, p.transports});
    return all;
}

// Says nothing about the person, and is the same for all of their passkeys.
std::string user_handle(const person& p) { return {reinterpret_cast<const char*>(p.id.bytes().data()), p.id.bytes().size()}; }

void add_session(storage::transaction& tx, const call& c, const person& p, reply& r)
{
    const std::string token = random_text(session_bytes);
    storage::session s;
    s.token_hash = hash_of(token);
    s.person = p.id;
    s.expires_at = tx.now() + c.config().limits.session;
    storage::session_store::create(tx, s);
    const auto life = std::chrono::duration_cast<std::chrono::seconds>(c.config().limits.session);
    r.headers.emplace_back("Set-Cookie", set_cookie(token, life, c.config().public_url.starts_with("https:")));
}

void record(storage::transaction& tx, const person& p, std::string_view act)
{
    storage::audit_entry entry;
    entry.at = tx.now();
    entry.kind = "admin";
    entry.person = p.id;
    entry.data = boost::json::serialize(boost::json::object{{"act", act}, {"handle", p.handle}});
    storage::audit_store::append(tx, entry);
}

}  // namespace

result<reply> enrolment_options(storage::transaction& tx, const call& c)
{
    if (const auto nothing = message::read(c.body, {}); !nothing) return nothing.error();
    const auto found = storage::person_store::find_enrolment(tx, hash_of(c.path[1]));
    if (!found) return spent();
    storage::challenge made;
    made.value = random_bytes(challenge_bytes);
    made.purpose = enrol_purpose;
    made.person = found->person.id;
    made.payload = sha256(c.path[1]).hex();
    made.expires_at = tx.now() + challenge_life;
    storage::passkey_store::put_challenge(tx, made);
    const webauthn::user user{user_handle(found->person), found->person.handle, found->person.name};
    return json_reply(200,
                      webauthn::creation_options(party(c), user, made.value, known(storage::passkey_store::list(tx, found->person.id))));
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
    const auto asked = value ? storage::passkey_store::take_challenge(tx, enrol_purpose, *value) : std::nullopt;
    // The code stays good: whoever mistyped a PIN may try again with new options.
    const failure wrong = fail(problem::bad_assertion, "The challenge is unknown, used or expired.");
    if (!asked || asked->person != found->person.id || asked->payload != sha256(c.path[1]).hex()) return problem_reply(wrong);
    const auto key = webauthn::verify_registration(*message, party(c), asked->value);
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
    record(tx, found->person, "passkey.add");

    person now = found->person;
    now.has_passkey = true;
    reply r = json_reply(201, {{"person", person_json(now)}});
    add_session(tx, c, now, r);
    r.directory_generation = storage::directory_store::current_generation(tx);
    return r;
}

result<reply> login_options(storage::transaction& tx, const call& c)
{
    if (const auto nothing = message::read(c.body, {}); !nothing) return nothing.error();
    storage::challenge made;
    made.value = random_bytes(challenge_bytes);
    made.purpose = login_purpose;
    made.expires_at = tx.now() + challenge_life;
    storage::passkey_store::put_challenge(tx, made);
    return json_reply(200, webauthn::request_options(party(c), made.value, {}, challenge_life));
}

result<reply> login(storage::transaction& tx, const call& c)
{
    const auto document = json::document::parse(c.body);
    if (!document) return document.error();
    const auto message = webauthn::read_assertion(document->root());
    if (!message) return message.error();
    const auto value = webauthn::stated_challenge(message->client_data_json);
    const auto asked = value ? storage::passkey_store::take_challenge(tx, login_purpose, *value) : std::nullopt;
    // The same for an unknown passkey, a disabled person and a wrong signature.
    const failure wrong = fail(problem::bad_assertion, "This passkey does not sign anybody in.");
    const auto passkey = storage::passkey_store::find(tx, message->credential_id);
    const auto who = passkey ? storage::person_store::by_id(tx, passkey->person) : std::nullopt;
    if (!asked || !who || who->status != person_status::active) return problem_reply(wrong);
    // Nobody was named before, so that the passkey itself must say whose it is (WebAuthn Level 3, §7.2 step 6).
    if (message->user_handle != passkey->user_handle) return problem_reply(wrong);
    const auto counter = webauthn::verify_assertion(*message, party(c), asked->value, passkey->public_key);
    if (!counter || storage::passkey_store::count_up(tx, passkey->credential_id, *counter) == storage::race::lost)
        return problem_reply(wrong);

    reply r = json_reply(200, {{"person", person_json(*who)}});
    add_session(tx, c, *who, r);
    record(tx, *who, "login");
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
