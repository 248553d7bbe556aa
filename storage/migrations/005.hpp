// Migration 5: cheaper entries in the log, and what its tree is called.
#pragma once

#include <string_view>

namespace sallyport::storage {

inline constexpr std::string_view migration_005 = R"(
-- Every allowed call is a row, so every index on it is paid for a thousand times a second. Time grows with the place, so a
-- summary of each range finds it. Of the kinds, verdicts are nearly all, and are found from the log's end. An action has a
-- handful of entries: sorting them costs nothing.
-- The new ones first: while they are made, the log can be read.
CREATE INDEX audit_log_at ON audit_log USING brin (at);
CREATE INDEX audit_log_kind ON audit_log (kind, index) WHERE kind <> 'verdict';
CREATE INDEX audit_log_action ON audit_log (action) WHERE action IS NOT NULL;
DROP INDEX audit_log_at_idx;
DROP INDEX audit_log_kind_index_idx;
DROP INDEX audit_log_action_index_idx;

-- What the log's checkpoints are of (C2SP tlog-checkpoint, "origin"): made once, here, and never changed, whatever becomes of
-- keys and addresses. The tree is kept in the head alone; leaf_hash is written no more, and stays for the previous release.
ALTER TABLE audit_head ADD COLUMN origin text NOT NULL DEFAULT 'sallyport/' || gen_random_uuid();
)";

}  // namespace sallyport::storage
