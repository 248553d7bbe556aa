#include "gateway/serve/caller.hpp"

namespace sallyport::serve {
namespace {

// RFC 6750 §2.1: the header alone; a token in a URL ends up in logs.
result<std::string_view> bearer_token(const http::request_head& head)
{
    constexpr std::string_view scheme = "Bearer ";
    std::optional<std::string_view> found;
    for (const field& f : head.fields) {
        if (!http::equals_ignoring_case(f.name, "authorization")) continue;
        if (found) return fail(problem::unauthenticated, "Authorization is given twice.");
        found = f.value;
    }
    if (!found) return fail(problem::unauthenticated, "An access token is needed: Authorization: Bearer …");
    if (found->size() <= scheme.size() || !http::equals_ignoring_case(found->substr(0, scheme.size()), scheme))
        return fail(problem::unauthenticated, "Authorization must be of the scheme Bearer.");
    return found->substr(scheme.size());
}

}  // namespace

result<const agent*> active_agent(const identity::standing& standing, agent_id id)
{
    const agent* who = standing.directory->find(id);
    if (!who) return fail(problem::unauthenticated, "The access token's agent is not known.");
    if (who->status != agent_status::active)
        return fail(problem::agent_suspended, "The agent " + who->name + " is " + std::string(name_of(who->status)) + ".");
    if (!standing.directory->has_active_owner(*who))
        return fail(problem::agent_suspended, "Nobody active is accountable for the agent " + who->name + " any more.");
    return who;
}

result<caller> identify(worker& w, const identity::signing_keys& keys, const identity::standing& standing, const http::request_head& head,
                        time_point now)
{
    const auto token = bearer_token(head);
    if (!token) return token.error();
    auto known = w.tokens().find(*token, standing.version, now);
    if (!known) {
        auto claims = identity::verify(keys, standing.config->agents_url, *token, now);
        if (!claims) return claims.error();
        known = w.tokens().remember(*token, standing.version, std::move(*claims));
    }
    const auto who = active_agent(standing, known->agent);
    if (!who) return who.error();
    w.seen((*who)->id, now);
    return caller{std::move(known), *who};
}

}  // namespace sallyport::serve
