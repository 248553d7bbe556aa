// Migration 1: people, teams, agents and what they are known by.
#pragma once

#include <string_view>

namespace sallyport::storage {

inline constexpr std::string_view migration_001 = R"(
-- Identifiers are kept as they are written, so that a look into the database needs no tool. "C" because their order
-- is that of their bytes, on every machine.
CREATE DOMAIN action_id   AS text COLLATE "C" CHECK (length(VALUE) = 30 AND starts_with(VALUE, 'act_'));
CREATE DOMAIN hold_id     AS text COLLATE "C" CHECK (length(VALUE) = 30 AND starts_with(VALUE, 'hld_'));
CREATE DOMAIN decision_id AS text COLLATE "C" CHECK (length(VALUE) = 30 AND starts_with(VALUE, 'dec_'));
CREATE DOMAIN agent_id    AS text COLLATE "C" CHECK (length(VALUE) = 30 AND starts_with(VALUE, 'agt_'));
CREATE DOMAIN person_id   AS text COLLATE "C" CHECK (length(VALUE) = 30 AND starts_with(VALUE, 'per_'));
CREATE DOMAIN known_name  AS text COLLATE "C" CHECK (VALUE ~ '^[a-z0-9][a-z0-9._-]{0,63}$');
CREATE DOMAIN digest32    AS bytea CHECK (octet_length(VALUE) = 32);

-- How often something has changed that replicas keep a copy of: whoever changes it moves the row in the same
-- transaction, and whoever copies it locks the row meanwhile.
CREATE TABLE generations (
    name  text PRIMARY KEY,
    value bigint NOT NULL
);
INSERT INTO generations (name, value) VALUES ('directory', 1);

CREATE TABLE people (
    id         person_id PRIMARY KEY,
    handle     known_name NOT NULL UNIQUE,  -- for ever: nobody is deleted, only disabled
    name       text NOT NULL,
    email      text NOT NULL,
    roles      text[] NOT NULL CHECK (cardinality(roles) > 0 AND roles <@ ARRAY['approver', 'operator', 'auditor']),
    status     text NOT NULL CHECK (status IN ('active', 'disabled')),
    created_at timestamptz NOT NULL
);

CREATE TABLE teams (
    name       known_name PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE team_members (
    team   known_name NOT NULL REFERENCES teams ON DELETE CASCADE,
    person person_id NOT NULL REFERENCES people,
    PRIMARY KEY (team, person)
);
CREATE INDEX ON team_members (person);

CREATE TABLE enrolments (
    code_hash  digest32 PRIMARY KEY,
    person     person_id NOT NULL REFERENCES people,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    ended_at   timestamptz  -- spent, or void because a later one was made
);
-- One link a person is good at a time.
CREATE UNIQUE INDEX enrolments_open ON enrolments (person) WHERE ended_at IS NULL;

CREATE TABLE passkeys (
    credential_id bytea PRIMARY KEY CHECK (octet_length(credential_id) BETWEEN 1 AND 1023),  -- WebAuthn §4
    person        person_id NOT NULL REFERENCES people,
    public_key    bytea NOT NULL,
    sign_count    bigint NOT NULL CHECK (sign_count BETWEEN 0 AND 4294967295),
    user_handle   bytea NOT NULL CHECK (octet_length(user_handle) BETWEEN 1 AND 64),
    transports    text[] NOT NULL,
    name          text NOT NULL,
    created_at    timestamptz NOT NULL,
    last_used_at  timestamptz
);
CREATE INDEX ON passkeys (person);

CREATE TABLE challenges (
    value      bytea PRIMARY KEY CHECK (octet_length(value) BETWEEN 16 AND 128),
    purpose    text NOT NULL,
    person     person_id REFERENCES people,
    payload    text NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX ON challenges (expires_at);

CREATE TABLE sessions (
    token_hash digest32 PRIMARY KEY,
    person     person_id NOT NULL REFERENCES people,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    CHECK (expires_at > created_at)
);
CREATE INDEX ON sessions (person);
CREATE INDEX ON sessions (expires_at);

CREATE TABLE agents (
    id           agent_id PRIMARY KEY,
    name         known_name NOT NULL UNIQUE,  -- for ever: what the log says of a name stays true
    class        text NOT NULL CHECK (class IN ('personal', 'consumer', 'workforce', 'digital-worker')),
    owner_person known_name REFERENCES people (handle),
    owner_team   known_name REFERENCES teams (name),
    status       text NOT NULL CHECK (status IN ('active', 'suspended', 'revoked')),
    purpose      text NOT NULL,
    scopes       text[] NOT NULL,
    labels       json NOT NULL,
    created_at   timestamptz NOT NULL,
    last_seen_at timestamptz,
    CHECK (num_nonnulls(owner_person, owner_team) = 1)  -- somebody is always accountable
);
CREATE INDEX ON agents (owner_person) WHERE owner_person IS NOT NULL;
CREATE INDEX ON agents (owner_team) WHERE owner_team IS NOT NULL;

CREATE TABLE agent_keys (
    agent     agent_id NOT NULL REFERENCES agents,
    kid       text NOT NULL,
    jwk       text NOT NULL,
    added_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    not_after timestamptz,
    PRIMARY KEY (agent, kid)
);

CREATE TABLE used_assertions (
    agent      agent_id NOT NULL REFERENCES agents,
    jti_hash   digest32 NOT NULL,  -- a jti is as long and as odd as its maker likes
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (agent, jti_hash)
);
CREATE INDEX ON used_assertions (expires_at);

CREATE TABLE credentials (
    name       known_name PRIMARY KEY,
    type       text NOT NULL,
    header     text NOT NULL,
    sealed     bytea NOT NULL,
    updated_at timestamptz NOT NULL
);
)";

}  // namespace sallyport::storage
