// Upstream credentials, sealed by their owner before they come here: this folder never sees one. Changes move the
// directory's generation.
#pragma once

#include "storage/transaction.hpp"
#include "workflows/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::storage {

struct credential_info {
    std::string name;
    std::string type;    // `header`, `basic`, `bearer`…
    std::string header;  // empty: as the type says
    time_point updated_at;
    friend bool operator==(const credential_info&, const credential_info&) = default;
};

struct sealed_credential {
    credential_info info;
    std::string sealed;  // bytes
};

namespace credential_store {

/// New or in place of the one with that name; whether it is new. `updated_at` is the database's clock.
bool put(transaction&, const sealed_credential&);
std::vector<credential_info> list(transaction&);
std::vector<sealed_credential> load(transaction&);
result<void> remove(transaction&, std::string_view name);  // not_found

}  // namespace credential_store
}  // namespace sallyport::storage
