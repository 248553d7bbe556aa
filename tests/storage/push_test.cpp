#include "storage/push_store.hpp"

#include "storage/outbox_store.hpp"
#include "storage/person_store.hpp"
#include "storage/session_store.hpp"
#include "tests/storage/fixture.hpp"
#include "tests/storage/people.hpp"

#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace sallyport::storage {

using namespace std::chrono_literals;

namespace {

push_subscription browser(char name, person_id whose, char session = 's')
{
    push_subscription s;
    s.id = std::string(22, name);
    s.person = whose;
    s.service = "push.example";
    s.sealed = std::string("sealed\0", 7) + name;
    s.user_agent = "Browser";
    s.session_hash = bytes32(session);
    return s;
}

outbox_entry told(person_id whom, std::string channel = "push")
{
    outbox_entry m;
    m.key = "hold/" + channel + "/" + whom.text();
    m.channel = std::move(channel);
    m.person = whom;
    return m;
}

}  // namespace

TEST_CASE("a browser is one row, whoever it is, and a person has so many")
{
    fixture f;
    const auto ada = f.in([](transaction& tx) { return add_person(tx, "ada"); });
    const auto grace = f.in([](transaction& tx) { return add_person(tx, "grace"); });
    f.in([&](transaction& tx) {
        CHECK(push_store::put(tx, browser('a', ada.id), 2) == race::won);
        CHECK(push_store::put(tx, browser('b', ada.id), 2) == race::won);
        CHECK(push_store::put(tx, browser('c', ada.id), 2) == race::lost);
        CHECK(push_store::put(tx, browser('b', ada.id, 't'), 2) == race::won);  // again
    });
    f.in([&](transaction& tx) {
        CHECK(push_store::find(tx, std::string(22, 'b'))->session_hash == bytes32('t'));
        CHECK(push_store::find(tx, std::string(22, 'a'))->sealed == std::string("sealed\0a", 8));
        CHECK(push_store::list(tx, ada.id).size() == 2);
        CHECK_FALSE(push_store::find(tx, std::string(22, 'c')));
        CHECK_FALSE(push_store::remove(tx, grace.id, std::string(22, 'a')));
        CHECK(push_store::put(tx, browser('a', grace.id), 2) == race::won);  // somebody else signed in there
        CHECK(push_store::list(tx, ada.id).size() == 1);
        CHECK(push_store::remove(tx, grace.id, std::string(22, 'a')));
        CHECK(push_store::list(tx, grace.id).empty());
    });
}

TEST_CASE("what ends a session by hand ends its browsers, and time alone does not")
{
    fixture f;
    const auto ada = f.in([](transaction& tx) { return add_person(tx, "ada"); });
    const auto count = [&] { return f.in([&](transaction& tx) { return push_store::list(tx, ada.id).size(); }); };
    f.in([&](transaction& tx) {
        session_store::create(tx, {bytes32('s'), ada.id, {}, tx.now() + 1h});
        session_store::create(tx, {bytes32('t'), ada.id, {}, tx.now() + 20ms});
        push_store::put(tx, browser('a', ada.id, 's'), 9);
        push_store::put(tx, browser('b', ada.id, 't'), 9);
    });
    while (f.in([](transaction& tx) { return session_store::remove_expired(tx); }) == 0) std::this_thread::yield();
    CHECK(count() == 2);
    f.in([](transaction& tx) { CHECK(session_store::remove(tx, bytes32('s'))); });
    CHECK(count() == 1);
    f.in([](transaction& tx) { person_store::set_status(tx, "ada", person_status::disabled).value(); });
    CHECK(count() == 0);
}

TEST_CASE("each browser gets a message of its own, and word of the end")
{
    fixture f;
    const auto ada = f.in([](transaction& tx) { return add_person(tx, "ada"); });
    const auto grace = f.in([](transaction& tx) { return add_person(tx, "grace"); });
    f.in([&](transaction& tx) {
        push_store::put(tx, browser('a', ada.id), 9);
        push_store::put(tx, browser('b', ada.id), 9);
    });
    f.in([&](transaction& tx) {
        CHECK(outbox_store::enqueue(tx, std::vector{told(ada.id), told(grace.id), told(grace.id, "email")}) == 3);
        CHECK(outbox_store::enqueue(tx, std::vector{told(ada.id), told(grace.id)}) == 0);  // nobody twice
    });
    const auto due = f.in([](transaction& tx) { return outbox_store::due(tx, "push", 10, 1h); });
    REQUIRE(due.size() == 2);
    CHECK(due[0].browser == std::string(22, 'a'));
    CHECK(due[1].browser == std::string(22, 'b'));
    CHECK(due[1].key == "hold/push/" + ada.id.text() + "/" + std::string(22, 'b'));
    // One failed, and it alone is tried again.
    f.in([&](transaction& tx) {
        CHECK(outbox_store::sent(tx, std::vector<outbox_store::sent_message>{{due[0].id, ""}, {999'999, ""}}) == 1);
        CHECK(outbox_store::again(tx, due[1].id, tx.now(), "500") == race::won);
    });
    const auto again = f.in([](transaction& tx) { return outbox_store::due(tx, "push", 10, 1h); });
    REQUIRE(again.size() == 1);
    CHECK(again[0].id == due[1].id);
    CHECK(again[0].attempts == 2);
    // Taken and not begun, as if it had not been taken.
    f.in([&](transaction& tx) { CHECK(outbox_store::give_back(tx, std::vector<std::int64_t>{again[0].id, due[0].id}) == 1); });
    const auto back = f.in([](transaction& tx) { return outbox_store::due(tx, "push", 10, 1h); });
    REQUIRE(back.size() == 1);
    CHECK(back[0].attempts == 2);
}

TEST_CASE("how a channel fares is known to every replica")
{
    fixture f;
    const auto state = [&] { return f.in([](transaction& tx) { return outbox_store::counts(tx)["email"]; }); };
    CHECK_FALSE(state().last_sent_at);
    f.in([](transaction& tx) { outbox_store::note_failed(tx, "email", "421"); });
    const auto since = state().failing_since;
    REQUIRE(since);
    f.in([](transaction& tx) { outbox_store::note_failed(tx, "email", "451"); });
    CHECK(state().failing_since == since);
    CHECK(state().last_error == "451");
    f.in([](transaction& tx) { outbox_store::note_sent(tx, "email"); });
    CHECK_FALSE(state().failing_since);
    CHECK(state().last_error.empty());
    const auto sent = state().last_sent_at;
    REQUIRE(sent);
    f.in([](transaction& tx) { outbox_store::note_sent(tx, "email"); });
    CHECK(state().last_sent_at == sent);  // not with each message
}

}  // namespace sallyport::storage
