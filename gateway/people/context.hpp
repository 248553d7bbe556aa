// What the people's side works with: given once by whoever builds the program, and outliving it.
#pragma once

#include "gateway/identity/standing.hpp"
#include "gateway/jose/sealing.hpp"
#include "gateway/openid/client.hpp"
#include "gateway/people/event_hub.hpp"
#include "notifiers/slack_errand.hpp"
#include "storage/database.hpp"
#include "web/assets.hpp"
#include "workflows/hold.hpp"
#include "workflows/ids.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace sallyport::people {

struct people_context {
    storage::database& db;
    const identity::standings& standings;
    keyring keys;
    event_hub& events;

    /// That hold is approved: wake the releaser. Any core's thread; must not block. May be empty: the releaser polls.
    std::function<void(hold_id)> approved;
    /// People or passkeys changed: read the directory soon. Any core's thread; must not block. May be empty.
    std::function<void()> directory_changed;
    /// A decision, or who left a team, has closed that hold, for whoever counts. Any core's thread. May be empty.
    std::function<void(const hold&)> closed;
    /// Somebody broke that hold's glass, for whoever counts. Any core's thread. May be empty.
    std::function<void(const hold&)> glass_broken;
    /// Says that in Slack, soon; false: too much waits. Any core's thread; must not block. May be empty.
    std::function<bool(notifiers::slack_errand)> slack;
    /// The pages: `web::find_page` and `web::find_asset` in the program, something smaller in tests.
    const web::asset* (*find_page)(std::string_view path) noexcept = nullptr;
    const web::asset* (*find_asset)(std::string_view path) noexcept = nullptr;
    /// Null: nobody signs in by a provider, whatever is configured.
    openid::client* openid = nullptr;
    /// What browsers are switched on for (identity/push_subscription.hpp).
    std::string push_key{};
    /// A decision was taken, for whoever counts. Any core's thread. May be empty.
    std::function<void(const decision&)> decided{};
};

}  // namespace sallyport::people
