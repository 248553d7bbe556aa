// Migration 12: what deciding costs people.
#pragma once

#include <string_view>

namespace sallyport::storage {

inline constexpr std::string_view migration_012 = R"(
-- When a person was told of a hold, was passed over for having been asked too often, and was first shown it. The hold is no foreign
-- key, for checking it would lock the hold: whoever only looks must not wait for whoever decides, nor they for each other.
CREATE TABLE asks (
    hold      hold_id NOT NULL,
    person    person_id NOT NULL REFERENCES people,
    asked_at  timestamptz,
    passed_at timestamptz,
    shown_at  timestamptz,
    PRIMARY KEY (hold, person),
    CHECK (num_nonnulls(asked_at, passed_at, shown_at) > 0)
);
CREATE INDEX asks_recent ON asks (asked_at) WHERE asked_at IS NOT NULL;
CREATE INDEX asks_of_person ON asks (person, asked_at) WHERE asked_at IS NOT NULL;
CREATE INDEX asks_passed ON asks (person, passed_at) WHERE passed_at IS NOT NULL;
CREATE INDEX asks_shown ON asks (person, shown_at) WHERE shown_at IS NOT NULL;

-- Null: not known, as of every decision that the previous release writes.
ALTER TABLE decisions ADD COLUMN fast boolean;

-- The previous release writes none, and its holds are alike to nothing.
ALTER TABLE holds ADD COLUMN alike text NOT NULL DEFAULT '';
CREATE INDEX holds_alike ON holds (alike, created_at DESC, id DESC) WHERE alike <> '';
)";

}  // namespace sallyport::storage
