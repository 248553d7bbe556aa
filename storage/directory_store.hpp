// Everybody and everything that calls are judged by, besides the configuration, in one consistent reading: for a
// snapshot in memory. Its generation says cheaply whether it is still that.
#pragma once

#include "storage/credential_store.hpp"
#include "storage/person_store.hpp"
#include "storage/transaction.hpp"
#include "workflows/agent.hpp"
#include "workflows/person.hpp"

#include <cstdint>
#include <vector>

namespace sallyport::storage {

struct directory {
    std::int64_t generation = 0;  // grows with every change of agents, people, passkeys, teams and credentials
    time_point read_at;           // by the database's clock
    std::vector<person> people;   // by handle; those disabled too
    std::vector<team> teams;      // by name
    std::vector<agent> agents;    // by name; those suspended and revoked too
    std::vector<credential_info> credentials;
};

namespace directory_store {

/// Changes wait while this reads, so that it sees whole ones.
directory load(transaction&);
std::int64_t current_generation(transaction&);
/// For the other stores: their change is told, and seen by the next reader of the generation.
void changed(transaction&);

}  // namespace directory_store
}  // namespace sallyport::storage
