// Migration 9: browsers that are told by push, and how each channel fares.
#pragma once

#include <string_view>

namespace sallyport::storage {

inline constexpr std::string_view migration_009 = R"(
-- A browser that its person has switched on (RFC 8030, a push subscription). Whoever knows the address may send there, so that
-- it is sealed, with the keys that messages are encrypted to. The session is the one that it was switched on in: ended by
-- hand it takes its browser along; that it expires changes nothing, for who is told while away is the point.
CREATE TABLE push_subscriptions (
    id           text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_-]{22}$'),
    person       person_id NOT NULL REFERENCES people,
    service      text NOT NULL CHECK (octet_length(service) BETWEEN 1 AND 255),
    sealed       bytea NOT NULL,
    user_agent   text NOT NULL CHECK (octet_length(user_agent) <= 200),
    session_hash bytea NOT NULL,
    created_at   timestamptz NOT NULL
);
CREATE INDEX push_subscriptions_person ON push_subscriptions (person);
CREATE INDEX push_subscriptions_session ON push_subscriptions (session_hash);

-- One message a browser, so that one that fails is tried again by itself. It outlives its subscription, as what was told.
ALTER TABLE outbox ADD COLUMN browser text;

-- Of each channel that has been used: replicas write it with the outcomes of what they delivered.
CREATE TABLE channel_states (
    channel       text PRIMARY KEY,
    failing_since timestamptz,
    last_error    text NOT NULL DEFAULT '',
    last_sent_at  timestamptz
);
)";

}  // namespace sallyport::storage
