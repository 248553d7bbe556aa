// The gateway's keys for tests: real ones, in a real database.
#pragma once

#include "gateway/identity/signing_keys.hpp"
#include "gateway/jose/sealing.hpp"
#include "tests/storage/fixture.hpp"

namespace sallyport::identity::testing {

inline keyring some_keyring()
{
    const storage::temporary_directory place;
    return keyring::open_or_create(place.path() / "master.key").value();
}

/// The database of a new schema, with signing keys in it.
struct house : storage::fixture {
    keyring ring = some_keyring();
    signing_keys keys = signing_keys::load(db(), ring).value();
};

}  // namespace sallyport::identity::testing
