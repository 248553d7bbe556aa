#include "workflows/problem.hpp"

#include <array>
#include <cstddef>

namespace sallyport {
namespace {

struct row {
    problem what;
    problem_facts facts;
};

constexpr auto table = std::to_array<row>({
    {problem::malformed_request, {"malformed-request", 400, "The request can be read in more than one way, or in none.", retry::changed}},
    {problem::unauthenticated, {"unauthenticated", 401, "A valid access token is needed.", retry::no}},
    {problem::agent_suspended, {"agent-suspended", 403, "This agent is suspended or revoked.", retry::no}},
    {problem::no_route, {"no-route", 404, "No route leads there.", retry::changed}},
    {problem::insufficient_scope, {"insufficient-scope", 403, "The token does not cover this call.", retry::changed}},
    {problem::body_too_large, {"body-too-large", 413, "The body is larger than the route allows.", retry::changed}},
    {problem::denied_by_policy, {"denied-by-policy", 403, "Policy does not allow this call.", retry::changed}},
    {problem::credential_missing, {"credential-missing", 503, "The route's credential does not exist.", retry::no}},
    {problem::overloaded, {"overloaded", 503, "Too much at once.", retry::yes}},
    {problem::storage_unavailable, {"storage-unavailable", 503, "The database cannot be reached.", retry::yes}},
    {problem::upstream_unreachable, {"upstream-unreachable", 502, "Nothing could be sent to the upstream.", retry::yes}},
    {problem::upstream_timeout, {"upstream-timeout", 504, "The upstream did not answer in time.", retry::no}},
    {problem::outcome_unknown, {"outcome-unknown", 502, "The call was sent, but no whole answer was seen.", retry::no}},
    {problem::denied_by_person, {"denied-by-person", 403, "A person refused this call.", retry::no}},
    {problem::expired, {"expired", 403, "Nobody decided in time.", retry::yes}},
    {problem::withdrawn, {"withdrawn", 410, "The agent withdrew this call.", retry::no}},
    {problem::undeliverable, {"undeliverable", 503, "Nobody who may decide could be told.", retry::yes}},
    {problem::void_, {"void", 409, "At release, what stood behind this call no longer did.", retry::yes}},
    {problem::idempotency_conflict, {"idempotency-conflict", 422, "This Idempotency-Key belongs to another action.", retry::changed}},
    {problem::no_hold, {"no-hold", 404, "There is no such hold.", retry::no}},
    {problem::hold_closed, {"hold-closed", 409, "The hold is no longer open.", retry::no}},
    {problem::response_gone, {"response-gone", 410, "The answer is no longer kept.", retry::no}},
    {problem::no_enrolment, {"no-enrolment", 404, "This enrolment link is unknown, used or expired.", retry::no}},
    {problem::cross_origin, {"cross-origin", 403, "The request does not come from the gateway's own pages.", retry::no}},
    {problem::not_eligible, {"not-eligible", 403, "This person may not decide this hold.", retry::no}},
    {problem::statement_stale, {"statement-stale", 409, "The statement expired, was used, or its hold changed.", retry::changed}},
    {problem::assurance_too_low, {"assurance-too-low", 403, "The decision needs stronger proof.", retry::changed}},
    {problem::bad_assertion, {"bad-assertion", 422, "The passkey's answer does not verify.", retry::changed}},
    {problem::not_permitted, {"not-permitted", 403, "This person's roles do not allow that.", retry::no}},
    {problem::not_found, {"not-found", 404, "There is nothing here.", retry::no}},
    {problem::method_not_allowed, {"method-not-allowed", 405, "This resource does not take that method.", retry::changed}},
    {problem::misdirected_request, {"misdirected-request", 421, "This host is not served here.", retry::changed}},
    {problem::unsupported_media_type, {"unsupported-media-type", 415, "The body must be application/json.", retry::changed}},
    {problem::conflict, {"conflict", 409, "That exists already, or contradicts what exists.", retry::changed}},
    {problem::invalid_input, {"invalid-input", 400, "A value is not acceptable.", retry::changed}},
    {problem::internal_error, {"internal-error", 500, "The gateway failed.", retry::no}},
});

constexpr bool in_order()
{
    for (std::size_t i = 0; i < table.size(); ++i)
        if (static_cast<std::size_t>(table[i].what) != i) return false;
    return table.size() == static_cast<std::size_t>(problem::internal_error) + 1;
}
static_assert(in_order(), "the table follows the enumeration");

}  // namespace

const problem_facts& facts(problem what) noexcept { return table[static_cast<std::size_t>(what)].facts; }

std::optional<problem> problem_named(std::string_view name) noexcept
{
    for (const row& r : table)
        if (r.facts.name == name) return r.what;
    return std::nullopt;
}

}  // namespace sallyport
