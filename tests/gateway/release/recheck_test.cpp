#include "gateway/release/recheck.hpp"

#include "storage/credential_store.hpp"
#include "tests/gateway/release/scene.hpp"

#include <algorithm>

using namespace sallyport;
using namespace sallyport::release;
using namespace sallyport::release::testing;

TEST_CASE("what was approved is judged again under what stands then")
{
    upstream up, other;
    scene s(up.port());
    struct row {
        const char* name;
        std::function<void()> change;
        const char* why;  // null: it goes
    };
    const options as_it_was;
    const auto reload = [&](options with) { return [&s, &up, with = std::move(with)] { s.configure(up.port(), with); }; };
    const row rows[] = {
        {"nothing has changed", [] {}, nullptr},
        {"no rule holds it now", reload({"", "release_window: 60s", "approvals: 1", "false"}), "policy denies it now"},
        {"more approvals are demanded", reload({"", "release_window: 60s", "approvals: 2"}), "policy demands more than was approved now"},
        {"who approved is excluded now", reload({"", "release_window: 60s", "not: [\"person:ada\"]"}),
         "policy demands more than was approved now"},
        {"the route takes less", reload({"    body_limit: 4B"}), "its body is larger than the route allows now"},
        {"the route leads to another port", [&] { s.configure(other.port(), as_it_was); }, "the route leads elsewhere now"},
        {"the route is encrypted now", [&] { s.configure(up.port(), as_it_was, "https"); }, "the route leads elsewhere now"},
        {"the credential does not exist", reload({"    credential: payments-key"}), "credential-missing"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        s.configure(up.port(), as_it_was);
        const auto held = s.stored_whole(s.approved());
        const auto sent = open_action(s.keys, held.action).value();
        r.change();
        const auto why = why_void(held, sent, *s.standings->current());
        CHECK(why.value_or("it goes") == std::string(r.why ? r.why : "it goes"));
    }
}

TEST_CASE("approved for an encrypted way, it does not go in clear")
{
    upstream up;
    scene s(up.port());
    auto held = s.stored_whole(s.approved());
    const auto sent = open_action(s.keys, held.action).value();
    const auto why = [&] { return why_void(held, sent, *s.standings->current()).value_or("it goes"); };
    CHECK(why() == "it goes");
    held.action.scheme = "https";
    CHECK(why() == "the route leads elsewhere now");
    held.action.scheme.clear();  // the previous release did not write it
    CHECK(why() == "it goes");
}

TEST_CASE("what was shown as the agent's field is not replaced by a credential, however it is spelt")
{
    upstream up;
    scene s(up.port(), {"    credential: payments-key"});
    for (const char* name : {"x-api-key", "x_api_key", "X-Api_Key"}) {
        CAPTURE(name);
        auto credentials = std::make_shared<identity::credential_map>();
        credentials->emplace("payments-key", identity::make_credential("header", "X-Api-Key", "secret").value());
        s.standings->publish(s.standings->current()->directory, std::move(credentials));
        const auto held = s.stored_whole(s.approved());
        auto sent = open_action(s.keys, held.action).value();
        CHECK_FALSE(why_void(held, sent, *s.standings->current()));
        sent.headers.emplace_back(name, "mine");
        CHECK(why_void(held, sent, *s.standings->current()) == "the route's credential is now a field that was shown as the agent's");
    }
}

TEST_CASE("the agent, its owner, and those who decided must still stand behind it")
{
    struct row {
        const char* name;
        const char* change;
        const char* why;
    };
    const row rows[] = {
        {"suspended", "UPDATE agents SET status = 'suspended'", "the agent is no longer active"},
        {"its owner is disabled", "UPDATE people SET status = 'disabled' WHERE handle = 'grace'", "the agent has no active owner"},
        {"who approved is disabled", "UPDATE people SET status = 'disabled' WHERE handle = 'ada'",
         "policy demands more than was approved now"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        upstream up;
        scene s(up.port());
        const auto held = s.stored_whole(s.approved());
        const auto sent = open_action(s.keys, held.action).value();
        s.sql(std::string(r.change) + "; UPDATE generations SET value = value + 1");
        s.read_directory();
        CHECK(why_void(held, sent, *s.standings->current()) == std::string(r.why));
    }
}
