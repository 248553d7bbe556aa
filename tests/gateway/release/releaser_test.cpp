#include "gateway/release/releaser.hpp"

#include "gateway/jose/random.hpp"
#include "gateway/release/hold_moves.hpp"
#include "gateway/release/payload.hpp"
#include "storage/replica_store.hpp"
#include "tests/gateway/release/scene.hpp"

#include <future>

using namespace sallyport;
using namespace sallyport::release;
using namespace sallyport::release::testing;

namespace {

std::optional<answer> kept_answer(scene& s, hold_id id)
{
    const auto kept = s.in([&](storage::transaction& tx) { return storage::hold_store::response(tx, id); });
    if (!kept) return std::nullopt;
    return open_answer(s.keys, *kept).value();
}

}  // namespace

TEST_CASE("what is approved is sent once, signed, and its answer kept")
{
    upstream up;
    up.open();
    scene s(up.port());
    const auto id = s.approved();
    s.releaser();
    const hold h = s.when(id, hold_status::released);
    CHECK(h.outcome->status == 201);
    CHECK(up.requests() == 1);
    CHECK(up.request(0).find("sallyport-receipt: ") != std::string::npos);
    CHECK(kept_answer(s, id)->body == "made");
    s.stop_releaser();
    CHECK(s.counted("released") == "1");
}

TEST_CASE("what an upstream does, and what the hold becomes")
{
    struct row {
        const char* name;
        options with;
        upstream::script says;
        hold_status then;
        const char* detail;
        int least, most;  // requests
    };
    const auto silent = [](int) { return std::string(); };
    const auto late = [](int nth) { return nth == 0 ? std::string() : upstream::response("200 OK", "at last"); };
    const options idempotent{"    idempotent: true", "release_window: 2s"};
    const row rows[] = {
        {"answers that it failed", {}, [](int) { return upstream::response("500 Oops", "no"); }, hold_status::released, "", 1, 1},
        {"answers half",
         {},
         [](int) { return std::string("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"); },
         hold_status::unknown,
         "no whole answer was seen",
         1,
         1},
        {"says nothing", {}, silent, hold_status::unknown, "no whole answer was seen", 1, 1},
        {"says nothing, and is idempotent", idempotent, silent, hold_status::unknown, "no whole answer was seen", 2, 20},
        {"answers the second time, and is idempotent", idempotent, late, hold_status::released, "", 2, 2},
        {"answers more than is kept",
         {"", "response_bytes: 1KiB"},
         [](int) { return upstream::response("200 OK", std::string(2000, 'x')); },
         hold_status::released,
         "",
         1,
         1},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        upstream up(r.says);
        up.open();
        scene s(up.port(), r.with);
        const auto id = s.approved();
        clockwork time(s.db(), *s.standings, s.releaser(), s.metrics, "here");
        time.start();
        const hold h = s.when(id, r.then);
        CHECK(h.detail == r.detail);
        CHECK(h.maybe_sent == (r.then == hold_status::unknown || r.least == 2));
        CHECK(up.requests() >= r.least);
        CHECK(up.requests() <= r.most);
        time.stop();
        s.stop_releaser();
        CHECK(s.counted(name_of(r.then)) == "1");
    }
}

TEST_CASE("an answer to HEAD keeps the length of the body that it does not have")
{
    upstream up([](int) { return std::string("HTTP/1.1 200 OK\r\nContent-Length: 4711\r\nConnection: close\r\n\r\n"); });
    up.open();
    scene s(up.port(), {"", "release_window: 60s", "approvals: 1", "true"});
    const auto id = s.approved("HEAD");
    s.releaser();
    s.when(id, hold_status::released);
    const auto kept = kept_answer(s, id);
    REQUIRE(kept);
    CHECK(kept->declared_length == 4711);
    CHECK(kept->body.empty());
    for (const auto& [name, value] : kept->headers) CHECK(name != "content-length");
}

TEST_CASE("an outcome whose commit went unanswered is not written over the next attempt")
{
    std::promise<void> may_answer;
    upstream up([answer = may_answer.get_future().share()](int) {
        answer.wait();
        return upstream::response("201 Created", "made");
    });
    lost_commits lost;
    scene s(up.port());
    lost.of_moves(s, "releasing", "approved");
    const auto id = s.approved();
    s.releaser();
    // Nothing could be sent, and that was committed: but who did it does not know.
    lost.lose_one(s);
    // So the releaser claims it anew and sends it; meanwhile the first attempt writes its outcome once more.
    s.until("SELECT retry_at <= statement_timestamp() FROM holds");
    up.open();
    s.releaser().wake();
    up.request(0);
    s.ask("SELECT pg_sleep(2)");
    may_answer.set_value();
    const hold h = s.when(id, hold_status::released);
    CHECK(up.requests() == 1);
    CHECK(h.attempts == 1);
}

