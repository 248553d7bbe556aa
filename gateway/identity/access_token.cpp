#include "gateway/identity/access_token.hpp"

#include "gateway/canonical/jcs.hpp"
#include "gateway/jose/jwt.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace sallyport::identity {
namespace {

constexpr std::string_view token_type = "at+jwt";  // RFC 9068 §2.1
constexpr std::string_view task_type = "sallyport_task";

std::int64_t numeric_date(time_point t) { return std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count(); }

failure refused(std::string why) { return fail(problem::unauthenticated, std::move(why)); }

result<std::shared_ptr<const claims::task_claims>> read_task(const json::value& all, std::span<const scope> scopes, time_point now)
{
    std::shared_ptr<const claims::task_claims> none;
    const json::value* details = all.find("authorization_details");
    if (!details || details->size() == 0) return none;
    const json::value& detail = details->at(0);
    const auto member = [&](std::string_view name) { return detail.find(name) ? detail.find(name)->string() : std::string_view(); };
    if (member("type") != task_type) return refused("The access token's authorization_details are not a task.");
    const auto expires = parse_rfc3339(member("expires_at"));
    if (!expires || *expires <= now) return refused("The access token's task has expired.");

    auto task = std::make_shared<claims::task_claims>();
    task->expires_at = *expires;
    task->facts.id = member("id");
    task->facts.intent = member("intent");
    for (const scope& s : scopes) task->facts.scopes.push_back(s.text());
    if (const json::value* limits = detail.find("limits"); limits && !limits->is(json::kind::null)) {
        task->text = jcs(*limits);
        auto parsed = json::document::parse(task->text);
        if (!parsed) return parsed.error();
        task->limits = std::move(*parsed);
        task->facts.limits = &task->limits->root();
    }
    return std::shared_ptr<const claims::task_claims>(std::move(task));
}

}  // namespace

time_point expiry_of(const token_request& request, time_point now)
{
    const time_point ends = now + request.lifetime;
    return request.task ? std::min(ends, request.task->expires_at) : ends;
}

std::string issue(const signing_keys& keys, std::string_view issuer, const token_request& request, time_point now, const std::string& jti)
{
    boost::json::object payload{
        {"iss", issuer},
        {"sub", request.agent.text()},
        {"client_id", request.client_id},
        {"aud", issuer},
        {"scope", text_of(request.scopes)},
        {"iat", numeric_date(now)},
        {"exp", numeric_date(expiry_of(request, now))},
        {"jti", jti},
    };
    if (request.task)
        payload["authorization_details"] = boost::json::array{boost::json::object{
            {"type", task_type},
            {"id", request.task->id.text()},
            {"intent", request.task->intent},
            {"limits", request.task->limits},
            {"expires_at", format_rfc3339(request.task->expires_at)},
        }};
    return jose::sign_compact(keys.token(), token_type, boost::json::serialize(payload));
}

result<claims> verify(const signing_keys& keys, std::string_view issuer, std::string_view compact, time_point now)
{
    auto token = jose::jwt::parse(compact);
    if (!token) return refused("The access token is malformed.");
    // RFC 9068 §4: the type first, so that no other JWT of ours passes for an access token.
    if (!token->has_typ(token_type)) return refused("The token is not an access token.");
    const jose::public_key* key = keys.token_key(token->kid());
    if (!key || !token->signed_by(*key)) return refused("The access token is not of this gateway.");
    if (token->text_claim("iss") != issuer || token->audiences() != 1 || !token->has_audience(issuer))
        return refused("The access token is for another audience.");

    claims read;
    const auto expires = token->time_claim("exp");
    if (!expires || *expires <= now) return refused("The access token has expired.");
    const auto agent = agent_id::parse(token->text_claim("sub").value_or(""));
    if (!agent) return refused("The access token names no agent.");
    read.agent = *agent;
    read.expires_at = *expires;
    auto scopes = parse_scopes(token->text_claim("scope").value_or(""));
    if (!scopes) return refused("The access token's scope is too long.");
    read.scopes = std::move(*scopes);
    auto task = read_task(token->claims(), read.scopes, now);
    if (!task) return task.error();
    read.task = std::move(*task);
    // Whoever remembers these claims asks for this time and no other.
    if (read.task) read.expires_at = std::min(read.expires_at, read.task->expires_at);
    return read;
}

}  // namespace sallyport::identity
