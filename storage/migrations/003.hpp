// Migration 3: the log, what is told to people, and the gateway's own keys.
#pragma once

#include <string_view>

namespace sallyport::storage {

inline constexpr std::string_view migration_003 = R"(
-- What happened, not yet in the log. Its order is that of `id`: what depends on a committed entry comes after it.
-- No foreign keys from here on: the log outlives what it tells of.
CREATE TABLE audit_pending (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at     timestamptz NOT NULL,
    kind   text NOT NULL CHECK (kind IN ('verdict', 'hold', 'decision', 'release', 'outcome', 'admin')),
    action action_id,
    hold   hold_id,
    agent  agent_id,
    person person_id,
    data   text NOT NULL  -- text: the leaves of the tree commit to its bytes
);

CREATE TABLE audit_log (
    index     bigint PRIMARY KEY CHECK (index >= 0),
    at        timestamptz NOT NULL,
    kind      text NOT NULL,
    action    action_id,
    hold      hold_id,
    agent     agent_id,
    person    person_id,
    data      text NOT NULL,
    leaf_hash digest32
);
CREATE INDEX ON audit_log (at);
CREATE INDEX ON audit_log (kind, index);
CREATE INDEX ON audit_log (hold, index) WHERE hold IS NOT NULL;
CREATE INDEX ON audit_log (action, index) WHERE action IS NOT NULL;
CREATE INDEX ON audit_log (agent, index) WHERE agent IS NOT NULL;
CREATE INDEX ON audit_log (person, index) WHERE person IS NOT NULL;

-- One row, locked by whoever integrates: the log has one end.
CREATE TABLE audit_head (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    size       bigint NOT NULL CHECK (size >= 0),
    tree       bytea NOT NULL,
    checkpoint text NOT NULL
);
INSERT INTO audit_head (size, tree, checkpoint) VALUES (0, '', '');

-- The log only grows, whoever writes to the table.
CREATE FUNCTION audit_log_is_for_ever() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only';
END $$;
CREATE TRIGGER audit_log_is_for_ever BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_for_ever();

CREATE TABLE journals (
    id       text PRIMARY KEY,
    position bigint NOT NULL CHECK (position >= 0)
);

CREATE TABLE outbox (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key         text NOT NULL UNIQUE,
    channel     text NOT NULL,
    hold        hold_id REFERENCES holds,
    person      person_id REFERENCES people,
    payload     text NOT NULL,
    state       text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'dead')),
    attempts    integer NOT NULL DEFAULT 0,
    message_ref text NOT NULL DEFAULT '',
    last_error  text NOT NULL DEFAULT '',
    next_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ON outbox (channel, next_at) WHERE state = 'pending';
CREATE INDEX ON outbox (id) WHERE state = 'dead';
CREATE INDEX ON outbox (hold) WHERE hold IS NOT NULL;
CREATE INDEX ON outbox (created_at) WHERE state = 'sent';

CREATE TABLE signing_keys (
    kid        text PRIMARY KEY,
    purpose    text NOT NULL,
    alg        text NOT NULL,
    sealed     bytea NOT NULL,
    jwk        text NOT NULL,
    created_at timestamptz NOT NULL,
    retired_at timestamptz
);
-- One of a purpose signs at a time.
CREATE UNIQUE INDEX signing_keys_active ON signing_keys (purpose) WHERE retired_at IS NULL;
)";

}  // namespace sallyport::storage
