// Migration 2: actions, holds, decisions and their evidence.
#pragma once

#include <string_view>

namespace sallyport::storage {

inline constexpr std::string_view migration_002 = R"(
-- json, not jsonb: it is read whole, and kept as it was written.
CREATE TABLE actions (
    id              action_id PRIMARY KEY,
    agent           agent_id NOT NULL REFERENCES agents,
    task            json,
    route           text NOT NULL,
    policy          text NOT NULL,
    method          text NOT NULL,
    authority       text NOT NULL,
    target          text NOT NULL,
    request_host    text NOT NULL,
    request_target  text NOT NULL,
    content_digest  text,
    digest          text NOT NULL,
    content_length  bigint NOT NULL CHECK (content_length >= 0),
    media_type      text NOT NULL,
    sealed_payload  bytea,
    rules           json NOT NULL,
    idempotency_key text CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    created_at      timestamptz NOT NULL
);
-- Sealed bytes do not compress; trying costs time with every hold.
ALTER TABLE actions ALTER COLUMN sealed_payload SET STORAGE EXTERNAL;
-- The same key of an agent is the same hold, also for two calls at once.
CREATE UNIQUE INDEX actions_idempotency ON actions (agent, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- Which replicas live. A node is a data directory; its earlier incarnations ended when it started again.
CREATE TABLE replicas (
    id           text PRIMARY KEY,
    node         text NOT NULL,
    started_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    heartbeat_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at     timestamptz
);
CREATE INDEX ON replicas (node) WHERE ended_at IS NULL;

CREATE TABLE holds (
    id             hold_id PRIMARY KEY,
    action         action_id NOT NULL UNIQUE REFERENCES actions,
    agent          agent_id NOT NULL REFERENCES agents,
    owner          text NOT NULL,
    route          text NOT NULL,
    status         text NOT NULL CHECK (status IN ('held', 'approved', 'releasing', 'released', 'denied', 'expired',
                                                   'withdrawn', 'undeliverable', 'void', 'unknown')),
    version        bigint NOT NULL CHECK (version >= 1),
    reasons        json NOT NULL,
    demands        json NOT NULL,
    created_at     timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    decided_at     timestamptz,
    closed_at      timestamptz,
    wake_at        timestamptz,
    release_by     timestamptz,
    attempts       integer NOT NULL CHECK (attempts >= 0),
    detail         text NOT NULL,
    outcome_status integer CHECK (outcome_status BETWEEN 100 AND 999),
    outcome_at     timestamptz,
    search         text NOT NULL,  -- in small letters: what people look for
    claimed_by     text REFERENCES replicas,
    retry_at       timestamptz,

    CONSTRAINT closed_when_final CHECK ((closed_at IS NOT NULL) =
        (status IN ('released', 'denied', 'expired', 'withdrawn', 'undeliverable', 'void', 'unknown'))),
    -- Time moves what is held, and nothing that is closed.
    CONSTRAINT woken_while_held CHECK (status <> 'held' OR wake_at IS NOT NULL),
    CONSTRAINT closed_sleeps CHECK (closed_at IS NULL OR wake_at IS NULL),
    CONSTRAINT decided_before_release CHECK (status NOT IN ('approved', 'releasing') OR decided_at IS NOT NULL),
    CONSTRAINT whole_outcome CHECK ((outcome_status IS NULL) = (outcome_at IS NULL)),
    -- Nothing is sent but by a replica that has said so before.
    CONSTRAINT releasing_is_claimed CHECK (status <> 'releasing' OR claimed_by IS NOT NULL),
    CONSTRAINT claims_for_release CHECK (claimed_by IS NULL OR status IN ('approved', 'releasing')),
    CONSTRAINT expires_later CHECK (expires_at > created_at)
);
CREATE INDEX holds_newest ON holds (created_at DESC, id DESC);
CREATE INDEX holds_of_agent ON holds (agent, created_at DESC, id DESC);
CREATE INDEX holds_by_status ON holds (status, created_at DESC, id DESC);
CREATE INDEX holds_open ON holds (agent, id) WHERE closed_at IS NULL;
CREATE INDEX holds_wake ON holds (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX holds_release ON holds (decided_at) WHERE status IN ('approved', 'releasing');

CREATE TABLE decisions (
    id            decision_id PRIMARY KEY,
    hold          hold_id NOT NULL REFERENCES holds,
    person        person_id NOT NULL REFERENCES people,
    kind          text NOT NULL CHECK (kind IN ('approve', 'deny')),
    reason        text NOT NULL,
    assurance     text NOT NULL CHECK (assurance IN ('click', 'session', 'passkey')),
    at            timestamptz NOT NULL,
    counts_in     text[] NOT NULL,
    taken_back_at timestamptz
);
-- Distinct people, whatever the code believes: nobody fills two places.
CREATE UNIQUE INDEX decisions_distinct ON decisions (hold, person) WHERE taken_back_at IS NULL;
CREATE INDEX ON decisions (person, at);

CREATE TABLE evidence (
    decision           decision_id PRIMARY KEY REFERENCES decisions,
    statement          text NOT NULL,
    authenticator_data bytea,
    client_data_json   bytea,
    signature          bytea,
    credential_id      bytea,
    public_key         bytea,
    channel            text NOT NULL,
    channel_evidence   text NOT NULL,
    -- An assertion is whole or there is none.
    CHECK (num_nonnulls(authenticator_data, client_data_json, signature, credential_id, public_key) IN (0, 5))
);

CREATE TABLE responses (
    hold        hold_id PRIMARY KEY REFERENCES holds,
    status      integer NOT NULL CHECK (status BETWEEN 100 AND 999),
    headers     json NOT NULL,
    sealed_body bytea NOT NULL,
    expires_at  timestamptz NOT NULL
);
ALTER TABLE responses ALTER COLUMN sealed_body SET STORAGE EXTERNAL;
CREATE INDEX ON responses (expires_at);
)";

}  // namespace sallyport::storage
