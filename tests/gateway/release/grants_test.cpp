// Grants where calls are held and where they are released, over a real database.
#include "gateway/release/grants.hpp"

#include "gateway/canonical/content_digest.hpp"
#include "gateway/canonical/grant_text.hpp"
#include "gateway/http/block_on.hpp"
#include "gateway/jose/random.hpp"
#include "gateway/release/hold_moves.hpp"
#include "gateway/release/recheck.hpp"
#include "tests/gateway/release/scene.hpp"

#include <functional>

using namespace sallyport;
using namespace sallyport::release;
using namespace sallyport::release::testing;

namespace {

struct granting : scene {
    using scene::scene;

    /// Ada approves such a call, and what `change` makes of the proposal for it.
    grant_id grants(std::function<void(grant_terms&)> change = [](grant_terms&) {})
    {
        const hold_id id = hold_it();
        const auto whole = stored_whole(id);
        auto terms = propose(grantable_of(open_action(keys, whole.action).value(), whole.action), {});
        change(terms);
        happened::decided yes;
        yes.given.id = decision_id::make(now(), random10());
        yes.given.by = ada.id;
        yes.given.grant = terms_text(terms);
        return in([&](storage::transaction& tx) {
            const auto moved = apply(tx, id, yes, *standings->current()->directory).value();
            return leave_grant(tx, moved.hold, ada.id).value();
        });
    }
    result<made_hold> make(held_call call)
    {
        std::optional<result<made_hold>> done;
        http::block_on(core, [&]() -> http::awaitable<void> {
            auto making = maker->make(core.get_executor(), std::move(call));
            done = co_await std::move(making);
        });
        return std::move(*done);
    }
    /// A call as the granted one; its hold.
    storage::stored_hold alike(const std::string& body = R"({"amount":900})")
    {
        auto asked = call(some_action("POST", body));
        const hold_id id = asked.id;
        REQUIRE(make(std::move(asked)).value().what.what == storage::created::kind::created);
        return stored_whole(id);
    }
    storage::grant_record read(grant_id id)
    {
        return in([&](storage::transaction& tx) { return storage::grant_store::get(tx, id).value(); });
    }
    std::string why(const storage::stored_hold& held)
    {
        const auto grant = in([&](storage::transaction& tx) { return find_grant(tx, held.hold.grant.value()); });
        return why_void(held, open_action(keys, held.action).value(), *standings->current(), grant ? &*grant : nullptr).value_or("it goes");
    }
};

}  // namespace

TEST_CASE("a call that a grant covers is made approved, and sent")
{
    upstream up;
    up.open();
    granting s(up.port());
    const auto id = s.grants();
    const auto held = s.alike();
    CHECK(held.hold.status == hold_status::approved);
    CHECK(held.hold.grant == id);
    CHECK(held.hold.decisions.empty());
    CHECK(s.read(id).used == 1);
    CHECK(s.read(id).sum_used == "900");
    CHECK(s.alike(R"({"amount":901})").hold.status == hold_status::held);
    CHECK(s.ask("SELECT data::json->'grant'->>'id' FROM audit_pending WHERE kind = 'hold' AND hold = '" + held.hold.id.text() + "'") ==
          id.text());
    s.releaser();
    CHECK(s.when(held.hold.id, hold_status::released).outcome->status == 201);
}

TEST_CASE("what is not made uses nothing")
{
    upstream up;
    granting s(up.port());
    const auto id = s.grants();
    struct row {
        const char* name;
        std::function<void(held_call&)> change;
        int used;
    };
    auto known = s.call(s.some_action());
    known.record.idempotency_key = "k";
    REQUIRE(s.make(known).has_value());
    const row rows[] = {
        {"the same key again", [](held_call& c) { c.record.idempotency_key = "k"; }, 1},
        {"too many are open",
         [&](held_call&) {
             s.configure(up.port(), {"", "holds: 1"});
         },
         1},
        {"an agent that is suspended, not known here yet",
         [&](held_call&) {
             s.configure(up.port(), {});
             s.sql("UPDATE agents SET status = 'suspended'");
         },
         1},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        auto call = s.call(s.some_action());
        r.change(call);
        const auto made = s.make(std::move(call));
        CHECK((!made || made->what.what != storage::created::kind::created));
        CHECK(s.read(id).used == r.used);
        CHECK(s.read(id).sum_used == "900");
    }
}

