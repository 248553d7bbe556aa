// The channels that a configuration names, ready to deliver.
#pragma once

#include "gateway/config/configuration.hpp"
#include "notifiers/channel.hpp"
#include "notifiers/slack.hpp"

#include <map>
#include <memory>
#include <string>

namespace sallyport::notify {

/// By the names that `via` uses.
using channel_map = std::map<std::string, std::shared_ptr<notifiers::channel>, std::less<>>;

channel_map make_channels(const config::configuration&);

/// How Slack is spoken to.
notifiers::slack_options slack_options_of(const config::slack_notifier&);

}  // namespace sallyport::notify
