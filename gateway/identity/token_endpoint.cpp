#include "gateway/identity/token_endpoint.hpp"

#include "gateway/canonical/field.hpp"
#include "gateway/identity/form.hpp"
#include "gateway/jose/jwt.hpp"
#include "storage/agent_store.hpp"
#include "storage/key_store.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace sallyport::identity {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view assertion_type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
constexpr std::string_view task_type = "sallyport_task";
constexpr duration oldest_assertion = 5min;
constexpr duration clock_difference = 30s;
constexpr std::size_t longest_intent = 2000;

// What an assertion is verified with when there is no key to verify it with: the examples of RFC 7515 §A.3 and §A.2, RFC
// 8037 §A.2. Whatever they say, the answer is no.
constexpr std::string_view nobodys_keys[] = {
    R"({"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})",
    R"({"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
    R"({"e":"AQAB","kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT)"
    R"(-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtd)"
    R"(VMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"})"};

oauth_answer refuse(int status, std::string_view error, std::string_view description, std::string agent = {})
{
    boost::json::object body{{"error", error}};
    if (!description.empty()) body["error_description"] = description;
    return {status, boost::json::serialize(body), std::move(agent), std::string(error) + ": " + std::string(description)};
}

// One answer for whatever is wrong with client or assertion, so that nobody learns which names exist; the log says more.
oauth_answer refuse_client(std::string why, std::string agent = {})
{
    oauth_answer answer = refuse(401, "invalid_client", "The client assertion is not acceptable.", std::move(agent));
    answer.error = "invalid_client: " + std::move(why);
    return answer;
}

bool is_form(std::string_view content_type)
{
    const auto end = std::min(content_type.find(';'), content_type.size());
    auto type = content_type.substr(0, end);
    while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
    return same_ignoring_case(type, "application/x-www-form-urlencoded");
}

// RFC 9396 §2: one object of our type, with `intent`, and optional `limits` and `expires_at`.
std::optional<oauth_answer> read_task(std::string_view text, time_point now, duration lifetime, std::optional<task>& into)
{
    const auto wrong = [](std::string_view why) { return refuse(400, "invalid_authorization_details", why); };
    boost::system::error_code error;
    const auto value = boost::json::parse(text, error);
    if (error || !value.is_array() || value.as_array().size() != 1 || !value.as_array()[0].is_object())
        return wrong("authorization_details must be a list of one object.");
    task read;
    read.expires_at = now + lifetime;
    bool typed = false;
    for (const auto& [name, member] : value.as_array()[0].as_object()) {
        if (name == "type") {
            typed = member.is_string() && member.as_string() == task_type;
        } else if (name == "intent" && member.is_string()) {
            read.intent = member.as_string();
        } else if (name == "limits" && (member.is_object() || member.is_null())) {
            read.limits = member;
        } else if (name == "expires_at" && member.is_string()) {
            const auto at = parse_rfc3339(member.as_string());
            if (!at || *at <= now) return wrong("expires_at must be an RFC 3339 time to come.");
            read.expires_at = std::min(read.expires_at, *at);
        } else {
            return wrong("authorization_details has a member that is unknown or of a wrong type.");
        }
    }
    if (!typed) return wrong("The type must be sallyport_task.");
    if (read.intent.empty() || read.intent.size() > longest_intent) return wrong("A task needs an intent of 1 to 2000 bytes.");
    into = std::move(read);
    return std::nullopt;
}

bool may_sign(const agent_key& key, std::string_view kid, time_point now)
{
    return (kid.empty() || kid == key.kid) && (!key.not_after || *key.not_after > now);
}

// The agent's key that signed the assertion. Where no key can have, one is verified with all the same: from the time that
// it takes nobody learns whether a name exists.
const agent_key* key_that_signed(const jose::jwt& assertion, const agent* who, time_point now)
{
    bool tried = false;
    const auto signed_by = [&](std::string_view jwk) {
        const auto half = jose::public_key::from_jwk(jwk);
        if (!half || !half->fits(assertion.alg())) return false;
        tried = true;
        return assertion.signed_by(*half);
    };
    if (who)
        for (const agent_key& key : who->keys)
            if (may_sign(key, assertion.kid(), now) && signed_by(key.jwk)) return &key;
    for (const auto jwk : nobodys_keys)
        if (!tried) static_cast<void>(signed_by(jwk));
    return nullptr;
}

}  // namespace

std::string metadata(std::string_view issuer)
{
    const std::string base(issuer);
    return boost::json::serialize(boost::json::object{
        {"issuer", base},
        {"token_endpoint", base + "/oauth2/token"},
        {"jwks_uri", base + "/.well-known/jwks.json"},
        {"response_types_supported", boost::json::array{}},
        {"grant_types_supported", {"client_credentials"}},
        {"token_endpoint_auth_methods_supported", {"private_key_jwt"}},
        {"token_endpoint_auth_signing_alg_values_supported", {"ES256", "EdDSA", "Ed25519", "RS256", "PS256"}},
        {"authorization_details_types_supported", {task_type}},
    });
}

