// Live news for the people's side: each change of a hold is read once and handed to every open stream, which shows it
// to its person or not. Nothing is promised: a stream that cannot keep up is ended, and its page reads everything anew.
#pragma once

#include "gateway/http/async.hpp"
#include "gateway/http/core.hpp"
#include "storage/database.hpp"
#include "workflows/hold.hpp"
#include "workflows/ids.hpp"

#include <memory>
#include <mutex>
#include <vector>

namespace sallyport::people {

using hold_news = std::vector<std::shared_ptr<const hold>>;

/// One open stream. Belongs to a core: `wake` is its, the rest may be touched by any thread.
class subscription {
public:
    explicit subscription(http::core& core) : core_(core) {}

    http::signal wake;  // fired when there is something to take

    struct taken {
        hold_news news;
        bool behind = false;  // something was missed: end the stream
    };
    taken take();

private:
    friend class event_hub;
    void give(const hold_news&, bool behind);

    http::core& core_;
    std::weak_ptr<subscription> self_;
    std::mutex mutex_;
    taken waiting_;
};

class event_hub {
public:
    explicit event_hub(storage::database&);
    /// The database must have stopped, or have nothing of this hub left to do; streams must have ended.
    ~event_hub();
    event_hub(const event_hub&) = delete;
    event_hub& operator=(const event_hub&) = delete;

    /// That hold was made or moved (NOTIFY on storage::hold_channel). Any thread; does not block.
    void changed(hold_id);
    /// News may have been missed (storage::listener's `reconnected`): ends every stream. Any thread.
    void missed();

    std::shared_ptr<subscription> subscribe(http::core&);

private:
    struct state;
    std::shared_ptr<state> state_;
};

}  // namespace sallyport::people
