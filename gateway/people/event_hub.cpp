#include "gateway/people/event_hub.hpp"

#include "gateway/log/log.hpp"
#include "storage/hold_store.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace sallyport::people {
namespace {

constexpr std::size_t most_waiting = 1000;  // a stream that takes less than that is not being read

}  // namespace

subscription::taken subscription::take()
{
    const std::lock_guard lock(mutex_);
    return std::exchange(waiting_, taken{});
}

void subscription::give(const hold_news& news, bool behind)
{
    {
        const std::lock_guard lock(mutex_);
        waiting_.behind = waiting_.behind || behind || waiting_.news.size() + news.size() > most_waiting;
        if (!waiting_.behind) waiting_.news.insert(waiting_.news.end(), news.begin(), news.end());
    }
    core_.post([self = self_] {
        if (const auto alive = self.lock()) alive->wake.fire();
    });
}

// Shared with what runs on database threads, so that the hub may go before its last answer comes.
struct event_hub::state : std::enable_shared_from_this<event_hub::state> {
    explicit state(storage::database& database) : db(database) {}

    storage::database& db;
    std::mutex mutex;
    std::vector<std::weak_ptr<subscription>> streams;
    std::set<hold_id> changed;
    bool reading = false;

    std::vector<std::shared_ptr<subscription>> open_streams()
    {
        std::vector<std::shared_ptr<subscription>> open;
        std::erase_if(streams, [&](const std::weak_ptr<subscription>& s) {
            auto alive = s.lock();
            if (!alive) return true;
            open.push_back(std::move(alive));
            return false;
        });
        return open;
    }

    // With the mutex held; one reading at a time, so that nobody sees two states of a hold in the wrong order.
    std::vector<hold_id> next_batch()
    {
        if (reading || changed.empty()) return {};
        reading = true;
        const auto batch = std::exchange(changed, {});
        return {batch.begin(), batch.end()};
    }

    void read(std::vector<hold_id> batch)
    {
        if (batch.empty()) return;
        const auto all = std::make_shared<const std::vector<hold_id>>(std::move(batch));
        db.run_then([all](storage::transaction& tx) { return news_of(tx, *all); },
                    [self = shared_from_this(), all](result<hold_news> news) {
                        if (!news && news.error().what != problem::storage_unavailable)
                            self->read_alone(all, 0, {});
                        else
                            self->hand_out(news ? *news : hold_news{}, !news);
                    });
    }

    // One of them cannot be read: the others are news all the same, and no stream is behind.
    void read_alone(std::shared_ptr<const std::vector<hold_id>> all, std::size_t at, hold_news so_far)
    {
        if (at == all->size()) return hand_out(so_far, false);
        const hold_id id = (*all)[at];
        db.run_then([id](storage::transaction& tx) { return news_of(tx, {id}); },
                    [self = shared_from_this(), all = std::move(all), at, id, so_far = std::move(so_far)](result<hold_news> news) mutable {
                        if (news)
                            so_far.insert(so_far.end(), news->begin(), news->end());
                        else if (news.error().what == problem::storage_unavailable)
                            return self->hand_out(so_far, true);
                        else
                            log::error("hold cannot be read", {{"hold", id.text()}, {"cause", news.error().cause}});
                        self->read_alone(std::move(all), at + 1, std::move(so_far));
                    });
    }

    static hold_news news_of(storage::transaction& tx, const std::vector<hold_id>& of)
    {
        hold_news news;
        for (const hold_id& id : of)
            if (auto found = storage::hold_store::get(tx, id)) news.push_back(std::make_shared<const hold>(std::move(found->hold)));
        return news;
    }

    void hand_out(const hold_news& news, bool behind)
    {
        std::vector<std::shared_ptr<subscription>> open;
        std::vector<hold_id> batch;
        {
            const std::lock_guard lock(mutex);
            open = open_streams();
            reading = false;
            if (open.empty()) changed.clear();
            // With the database away every change fails, and every stream has just been told: no need to try again.
            if (behind) changed.clear();
            batch = next_batch();
        }
        for (const auto& stream : open) stream->give(news, behind);
        read(std::move(batch));
    }
};

event_hub::event_hub(storage::database& db) : state_(std::make_shared<state>(db)) {}
event_hub::~event_hub() = default;

void event_hub::changed(hold_id id)
{
    std::vector<hold_id> batch;
    {
        const std::lock_guard lock(state_->mutex);
        if (state_->open_streams().empty()) return;
        state_->changed.insert(id);
        batch = state_->next_batch();
    }
    state_->read(std::move(batch));
}

void event_hub::missed()
{
    std::vector<std::shared_ptr<subscription>> open;
    {
        const std::lock_guard lock(state_->mutex);
        open = state_->open_streams();
    }
    for (const auto& stream : open) stream->give({}, true);
}

std::shared_ptr<subscription> event_hub::subscribe(http::core& core)
{
    auto made = std::make_shared<subscription>(core);
    made->self_ = made;
    const std::lock_guard lock(state_->mutex);
    state_->streams.push_back(made);
    return made;
}

}  // namespace sallyport::people
