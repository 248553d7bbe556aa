// People and agents that tests of several stores need.
#pragma once

#include "storage/agent_store.hpp"
#include "storage/person_store.hpp"
#include "tests/storage/fixture.hpp"

#include <string>

namespace sallyport::storage {

inline invitation invitation_of(const std::string& handle, unsigned n, time_point expires_at)
{
    invitation i;
    i.id = some_id<person_id>(n);
    i.handle = handle;
    i.name = "Name of " + handle;
    i.email = handle + "@example.com";
    i.code_hash = bytes32(static_cast<char>('A' + n));
    i.expires_at = expires_at;
    return i;
}

/// Each handle its own id.
inline person add_person(transaction& tx, const std::string& handle)
{
    unsigned n = 100;
    for (const char c : handle) n = n * 31 + static_cast<unsigned char>(c);
    auto i = invitation_of(handle, n % 60'000, tx.now() + std::chrono::hours(1));
    i.code_hash = bytes32('_');
    i.code_hash.replace(0, handle.size(), handle);
    return person_store::invite(tx, i).value().person;
}

inline agent agent_of(unsigned n, const std::string& name, const owner_name& owner)
{
    agent a;
    a.id = some_id<agent_id>(n);
    a.name = name;
    a.cls = agent_class::digital_worker;
    a.owner = owner;
    return a;
}

}  // namespace sallyport::storage
