// Migration 8: who is whom in Slack.
#pragma once

#include <string_view>

namespace sallyport::storage {

inline constexpr std::string_view migration_008 = R"(
-- Confirmed by both sides: a signed request of Slack's named the account, a session the person. One account is one person, and a
-- person has one account, so that there is one place where they are told.
CREATE TABLE slack_identities (
    team       text NOT NULL CHECK (team <> ''),
    slack_user text NOT NULL CHECK (slack_user <> ''),
    person     person_id NOT NULL UNIQUE REFERENCES people (id),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (team, slack_user)
);
)";

}  // namespace sallyport::storage
