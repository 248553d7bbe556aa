#include "gateway/config/channel_names.hpp"

namespace sallyport::config {

std::set<std::string> channel_names(const configuration& c)
{
    std::set<std::string> names{"push"};
    if (c.notifiers.slack) names.insert("slack");
    if (c.notifiers.email) names.insert("email");
    for (const auto& hook : c.notifiers.webhooks) names.insert(hook.id);
    return names;
}

}  // namespace sallyport::config
