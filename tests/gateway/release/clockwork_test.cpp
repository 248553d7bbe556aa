#include "gateway/release/clockwork.hpp"

#include "storage/replica_store.hpp"
#include "tests/gateway/release/scene.hpp"

using namespace sallyport;
using namespace sallyport::release;
using namespace sallyport::release::testing;

namespace {

// A clockwork that runs, and stops first.
struct running {
    explicit running(scene& s) : time(s.db(), *s.standings, s.releaser(), s.metrics, "here") { time.start(); }
    ~running() { time.stop(); }
    clockwork time;
};

}  // namespace

TEST_CASE("a hold whose time is over expires, whatever row stands before it")
{
    upstream up;
    scene s(up.port());
    const auto bad = s.hold_it(), good = s.hold_it();
    s.sql("UPDATE holds SET demands = '[{\"no\": \"demand\"}]' WHERE id = '" + bad.text() + "'");
    s.sql("UPDATE holds SET created_at = created_at - interval '1 hour', expires_at = now() - interval '1 minute', wake_at = now() - "
          "interval '1 minute'");
    const running time(s);
    s.when(good, hold_status::expired);
    CHECK(s.ask("SELECT status FROM holds WHERE id = '" + bad.text() + "'") == "held");
    s.until("SELECT count(*) = 1 FROM audit_pending WHERE data LIKE '%expired%'");
}

TEST_CASE("what a dead replica left")
{
    struct row {
        const char* name;
        options with;
        hold_status then;
        int requests;
    };
    const row rows[] = {
        {"is unknown, and never sent again", {}, hold_status::unknown, 0},
        {"is sent again where the upstream is idempotent", {"    idempotent: true", "release_window: 60s"}, hold_status::released, 1},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        upstream up;
        up.open();
        scene s(up.port(), r.with);
        const auto id = s.approved();
        s.sql("UPDATE holds SET status = 'releasing', wake_at = NULL, claimed_by = 'there'");
        s.in([](storage::transaction& tx) { storage::replica_store::end(tx, "there"); });
        const running time(s);
        const hold h = s.when(id, r.then);
        CHECK(h.maybe_sent);
        CHECK(up.requests() == r.requests);
    }
}

TEST_CASE("one row that a dead replica left and that cannot be read does not keep the others")
{
    upstream up;
    scene s(up.port());
    const auto bad = s.approved(), good = s.approved();
    s.sql("UPDATE holds SET status = 'releasing', wake_at = NULL, claimed_by = 'there'");
    s.sql("UPDATE holds SET demands = '[{\"no\": \"demand\"}]' WHERE id = '" + bad.text() + "'");
    s.in([](storage::transaction& tx) { storage::replica_store::end(tx, "there"); });
    const running time(s);
    s.when(good, hold_status::unknown);
    CHECK(s.ask("SELECT status FROM holds WHERE id = '" + bad.text() + "'") == "releasing");
}

TEST_CASE("the heart beats while everything else takes its time")
{
    upstream up;
    scene s(up.port());
    s.hold_it();
    // Waking is slower than a beat.
    s.sql("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(4); RETURN NEW; END $$;"
          "CREATE TRIGGER slow AFTER UPDATE ON holds FOR EACH ROW EXECUTE FUNCTION slow();"
          "UPDATE replicas SET heartbeat_at = now() - interval '1 hour' WHERE id = 'here'");
    s.sql("ALTER TABLE holds DISABLE TRIGGER slow;"
          "UPDATE holds SET created_at = created_at - interval '1 hour', expires_at = now() - interval '1 minute', wake_at = now() - "
          "interval '1 minute';"
          "ALTER TABLE holds ENABLE TRIGGER slow");
    const running time(s);
    s.until("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
    const auto before = s.ask("SELECT heartbeat_at FROM replicas WHERE id = 'here'");
    s.until("SELECT heartbeat_at > '" + before +
            "' AND EXISTS (SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep')"
            " FROM replicas WHERE id = 'here'");
}
