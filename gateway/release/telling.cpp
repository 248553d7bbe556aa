#include "gateway/release/telling.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace sallyport::release {
namespace {

bool reaches_persons(std::string_view channel) noexcept { return channel == "slack" || channel == "email"; }

bool asks_elsewhere(const hold& h)
{
    return std::any_of(h.demands.begin(), h.demands.end(), [](const demand& d) {
        return std::any_of(d.asks.steps.begin(), d.asks.steps.end(), [](const workflow_step& s) { return !s.via.empty(); });
    });
}

storage::outbox_entry message(const hold& h, const std::string& channel, std::string key)
{
    storage::outbox_entry m;
    m.key = h.id.text() + '/' + channel + '/' + std::move(key);
    m.channel = channel;
    m.hold = h.id;
    m.what = storage::message_kind::asked;
    return m;
}

}  // namespace

std::vector<storage::outbox_entry> messages_of(const hold& now, std::span<const effect> effects)
{
    std::vector<storage::outbox_entry> all;
    for (const effect& e : effects) {
        const auto* told = std::get_if<effects::tell_people>(&e);
        if (!told) continue;
        for (const std::string& channel : told->via) {
            if (!reaches_persons(channel)) {
                // Of this very move, and once, however many of its steps name the webhook.
                all.push_back(message(now, channel, std::to_string(now.version)));
                continue;
            }
            for (const person_id who : told->people) {
                all.push_back(message(now, channel, who.text()));
                all.back().person = who;
            }
        }
    }
    return all;
}

void tell(storage::transaction& tx, const hold& before, const hold& now, std::span<const effect> effects)
{
    storage::outbox_store::enqueue(tx, messages_of(now, effects));
    if (!closed(before.status) && closed(now.status) && asks_elsewhere(now)) storage::outbox_store::enqueue_ended(tx, now.id);
}

}  // namespace sallyport::release
