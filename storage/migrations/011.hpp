// Migration 11: what an approval leaves behind for similar calls.
#pragma once

#include <string_view>

namespace sallyport::storage {

inline constexpr std::string_view migration_011 = R"(
CREATE DOMAIN grant_id AS text COLLATE "C" CHECK (length(VALUE) = 30 AND starts_with(VALUE, 'grt_'));

-- Its terms are what people signed, and are never changed; what is left of it is two numbers that only grow. That no more is
-- used than was signed is said here too, whatever the code believes. Amounts are exact.
-- Neither the agent nor the person is a reference: checking it would lock their rows after the hold's or the grant's, and who
-- suspends an agent goes the other way. The hold has the agent, and people are never deleted.
CREATE TABLE grants (
    id          grant_id PRIMARY KEY,
    hold        hold_id NOT NULL UNIQUE REFERENCES holds,  -- whose approvals left it behind
    agent       agent_id NOT NULL,
    route       text NOT NULL,
    method      text NOT NULL,
    target      text NOT NULL,
    terms       text NOT NULL,  -- RFC 8785
    count_limit integer NOT NULL CHECK (count_limit BETWEEN 1 AND 1000),
    used        integer NOT NULL DEFAULT 0,
    sum_limit   numeric,
    sum_used    numeric NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    revoked_at  timestamptz,
    revoked_by  person_id,
    revoked_why text NOT NULL DEFAULT '',

    CONSTRAINT no_more_calls_than_granted CHECK (used BETWEEN 0 AND count_limit),
    CONSTRAINT no_more_than_the_sum CHECK (sum_used >= 0 AND (sum_limit IS NULL OR sum_used <= sum_limit)),
    CONSTRAINT bounded_sum CHECK (sum_limit IS NULL OR sum_limit BETWEEN 0 AND 99999999999999999999.999999999),
    CONSTRAINT ends_after_it_began CHECK (expires_at > created_at AND expires_at <= created_at + interval '30 days 1 second'),
    CONSTRAINT revoked_with_a_reason CHECK ((revoked_at IS NULL) = (revoked_why = '')),
    CONSTRAINT revoked_by_somebody_once CHECK (revoked_by IS NULL OR revoked_at IS NOT NULL)
);
CREATE INDEX grants_newest ON grants (created_at DESC, id DESC);
CREATE INDEX grants_of_agent ON grants (agent, created_at DESC, id DESC);
-- What is asked with every call that is held.
CREATE INDEX grants_usable ON grants (agent, expires_at) WHERE revoked_at IS NULL AND used < count_limit;

-- The previous release reads neither column. A hold that a grant approved has no decisions for it, and is not sent by it: it
-- ends void when its time to be sent is over, or is sent by a replica of this release before.
ALTER TABLE holds ADD COLUMN granted_by grant_id REFERENCES grants;
CREATE INDEX holds_of_grant ON holds (granted_by, id) WHERE granted_by IS NOT NULL;
ALTER TABLE decisions ADD COLUMN grant_terms text CHECK (grant_terms <> '');
)";

}  // namespace sallyport::storage
