#include "gateway/release/recheck.hpp"

#include "gateway/canonical/headers.hpp"
#include "gateway/canonical/target.hpp"
#include "gateway/policy/call_body.hpp"
#include "workflows/eligibility.hpp"

#include <algorithm>

namespace sallyport::release {
namespace {

// The task as the action's record keeps it.
struct recorded_task {
    std::optional<json::document> document;
    policy::task_facts facts;

    const policy::task_facts* read(std::string_view text)
    {
        if (text.empty()) return nullptr;
        auto parsed = json::document::parse(text);
        if (!parsed) return nullptr;
        document = std::move(*parsed);
        const auto member = [&](std::string_view name) { return document->root().find(name); };
        if (const auto* id = member("id")) facts.id = id->string();
        if (const auto* intent = member("intent")) facts.intent = intent->string();
        if (const auto* scopes = member("scopes"))
            for (std::size_t i = 0; i < scopes->size(); ++i) facts.scopes.emplace_back(scopes->at(i).string());
        facts.limits = member("limits");
        return &facts;
    }
};

}  // namespace

std::vector<workflow> demanded(const config::configuration& config, const policy::verdict& verdict)
{
    std::vector<workflow> all;
    for (const std::string& name : verdict.workflows)
        if (const auto found = config.workflows.find(name); found != config.workflows.end()) all.push_back(found->second);
    return all;
}

std::optional<std::string> why_void(const storage::stored_hold& held, const action& sent, const identity::standing& standing,
                                    const standing_grant* grant)
{
    const config::configuration& config = *standing.config;
    const storage::action_record& record = held.action;

    const agent* who = standing.directory->find(sent.agent);
    if (!who || who->status != agent_status::active) return "the agent is no longer active";
    if (!standing.directory->has_active_owner(*who)) return "the agent has no active owner";

    if (held.hold.grant && (!grant || grant->record.id != *held.hold.grant)) return "the grant is not there";
    if (grant && grant->record.revoked_at) return "the grant was revoked";

    const config::route* route = config.find_route(record.route);
    if (!route) return "the route no longer exists";
    const identity::credential* credential = standing.credential_of(*route);
    if (!route->credential.empty() && !credential) return std::string(facts(problem::credential_missing).name);
    // As judging takes them out: by the name that upstreams may make of it.
    if (credential &&
        std::any_of(sent.headers.begin(), sent.headers.end(), [&](const auto& h) { return same_folded_name(h.first, credential->header); }))
        return "the route's credential is now a field that was shown as the agent's";

    // The agent's own request, through today's route, must be the very action that was approved.
    std::string scratch;
    const auto target = read_target(record.request_target, record.request_host, scratch);
    if (!target) return "its target is no longer accepted";
    if (target->refused_by({route->keep_encoded_slash, route->keep_path_parameters})) return "its target is no longer accepted";
    const auto match = config.match_route(record.request_host, target->path);
    // Approved for an encrypted way, it does not go in clear (a row of the previous release does not say).
    const bool other_scheme = !record.scheme.empty() && record.scheme != scheme_of(route->upstream);
    if (match.route != route || other_scheme || route->upstream.authority != sent.authority ||
        join_target(route->upstream.base, match.rest, target->query) != sent.target)
        return "the route leads elsewhere now";
    if (sent.body.size() > route->body_limit) return "its body is larger than the route allows now";

    std::vector<policy::header> headers;
    for (const auto& [name, value] : sent.headers) headers.push_back({name, value});
    // A route that has got a credential since keeps more back than that one's field.
    header_list going;
    fields_to_upstream(headers, credential ? std::string_view(credential->header) : std::string_view(), going);
    if (going.size() != headers.size()) return "what was approved has fields that the route does not send now";
    std::optional<json::document> body;
    if (config.rules.reads_body(route->index)) {
        auto read = policy::read_body(headers, sent.body);
        if (!read) return "its body cannot be read";
        body = std::move(*read);
    }
    recorded_task task;
    policy::call_facts call;
    const std::string host = host_name(record.request_host);
    call.method = sent.method;
    call.host = host;
    call.path = match.rest.empty() ? std::string_view("/") : match.rest;
    call.query = target->query.value_or("");
    call.headers = headers;
    call.body = body ? &body->root() : nullptr;
    call.agent = who;
    call.task = task.read(record.task);
    call.now = held.now;

    const policy::verdict verdict = config.rules.judge(route->index, call);
    switch (verdict.kind) {
    case verdict_kind::allow: return std::nullopt;
    case verdict_kind::deny: return "policy denies it now";
    case verdict_kind::hold: break;
    }
    const auto workflows = demanded(config, verdict);
    if (grant) return why_not_granted(*grant, held.hold, grantable_of(sent, record), workflows, *standing.directory, held.now);
    if (workflows.empty() || !satisfied_by_new_demands(held.hold, workflows, *standing.directory, held.now))
        return "policy demands more than was approved now";
    return std::nullopt;
}

}  // namespace sallyport::release
