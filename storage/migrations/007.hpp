// Migration 7: who somebody is at an identity provider, and how a session was made.
#pragma once

#include <string_view>

namespace sallyport::storage {

inline constexpr std::string_view migration_007 = R"(
-- A provider's name for somebody is its issuer and subject together, to the byte (OpenID Connect Core 1.0 §2); an address is
-- looked at once, when the two are brought together. A second account of the same provider for one person would be a second
-- way in that nobody asked for.
CREATE TABLE oidc_identities (
    issuer       text COLLATE "C" NOT NULL CHECK (octet_length(issuer) BETWEEN 1 AND 2048),
    subject      text COLLATE "C" NOT NULL CHECK (octet_length(subject) BETWEEN 1 AND 255),
    person       person_id NOT NULL REFERENCES people,
    linked_at    timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject),
    UNIQUE (person, issuer)
);

-- The previous release makes sessions by passkeys alone, and says nothing of them.
ALTER TABLE sessions ADD COLUMN made_by text NOT NULL DEFAULT 'passkey' CHECK (made_by IN ('passkey', 'oidc'));
ALTER TABLE sessions ADD COLUMN user_agent text NOT NULL DEFAULT '' CHECK (octet_length(user_agent) <= 200);
)";

}  // namespace sallyport::storage