TEST_CASE("who signed is asked for when a call comes, and again when it is sent")
{
    upstream up;
    granting s(up.port());
    struct row {
        const char* name;
        std::function<void()> change;
        const char* why;  // at release
        bool passes;      // a call that comes then
    };
    const auto with = [&](const char* workflow) {
        return [&, workflow] { s.configure(up.port(), {"", "release_window: 60s", workflow}); };
    };
    const row rows[] = {
        {"nothing has changed", [] {}, "it goes", true},
        {"two are asked for", with("approvals: 2"), "policy demands more than those who signed the grant can give", false},
        {"who signed is excluded", with("not: [\"person:ada\"]"), "policy demands more than those who signed the grant can give", false},
        {"who signed is disabled",
         [&] {
             s.sql("UPDATE people SET status = 'disabled' WHERE handle = 'ada'; UPDATE generations SET value = value + 1");
             s.read_directory();
         },
         "", false},
        {"revoked", [&] { s.sql("UPDATE grants SET revoked_at = now(), revoked_why = 'x'"); }, "the grant was revoked", false},
        {"expired", [&] { s.sql("UPDATE grants SET created_at = now() - interval '2 hours', expires_at = now() - interval '1 hour'"); },
         "it goes", false},
        {"nothing holds it now",
         [&] {
             s.configure(up.port(), {"", "release_window: 60s", "approvals: 1", "false"});
         },
         "policy denies it now", true},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        s.sql("UPDATE grants SET revoked_at = now(), revoked_why = 'of the row before' WHERE revoked_at IS NULL;"
              "UPDATE people SET status = 'active'; UPDATE generations SET value = value + 1");
        s.read_directory();
        s.configure(up.port(), {});
        s.grants();
        const auto held = s.alike();
        REQUIRE(held.hold.status == hold_status::approved);
        r.change();
        const auto said = s.why(held);
        if (*r.why)
            CHECK(said == r.why);
        else
            CHECK(said != "it goes");
        const auto next = s.make(s.call(s.some_action()));
        CHECK((next && next->status == hold_status::approved) == r.passes);
    }
}

TEST_CASE("a hold that names another grant, or none that there is, is not sent")
{
    upstream up;
    granting s(up.port());
    s.grants();
    auto held = s.alike();
    const auto sent = open_action(s.keys, held.action).value();
    CHECK(why_void(held, sent, *s.standings->current()) == "the grant is not there");
    const auto grant = s.in([&](storage::transaction& tx) { return find_grant(tx, held.hold.grant.value()); });
    REQUIRE(grant);
    auto other = *grant;
    other.record.id = grant_id::make(s.now(), random10());
    CHECK(why_void(held, sent, *s.standings->current(), &other) == "the grant is not there");
    // One for other calls does not cover it, whatever the row says.
    auto narrow = *grant;
    auto terms = read_terms(narrow.record.terms).value();
    terms.shape.target = "/v1/other";
    narrow.record.terms = terms_text(terms);
    CHECK(why_void(held, sent, *s.standings->current(), &narrow) == "the grant is not for such a call");
}

TEST_CASE("revoking voids what is approved and not yet being sent")
{
    upstream up;
    granting s(up.port());
    const auto id = s.grants();
    const auto held = s.alike();
    const auto revoke = [&] {
        return s.in([&](storage::transaction& tx) {
            return revoke_grant(tx, storage::grant_store::get(tx, id).value(), s.ada.id, "by Ada", *s.standings->current()->directory);
        });
    };
    const auto ended = revoke();
    REQUIRE(ended);
    REQUIRE(ended->size() == 1);
    CHECK(ended->front().id == held.hold.id);
    CHECK(s.stored(held.hold.id).status == hold_status::void_);
    CHECK(s.stored(held.hold.id).detail == "the grant was revoked");
    CHECK_FALSE(revoke());
    CHECK(s.ask("SELECT count(*) FROM audit_pending WHERE data::json->>'act' = 'grant.revoke'") == "1");
    CHECK(s.alike().hold.status == hold_status::held);
    CHECK(s.read(id).used == 1);  // what was used stays used
}

TEST_CASE("an agent's grants end with its holds")
{
    upstream up;
    granting s(up.port());
    const auto id = s.grants();
    const auto held = s.alike();
    s.in([&](storage::transaction& tx) { void_all_of(tx, s.bot.id, "the agent was suspended", *s.standings->current()->directory); });
    CHECK(s.read(id).status() == grant_status::revoked);
    CHECK(s.stored(held.hold.id).status == hold_status::void_);
}

TEST_CASE("the first that fits is used, oldest first, and the last of one leads to the next")
{
    upstream up;
    granting s(up.port());
    const auto first = s.grants([](grant_terms& t) { t.count = 1; });
    // As the one before is usable, this one's own call passes by it.
    REQUIRE(s.alike().hold.grant == first);
    const auto second = s.grants([](grant_terms& t) { t.sum->at_most = "1000"; });
    CHECK(s.alike().hold.grant == second);
    CHECK(s.alike().hold.status == hold_status::held);  // 100 are left
    CHECK(s.ask("SELECT count(*) FROM audit_pending WHERE data::json->>'act' = 'grant.exhausted'") == "1");
}
