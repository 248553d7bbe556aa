// A master key of a test's own.
#pragma once

#include "gateway/jose/sealing.hpp"
#include "tests/gateway/config/directory.hpp"

namespace sallyport::openid::testing {

inline keyring some_keyring()
{
    const config::testing::directory place;
    return keyring::open_or_create(place.path() / "master.key").value();
}

}  // namespace sallyport::openid::testing
