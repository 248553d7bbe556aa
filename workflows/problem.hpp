// The names by which a call, a decision or a request can fail: contract.md "Refusals", wire.md "Problem document".
// One table gives each its status, title and `retry`, so that agent, page and log tell one story.
#pragma once

#include <optional>
#include <string_view>

namespace sallyport {

enum class problem {
    // judging a call
    malformed_request,
    unauthenticated,
    agent_suspended,
    no_route,
    insufficient_scope,
    body_too_large,
    denied_by_policy,
    credential_missing,
    overloaded,
    storage_unavailable,
    // sending it on
    upstream_unreachable,
    upstream_timeout,
    outcome_unknown,
    // a held call
    denied_by_person,
    expired,
    withdrawn,
    undeliverable,
    void_,
    idempotency_conflict,
    no_hold,
    hold_closed,
    response_gone,
    // the people's side
    no_enrolment,
    cross_origin,
    not_eligible,
    statement_stale,
    assurance_too_low,
    bad_assertion,
    not_permitted,
    not_found,
    method_not_allowed,
    misdirected_request,
    unsupported_media_type,
    // administration
    conflict,
    invalid_input,
    // ours
    internal_error,
};

/// Whether sending the same thing again can help; `changed`: only another request might pass.
enum class retry { no, yes, changed };

struct problem_facts {
    std::string_view name;   // the last part of `urn:sallyport:problem:NAME`
    int status;              // HTTP status
    std::string_view title;  // one sentence, the same for each occurrence (RFC 9457 §3.1.3)
    sallyport::retry retry;
};

const problem_facts& facts(problem) noexcept;

/// The enumerator with that name; none for a name that is not ours.
std::optional<problem> problem_named(std::string_view name) noexcept;

}  // namespace sallyport
