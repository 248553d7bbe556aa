// Migration 10: labels and absences of people, and what approvals must remember.
#pragma once

#include <string_view>

namespace sallyport::storage {

inline constexpr std::string_view migration_010 = R"(
ALTER TABLE people ADD COLUMN labels json NOT NULL DEFAULT '{}';

-- One a person: the present one or the next. What is over is history, and that is the log's.
CREATE TABLE absences (
    person  person_id PRIMARY KEY REFERENCES people,
    from_at timestamptz NOT NULL,
    until_at timestamptz NOT NULL,
    deputy  person_id REFERENCES people,
    CHECK (until_at > from_at),
    CHECK (deputy <> person)
);

-- The previous release reads neither, and what it writes is neither.
ALTER TABLE decisions ADD COLUMN in_place_of text[] NOT NULL DEFAULT '{}';
ALTER TABLE decisions ADD COLUMN break_glass boolean NOT NULL DEFAULT false;
ALTER TABLE decisions ADD CONSTRAINT glass_is_loud CHECK
    (NOT break_glass OR (kind = 'approve' AND assurance = 'passkey' AND reason <> '' AND in_place_of = '{}'));

-- Who decides a hold whose workflow excludes the last approver locks the agent's row first.
CREATE TABLE approval_turns (
    agent agent_id PRIMARY KEY REFERENCES agents
);
CREATE INDEX holds_decided_of_agent ON holds (agent, decided_at DESC) WHERE decided_at IS NOT NULL;
)";

}  // namespace sallyport::storage
