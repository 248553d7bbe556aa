// The schema and how it came to be: numbered steps, each with its reason, all that are missing applied in one
// transaction. Replicas may start at once: an advisory lock lets one work and the others find it done. A schema that is
// newer than this program is refused, because an old program does not know what it may write there.
#pragma once

#include "workflows/result.hpp"
#include "workflows/secret.hpp"

#include <span>
#include <stop_token>
#include <string_view>

namespace sallyport::storage {

struct migration {
    int number;            // 1, 2, 3…
    std::string_view why;  // one sentence, kept in schema_version
    std::string_view sql;  // several statements; names without a schema
};

/// In order, without a gap. A released one is never edited: what it made is changed by a later one, which leaves the
/// previous release working.
std::span<const migration> migrations() noexcept;

/// Brings `schema` to the last of `steps`, making it where it does not exist; how many were applied. Blocks, at most a
/// minute for another replica that does the same. `storage_unavailable` when the database cannot be reached, `conflict`
/// when the schema is newer than `steps`. `given_up` cuts it short, and nothing is applied.
result<int> migrate(const secret& connection_string, std::string_view schema, std::span<const migration> steps = migrations(),
                    std::stop_token given_up = {});

}  // namespace sallyport::storage
