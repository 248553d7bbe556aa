// The channel that needs no configuration: browsers whose people have switched it on.
#pragma once

#include "gateway/config/configuration.hpp"
#include "gateway/jose/key.hpp"
#include "notifiers/channel.hpp"

#include <memory>

namespace sallyport::notify {

/// `key` signs for push services (signing_keys::push).
std::shared_ptr<notifiers::channel> make_push(const config::configuration&, jose::private_key key);

}  // namespace sallyport::notify
