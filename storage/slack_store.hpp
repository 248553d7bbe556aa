// Which account of Slack is which person.
#pragma once

#include "storage/transaction.hpp"
#include "workflows/ids.hpp"
#include "workflows/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sallyport::storage {

struct slack_identity {
    std::string team;  // Slack's ids: `T…`, `U…`
    std::string user;
    person_id person;
    time_point created_at;
};

namespace slack_store {

/// `conflict` where that account or that person is connected already. `created_at` is the database's clock.
result<void> connect(transaction&, const slack_identity&);
std::optional<slack_identity> find(transaction&, std::string_view team, std::string_view user);
std::optional<slack_identity> of_person(transaction&, person_id);
/// False: there was none.
bool disconnect(transaction&, person_id);

}  // namespace slack_store
}  // namespace sallyport::storage
