// Migration 4: what a hold must remember of its sending.
#pragma once

#include <string_view>

namespace sallyport::storage {

inline constexpr std::string_view migration_004 = R"(
-- Between two attempts at an idempotent upstream the hold is `approved` once more, and only this tells it from one of
-- which nothing was sent. No CHECK binds it to the status: the previous release, which does not know it, goes on working.
ALTER TABLE holds ADD COLUMN maybe_sent boolean NOT NULL DEFAULT false;
-- An authority alone does not say whether the way to it is encrypted. Null where the previous release wrote the row.
ALTER TABLE actions ADD COLUMN scheme text CHECK (scheme IN ('http', 'https'));
)";

}  // namespace sallyport::storage
