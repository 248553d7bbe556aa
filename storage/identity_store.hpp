// Who somebody is at an identity provider: issuer and subject, linked to one person.
#pragma once

#include "storage/transaction.hpp"
#include "workflows/ids.hpp"

#include <optional>
#include <string_view>

namespace sallyport::storage::identity_store {

/// Whose it is, whatever their status.
std::optional<person_id> find(transaction&, std::string_view issuer, std::string_view subject);
/// Whether that person has an account there already.
bool linked(transaction&, person_id, std::string_view issuer);
/// Lost: that account or that person was linked meanwhile. Moves the directory's generation.
race link(transaction&, std::string_view issuer, std::string_view subject, person_id);
void used(transaction&, std::string_view issuer, std::string_view subject);

}  // namespace sallyport::storage::identity_store
