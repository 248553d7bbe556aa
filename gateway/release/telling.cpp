#include "gateway/release/telling.hpp"

#include <string>
#include <utility>

namespace sallyport::release {
namespace {

bool reaches_persons(std::string_view channel) noexcept { return channel == "slack" || channel == "email"; }

// To people by the channels that reach persons, and once by each of the others. What is said again has its move in its key.
void add(std::vector<storage::outbox_entry>& all, const hold& h, storage::message_kind what, const std::vector<person_id>& people,
         const std::vector<std::string>& via)
{
    const std::string version = std::to_string(h.version);
    const auto one = [&](const std::string& channel, const std::string& key) {
        storage::outbox_entry& m = all.emplace_back();
        m.key = h.id.text() + '/' + channel + '/' + key;
        if (what != storage::message_kind::asked) m.key.append(1, '/').append(name_of(what)).append(1, '/').append(version);
        m.channel = channel;
        m.hold = h.id;
        m.what = what;
    };
    for (const std::string& channel : via) {
        if (!reaches_persons(channel)) {
            one(channel, version);
            continue;
        }
        for (const person_id who : people) {
            one(channel, who.text());
            all.back().person = who;
        }
    }
    // Push is of the inbox, and so of every step: to the browsers that somebody has switched on, if any.
    for (const person_id who : people) {
        one("push", who.text());
        all.back().person = who;
    }
}

}  // namespace

std::vector<storage::outbox_entry> messages_of(const hold& now, std::span<const effect> effects)
{
    std::vector<storage::outbox_entry> all;
    for (const effect& e : effects) {
        if (const auto* told = std::get_if<effects::tell_people>(&e)) add(all, now, storage::message_kind::asked, told->people, told->via);
        if (const auto* again = std::get_if<effects::remind_people>(&e))
            add(all, now, storage::message_kind::reminded, again->people, again->via);
        if (const auto* loud = std::get_if<effects::tell_glass_broken>(&e))
            add(all, now, storage::message_kind::glass_broken, loud->people, loud->via);
    }
    return all;
}

void tell(storage::transaction& tx, const hold& before, const hold& now, std::span<const effect> effects)
{
    storage::outbox_store::enqueue(tx, messages_of(now, effects));
    if (!closed(before.status) && closed(now.status)) storage::outbox_store::enqueue_ended(tx, now.id);
}

}  // namespace sallyport::release
