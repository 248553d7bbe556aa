#include "gateway/release/telling.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::release;
using storage::message_kind;

namespace {

template <class Id>
Id some_id(std::uint8_t n)
{
    ulid_bytes raw{};
    raw.back() = n;
    return Id::from_bytes(raw);
}

hold some_hold()
{
    hold h;
    h.id = some_id<hold_id>(3);
    h.version = 7;
    return h;
}

std::vector<std::string> keys_of(const std::vector<storage::outbox_entry>& messages)
{
    std::vector<std::string> keys;
    for (const auto& m : messages) keys.push_back(m.key);
    return keys;
}

}  // namespace

TEST_CASE("people are told one by one where a channel reaches persons, webhooks once, and by push whatever the step says")
{
    const auto ada = some_id<person_id>(1), grace = some_id<person_id>(2);
    const hold h = some_hold();
    const std::string id = h.id.text();
    const effect both = effects::tell_people{h.id, {ada, grace}, {"email", "ops"}};
    const auto messages = messages_of(h, std::vector{both, effect(effects::tell_changed{h.id})});
    CHECK(keys_of(messages) == std::vector{id + "/email/" + ada.text(), id + "/email/" + grace.text(), id + "/ops/7",
                                           id + "/push/" + ada.text(), id + "/push/" + grace.text()});
    CHECK(messages[0].person == ada);
    CHECK_FALSE(messages[2].person);
    for (const auto& m : messages) {
        CHECK(m.what == message_kind::asked);
        CHECK(m.hold == h.id);
        CHECK(m.key.size() <= 128);
    }
    CHECK(keys_of(messages_of(h, std::vector{effect(effects::tell_people{h.id, {ada}, {}})})) == std::vector{id + "/push/" + ada.text()});
    CHECK(messages_of(h, std::vector{effect(effects::release_action{h.id})}).empty());
}

TEST_CASE("each reminder is a message of its own")
{
    const auto ada = some_id<person_id>(1);
    hold h = some_hold();
    const effect again = effects::remind_people{h.id, {ada}, {"slack", "ops"}};
    const auto first = messages_of(h, std::vector{again});
    ++h.version;
    const auto second = messages_of(h, std::vector{again});
    CHECK(keys_of(first) == std::vector{h.id.text() + "/slack/" + ada.text() + "/reminded/7", h.id.text() + "/ops/7/reminded/7",
                                        h.id.text() + "/push/" + ada.text() + "/reminded/7"});
    CHECK(keys_of(first) != keys_of(second));
    CHECK(first[0].what == message_kind::reminded);
}
