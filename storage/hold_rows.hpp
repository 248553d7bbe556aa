// What the files that write holds share.
#pragma once

#include "storage/transaction.hpp"
#include "workflows/hold.hpp"

namespace sallyport::storage::hold_store {

void write_decision(transaction&, hold_id of, const decision&);

}  // namespace sallyport::storage::hold_store