token_call token_call::read(const oauth_settings& settings, const directory& all, std::string_view content_type, std::string_view body,
                            time_point now)
{
    token_call call;
    call.settings_ = settings;
    call.now_ = now;
    const auto answered = [&](oauth_answer a) {
        call.answer_ = std::move(a);
        return call;
    };

    if (!is_form(content_type)) return answered(refuse(400, "invalid_request", "The body must be application/x-www-form-urlencoded."));
    const auto form = parse_form(body);
    if (!form) return answered(refuse(400, "invalid_request", "The form is malformed, or has a parameter twice."));
    const auto parameter = [&](std::string_view name) {
        const auto found = form->find(name);
        return found == form->end() ? std::string_view() : std::string_view(found->second);
    };

    if (parameter("grant_type").empty()) return answered(refuse(400, "invalid_request", "grant_type is missing."));
    if (parameter("grant_type") != "client_credentials") return answered(refuse(400, "unsupported_grant_type", "Only client_credentials."));
    if (parameter("client_assertion_type") != assertion_type || parameter("client_assertion").empty())
        return answered(refuse_client("no client_assertion of type jwt-bearer"));

    auto assertion = jose::jwt::parse(parameter("client_assertion"));
    if (!assertion) return answered(refuse_client(assertion.error().detail));
    call.client_ = assertion->text_claim("sub").value_or("");
    if (call.client_.empty() || assertion->text_claim("iss") != call.client_)
        return answered(refuse_client("iss and sub are not one name"));
    if (const auto id = parameter("client_id"); !id.empty() && id != call.client_)
        return answered(refuse_client("client_id is another than sub"));
    // RFC 7523 §3: for us alone. A list that names others too would let them use it against us.
    if (assertion->audiences() != 1 ||
        !(assertion->has_audience(settings.issuer) || assertion->has_audience(settings.issuer + "/oauth2/token")))
        return answered(refuse_client("aud is neither the issuer nor the token endpoint"));

    const auto expires = assertion->time_claim("exp");
    if (!expires || *expires <= now) return answered(refuse_client("expired, or without exp"));
    if (*expires > now + oldest_assertion) return answered(refuse_client("exp is more than five minutes ahead"));
    call.assertion_expires_ = *expires;
    if (assertion->claims().find("iat")) {
        const auto issued = assertion->time_claim("iat");
        if (!issued || *issued > now + clock_difference) return answered(refuse_client("iat is in the future"));
        if (*issued < now - oldest_assertion) return answered(refuse_client("iat is more than five minutes ago"));
    }
    if (assertion->claims().find("nbf")) {
        const auto from = assertion->time_claim("nbf");
        if (!from || *from > now + clock_difference) return answered(refuse_client("nbf is in the future"));
    }
    call.jti_ = assertion->text_claim("jti").value_or("");
    if (call.jti_.empty()) return answered(refuse_client("no jti"));

    const agent* who = all.agent_named(call.client_);
    const agent_key* key = key_that_signed(*assertion, who, now);
    if (!key) return answered(refuse_client(who ? "no key of the agent's verifies it" : "unknown agent", who ? who->name : std::string()));
    call.kid_ = key->kid;

    auto scopes = parse_scopes(parameter("scope"));
    if (!scopes) return answered(refuse(400, "invalid_scope", "More scopes than an agent can have.", who->name));
    call.scopes_ = std::move(*scopes);
    if (const auto details = parameter("authorization_details"); !details.empty())
        if (auto wrong = read_task(details, now, settings.lifetime, call.task_)) return answered(std::move(*wrong));
    return call;
}

oauth_answer token_call::grant(storage::transaction& tx, const signing_keys& keys, const std::array<std::uint8_t, 10>& random,
                               const std::string& jti) const
{
    const auto agent = storage::agent_store::by_name(tx, client_);
    if (!agent) return refuse_client("unknown agent");
    const bool stands =
        std::any_of(agent->keys.begin(), agent->keys.end(), [&](const agent_key& key) { return may_sign(key, kid_, now_); });
    if (!stands) return refuse_client("the key is no longer the agent's", agent->name);
    if (storage::key_store::use_assertion(tx, agent->id, jti_, assertion_expires_ + clock_difference) == storage::race::lost)
        return refuse_client("jti was used before", agent->name);
    if (agent->status != agent_status::active)
        return refuse(400, "unauthorized_client", "This agent is " + std::string(name_of(agent->status)) + ".", agent->name);

    std::vector<scope> given;
    for (const std::string& text : agent->scopes) given.push_back(scope::parse(text));
    for (const scope& asked : scopes_)
        if (std::none_of(given.begin(), given.end(), [&](const scope& g) { return g.covers(asked); }))
            return refuse(400, "invalid_scope", "The agent was not given " + asked.text() + ".", agent->name);

    token_request request{agent->id, agent->name, scopes_.empty() ? given : scopes_, task_, settings_.lifetime};
    if (request.task) request.task->id = task_id::make(now_, random);
    boost::json::object body{
        {"access_token", issue(keys, settings_.issuer, request, now_, jti)},
        {"token_type", "Bearer"},
        {"expires_in", std::chrono::floor<std::chrono::seconds>(expiry_of(request, now_) - now_).count()},
        {"scope", text_of(request.scopes)},
    };
    if (request.task)
        body["authorization_details"] = boost::json::array{boost::json::object{{"type", task_type},
                                                                               {"id", request.task->id.text()},
                                                                               {"intent", request.task->intent},
                                                                               {"limits", request.task->limits},
                                                                               {"expires_at", format_rfc3339(request.task->expires_at)}}};
    return {200, boost::json::serialize(body), agent->name, {}};
}

}  // namespace sallyport::identity
