// Migration 6: messages that need no telling any more.
#pragma once

#include <string_view>

namespace sallyport::storage {

inline constexpr std::string_view migration_006 = R"(
-- A message whose reason went before it could be sent is neither sent nor a dead letter.
ALTER TABLE outbox DROP CONSTRAINT outbox_state_check;
ALTER TABLE outbox ADD CONSTRAINT outbox_state_check CHECK (state IN ('pending', 'sent', 'dead', 'skipped'));
DROP INDEX outbox_created_at_idx;
CREATE INDEX outbox_over ON outbox (created_at) WHERE state IN ('sent', 'skipped');
)";

}  // namespace sallyport::storage