TEST_CASE("a claim whose commit went unanswered is given back, and sent once")
{
    upstream up;
    up.open();
    lost_commits lost;
    scene s(up.port());
    lost.of_moves(s, "approved", "releasing");
    const auto id = s.approved();
    s.releaser();
    lost.lose_one(s);
    const hold h = s.when(id, hold_status::released);
    CHECK(h.attempts == 1);
    CHECK(up.requests() == 1);
}

TEST_CASE("an answer that cannot be kept is released all the same")
{
    upstream up;
    up.open();
    scene s(up.port());
    s.sql("ALTER TABLE responses ADD CONSTRAINT full_up CHECK (false) NOT VALID");
    const auto id = s.approved();
    s.releaser();
    CHECK(s.when(id, hold_status::released).outcome->status == 201);
    CHECK_FALSE(kept_answer(s, id));
    CHECK(up.requests() == 1);
}

TEST_CASE("an outcome that could not be written is written later, and nothing is sent again")
{
    upstream up;
    up.open();
    scene s(up.port());
    // Twice, with the answer and without it, writing fails; a sequence counts what is rolled back, too.
    s.sql("CREATE SEQUENCE tries;"
          "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
          "IF nextval('tries') <= 2 THEN RAISE EXCEPTION 'not now'; END IF; RETURN NEW; END $$;"
          "GRANT ALL ON SEQUENCE tries TO PUBLIC;"
          "CREATE TRIGGER refuse BEFORE UPDATE ON holds FOR EACH ROW WHEN (NEW.status = 'released') EXECUTE FUNCTION refuse()");
    const auto id = s.approved();
    s.releaser();
    CHECK(s.when(id, hold_status::released).outcome->status == 201);
    CHECK(s.ask("SELECT last_value FROM tries") == "3");
    CHECK(up.requests() == 1);
}

TEST_CASE("stopping gives back what was claimed and not begun")
{
    upstream up;
    up.open();
    scene s(up.port());
    // The claim is in the database while the releaser stops.
    s.sql("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN NEW; END $$;"
          "CREATE TRIGGER slow AFTER UPDATE ON holds FOR EACH ROW WHEN (NEW.status = 'releasing') EXECUTE FUNCTION slow()");
    const auto id = s.approved();
    s.releaser();
    s.until("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
    s.stop_releaser();
    const hold h = s.stored(id);
    CHECK(h.status == hold_status::approved);
    CHECK_FALSE(h.maybe_sent);
    CHECK(up.requests() == 0);
}

TEST_CASE("one row that cannot be read does not keep the others from being sent")
{
    upstream up;
    up.open();
    scene s(up.port());
    const auto bad = s.approved(), good = s.approved();
    s.sql("UPDATE holds SET demands = '[{\"no\": \"demand\"}]' WHERE id = '" + bad.text() + "'");
    s.releaser();
    s.when(good, hold_status::released);
    CHECK(s.ask("SELECT status FROM holds WHERE id = '" + bad.text() + "'") == "approved");
    CHECK(up.requests() == 1);
}

TEST_CASE("a decision of somebody disabled a moment ago does not count, whatever is known here")
{
    upstream up;
    up.open();
    scene s(up.port());
    const auto id = s.approved();
    s.in([](storage::transaction& tx) { storage::person_store::set_status(tx, "ada", person_status::disabled).value(); });
    // The standing still has ada as she was.
    REQUIRE(s.standings->current()->directory->person_with_handle("ada")->status == person_status::active);
    s.releaser();
    const hold h = s.when(id, hold_status::void_);
    CHECK(h.detail == "policy demands more than was approved now");
    CHECK(up.requests() == 0);
    s.stop_releaser();
    CHECK(s.counted("void") == "1");
}

TEST_CASE("those that are closed by a suspension are told to whoever counts")
{
    upstream up;
    scene s(up.port());
    const auto open = s.hold_it(), ready = s.approved();
    const auto standing = s.standings->current();
    const auto ended =
        s.in([&](storage::transaction& tx) { return void_all_of(tx, s.bot.id, "the agent was suspended", *standing->directory); });
    REQUIRE(ended.size() == 2);
    for (const hold& h : ended) CHECK(h.status == hold_status::void_);
    CHECK(s.stored(open).status == hold_status::void_);
    CHECK(s.stored(ready).status == hold_status::void_);
}
