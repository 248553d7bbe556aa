#include "gateway/release/hold_maker.hpp"

#include "gateway/http/block_on.hpp"
#include "tests/gateway/release/scene.hpp"

using namespace sallyport;
using namespace sallyport::release;
using namespace sallyport::release::testing;

namespace {

result<made_hold> make(scene& s, held_call call)
{
    std::optional<result<made_hold>> done;
    http::block_on(s.core, [&]() -> http::awaitable<void> {
        auto making = s.maker->make(s.core.get_executor(), std::move(call));
        done = co_await std::move(making);
    });
    return std::move(*done);
}

}  // namespace

TEST_CASE("a hold is made with its action and its record, or not at all")
{
    upstream up;
    struct row {
        const char* name;
        std::function<void(scene&, held_call&)> change;
        std::string then;  // `status`, `kind` or `problem`
        const char* holds;
    };
    const auto kind = [](storage::created::kind k) { return std::string("kind ") + std::to_string(static_cast<int>(k)); };
    const row rows[] = {
        {"held", [](scene&, held_call&) {}, "status held", "1"},
        {"nobody can be told",
         [](scene& s, held_call&) {
             s.sql("DELETE FROM passkeys; UPDATE generations SET value = value + 1");
             s.read_directory();
         },
         "status undeliverable", "1"},
        {"a suspended agent, known here",
         [](scene& s, held_call&) {
             s.sql("UPDATE agents SET status = 'suspended'; UPDATE generations SET value = value + 1");
             s.read_directory();
         },
         "problem agent-suspended", "0"},
        {"a suspended agent, not known here yet", [](scene& s, held_call&) { s.sql("UPDATE agents SET status = 'suspended'"); },
         kind(storage::created::kind::inactive), "0"},
        {"too many",
         [&](scene& s, held_call&) {
             s.configure(up.port(), {"", "holds: 1"}), s.hold_it();
         },
         kind(storage::created::kind::overloaded), "1"},
        {"the same key for another action",
         [](scene& s, held_call& call) {
             call.record.idempotency_key = "k";
             auto other = s.call(s.some_action("PUT"));
             other.record.idempotency_key = "k";
             make(s, other).value();
         },
         kind(storage::created::kind::conflict), "1"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        scene s(up.port());
        auto call = s.call(s.some_action());
        r.change(s, call);
        const auto made = make(s, std::move(call));
        const std::string said = !made ? "problem " + std::string(facts(made.error().what).name)
                                 : made->what.what == storage::created::kind::created ? "status " + std::string(name_of(made->status))
                                                                                      : kind(made->what.what);
        CHECK(said == r.then);
        CHECK(s.ask("SELECT count(*) FROM holds") == r.holds);
        CHECK(s.ask("SELECT count(*) FROM actions") == r.holds);
        CHECK(s.ask("SELECT count(DISTINCT hold) FROM audit_pending WHERE kind = 'verdict'") == r.holds);
    }
}
