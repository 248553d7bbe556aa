#include "storage/hold_store.hpp"

#include "storage/evidence_store.hpp"
#include "tests/storage/holds.hpp"

#include <functional>
#include <future>
#include <latch>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace sallyport::storage {
namespace {

using namespace std::chrono_literals;

bool same_workflow(const workflow& a, const workflow& b)
{
    if (a.name != b.name || a.approvals != b.approvals || a.assurance != b.assurance || a.not_ != b.not_ ||
        a.steps.size() != b.steps.size())
        return false;
    for (std::size_t i = 0; i < a.steps.size(); ++i)
        if (a.steps[i].notify != b.steps[i].notify || a.steps[i].via != b.steps[i].via || a.steps[i].for_ != b.steps[i].for_) return false;
    return true;
}

}  // namespace

TEST_CASE_FIXTURE(holds, "a hold is read as it was written")
{
    const auto t = now();
    const auto h = make(1, t);
    const auto made = in([&](transaction& tx) { return create(tx, h); });
    CHECK(made.what == created::kind::created);
    CHECK(made.hold == h.hold.id);
    CHECK(made.action == h.action.id);
    const auto read = in([&](transaction& tx) { return hold_store::get(tx, h.hold.id, payload::read).value(); });
    CHECK(read.hold.id == h.hold.id);
    CHECK(read.hold.action == h.action.id);
    CHECK(read.hold.owner == bot.owner);
    CHECK(read.hold.status == hold_status::held);
    CHECK(read.hold.version == 1);
    CHECK(read.hold.reasons == h.hold.reasons);
    REQUIRE(read.hold.demands.size() == 1);
    CHECK(same_workflow(read.hold.demands[0].asks, h.hold.demands[0].asks));
    CHECK(read.hold.demands[0].step_ends_at == t + 10min);
    CHECK(read.hold.demands[0].begun == std::vector{t});
    CHECK(read.hold.demands[0].told_until == t);
    CHECK(read.hold.demands[0].reached);
    CHECK(read.hold.decisions.empty());
    CHECK(read.hold.created_at == t);
    CHECK(read.hold.expires_at == t + 30min);
    CHECK(read.hold.wake_at == t + 10min);
    CHECK_FALSE(read.hold.closed_at);
    CHECK_FALSE(read.hold.outcome);
    CHECK(read.now > t);
    CHECK(read.action.agent == bot.id);
    CHECK(read.action.task == h.action.task);
    CHECK(read.action.policy == h.action.policy);
    CHECK(read.action.scheme == h.action.scheme);
    CHECK(read.action.authority == h.action.authority);
    CHECK(read.action.request_host == h.action.request_host);
    CHECK(read.action.request_target == h.action.request_target);
    CHECK(read.action.content_digest == h.action.content_digest);
    CHECK(read.action.digest == h.action.digest);
    CHECK(read.action.content_length == 41);
    CHECK(read.action.media_type == h.action.media_type);
    CHECK(read.action.rules == h.action.rules);
    CHECK(read.action.sealed_payload == h.action.sealed_payload);
    CHECK(in([&](transaction& tx) { return hold_store::get(tx, h.hold.id).value().action.sealed_payload; }).empty());
    CHECK_FALSE(in([](transaction& tx) { return hold_store::get(tx, some_id<hold_id>(99)); }));
    CHECK_FALSE(in([](transaction& tx) { return hold_store::get_for_update(tx, some_id<hold_id>(99)); }));
    in([&](transaction& tx) {
        CHECK(audit_store::pending(tx) == 1);
        const auto told = outbox_store::of_hold(tx, h.hold.id);
        REQUIRE(told.size() == 1);
        CHECK(told[0].person == ada.id);
    });
}

TEST_CASE_FIXTURE(holds, "a hold that the previous release wrote is read without the times of its steps")
{
    const auto h = make(1, now());
    in([&](transaction& tx) { create(tx, h); });
    sql("UPDATE holds SET demands = (SELECT json_agg(d::jsonb - 'begun' - 'told_until') FROM json_array_elements(demands) d)");
    const auto read = in([&](transaction& tx) { return hold_store::get(tx, h.hold.id).value(); });
    REQUIRE(read.hold.demands.size() == 1);
    CHECK(read.hold.demands[0].begun.empty());
    CHECK(read.hold.demands[0].told_until == time_point{});
    CHECK(read.hold.demands[0].reached);
}

TEST_CASE_FIXTURE(holds, "what has no body, task or team's agent")
{
    auto h = make(1, now());
    h.action.task.clear();
    h.action.content_digest.clear();
    h.action.sealed_payload.clear();
    h.action.agent = h.hold.agent = other.id;
    h.hold.owner = other.owner;
    in([&](transaction& tx) { create(tx, h); });
    const auto read = in([&](transaction& tx) { return hold_store::get(tx, h.hold.id, payload::read).value(); });
    CHECK(read.action.task.empty());
    CHECK(read.action.content_digest.empty());
    CHECK(read.action.sealed_payload.empty());
    CHECK(read.hold.owner == other.owner);
}

TEST_CASE_FIXTURE(holds, "an idempotency key is one action of one agent")
{
    const auto t = now();
    auto h = make(1, t);
    h.action.idempotency_key = "key-1";
    in([&](transaction& tx) { CHECK(create(tx, h).what == created::kind::created); });
    struct row {
        const char* name;
        std::function<void(new_hold&)> change;
        created::kind then;
    };
    const row rows[] = {
        {"the same", [](new_hold&) {}, created::kind::same},
        {"other headers", [](new_hold& n) { n.action.digest = "other"; }, created::kind::same},
        {"another method", [](new_hold& n) { n.action.method = "PUT"; }, created::kind::conflict},
        {"another target", [](new_hold& n) { n.action.target = "/v1/x"; }, created::kind::conflict},
        {"another upstream", [](new_hold& n) { n.action.authority = "x.example"; }, created::kind::conflict},
        {"another body", [](new_hold& n) { n.action.content_digest = "sha-256=:x=:"; }, created::kind::conflict},
        {"no body", [](new_hold& n) { n.action.content_digest.clear(); }, created::kind::conflict},
        {"another agent", [&](new_hold& n) { n.action.agent = n.hold.agent = other.id; }, created::kind::created},
        {"another key", [](new_hold& n) { n.action.idempotency_key = "key-2"; }, created::kind::created},
        {"no key", [](new_hold& n) { n.action.idempotency_key.clear(); }, created::kind::created},
    };
    unsigned n = 1;
    for (const row& r : rows) {
        CAPTURE(r.name);
        auto again = make(++n, t);
        again.action.idempotency_key = "key-1";
        r.change(again);
        const auto answer = in([&](transaction& tx) { return create(tx, again); });
        CHECK(answer.what == r.then);
        CHECK(answer.hold == (r.then == created::kind::same ? h.hold.id : r.then == created::kind::created ? again.hold.id : hold_id()));
    }
    // Only what was created has left traces.
    CHECK(ask("SELECT count(*) FROM actions") == "4");
    CHECK(ask("SELECT count(*) FROM audit_pending") == "4");
    CHECK(ask("SELECT count(*) FROM outbox") == "4");
    const auto found = in([&](transaction& tx) { return hold_store::find_by_key(tx, bot.id, "key-1"); });
    REQUIRE(found);
    CHECK(found->hold.id == h.hold.id);
    // A closed hold still is the key's.
    in([&](transaction& tx) {
        const auto read = hold_store::get(tx, h.hold.id).value();
        CHECK(hold_store::advance(tx, read.hold, closed_as(read.hold, hold_status::withdrawn, tx.now())) == race::won);
        auto again = make(50, tx.now());
        again.action.idempotency_key = "key-1";
        CHECK(create(tx, again).what == created::kind::same);
    });
}

TEST_CASE_FIXTURE(holds, "a batch answers each: new, twice in it, known, refused")
{
    const auto t = now();
    auto known = make(1, t);
    known.action.idempotency_key = "known";
    in([&](transaction& tx) { create(tx, known); });
    std::vector<new_hold> batch;
    for (unsigned n = 2; n <= 9; ++n) batch.push_back(make(n, t));
    batch[1].action.idempotency_key = batch[2].action.idempotency_key = "twice";
    batch[3].action.idempotency_key = "twice";
    batch[3].action.target = "/elsewhere";
    batch[4].action.idempotency_key = "known";
    batch[5].action.agent = batch[5].hold.agent = some_id<agent_id>(77);
    const auto answers = in([&](transaction& tx) { return hold_store::create(tx, batch, {7, 0}); });
    REQUIRE(answers.size() == 8);
    using kind = created::kind;
    const kind expected[] = {kind::created, kind::created,  kind::same,    kind::conflict,
                             kind::same,    kind::inactive, kind::created, kind::created};
    for (std::size_t i = 0; i < 8; ++i) {
        CAPTURE(i);
        CHECK(answers[i].what == expected[i]);
    }
    CHECK(answers[2].hold == batch[1].hold.id);
    CHECK(answers[4].hold == known.hold.id);
    for (const std::size_t i : {0U, 1U, 6U, 7U}) {
        const auto read = in([&](transaction& tx) { return hold_store::get(tx, batch[i].hold.id, payload::read).value(); });
        CHECK(read.action.sealed_payload == batch[i].action.sealed_payload);
        CHECK(read.action.digest == batch[i].action.digest);
    }
}

TEST_CASE_FIXTURE(holds, "two calls with the same key at once are one hold")
{
    const auto t = now();
    std::latch both(2);
    const auto call = [&](unsigned n) {
        return in([&, n, once = false](transaction& tx) mutable {
            auto h = make(n, t);
            h.action.idempotency_key = "same";
            if (!std::exchange(once, true)) both.arrive_and_wait();
            return create(tx, h);
        });
    };
    auto second = std::async(std::launch::async, call, 2);
    const auto a = call(1), b = second.get();
    CHECK(a.hold == b.hold);
    CHECK((a.what == created::kind::created) != (b.what == created::kind::created));
    CHECK(ask("SELECT count(*) FROM holds") == "1");
}

TEST_CASE_FIXTURE(holds, "open holds are bounded, in all and for each agent; closed ones do not count")
{
    const auto t = now();
    struct row {
        const char* name;
        open_limits limits;
        bool of_other;
        created::kind then;
    };
    in([&](transaction& tx) { create(tx, make(1, t)); });
    const row rows[] = {
        {"full", {1, 0}, true, created::kind::overloaded},
        {"this agent is full", {0, 1}, false, created::kind::overloaded},
        {"the other is not", {0, 1}, true, created::kind::created},
        {"no limits", {0, 0}, false, created::kind::created},
        {"room for one more", {4, 3}, false, created::kind::created},
        {"and no more", {4, 4}, false, created::kind::overloaded},
    };
    unsigned n = 1;
    for (const row& r : rows) {
        CAPTURE(r.name);
        auto h = make(++n, t);
        if (r.of_other) h.action.agent = h.hold.agent = other.id;
        CHECK(in([&](transaction& tx) { return create(tx, h, r.limits).what; }) == r.then);
    }
    in([&](transaction& tx) {
        const auto first = hold_store::get(tx, some_id<hold_id>(1)).value().hold;
        REQUIRE(hold_store::advance(tx, first, closed_as(first, hold_status::expired, tx.now())) == race::won);
        CHECK(create(tx, make(20, t), {4, 3}).what == created::kind::created);
        CHECK(hold_store::open_counts(tx) == std::map<hold_status, std::int64_t>{{hold_status::held, 4}});
        agent_store::set_status(tx, bot.id, agent_status::suspended).value();
        CHECK(create(tx, make(21, t)).what == created::kind::inactive);
    });
}

TEST_CASE_FIXTURE(holds, "of two who move a hold at once one wins, and no vote is lost")
{
    const auto t = now();
    in([&](transaction& tx) { create(tx, make(1, t)); });
    std::latch both(2);
    const auto vote = [&](unsigned n, const person& by) {
        int lost = 0;
        for (bool first = true;; first = false) {
            const auto won = in([&](transaction& tx) {
                const auto read = hold_store::get(tx, some_id<hold_id>(1)).value();
                hold next = read.hold;
                next.decisions.push_back(given(n, by, read.now));
                if (first) both.arrive_and_wait();
                return hold_store::advance(tx, read.hold, next);
            });
            if (won == race::won) return lost;
            ++lost;
        }
    };
    auto other_lost = std::async(std::launch::async, vote, 2, grace);
    const int lost = vote(1, ada) + other_lost.get();
    CHECK(lost == 1);
    const auto after = stored(1);
    CHECK(after.version == 3);
    REQUIRE(after.decisions.size() == 2);
    std::set<person_id> voters{after.decisions[0].by, after.decisions[1].by};
    CHECK(voters == std::set<person_id>{ada.id, grace.id});
}

TEST_CASE_FIXTURE(holds, "a locked hold is read as the one before has left it, its decisions too")
{
    const auto t = now();
    in([&](transaction& tx) { create(tx, make(1, t)); });
    std::latch locked(2);
    auto first = std::async(std::launch::async, [&] {
        in([&](transaction& tx) {
            const auto read = hold_store::get_for_update(tx, some_id<hold_id>(1)).value();
            locked.arrive_and_wait();
            hold next = read.hold;
            next.decisions.push_back(given(1, ada, read.now));
            REQUIRE(hold_store::advance(tx, read.hold, next) == race::won);
        });
    });
    locked.arrive_and_wait();
    const auto read = in([&](transaction& tx) { return hold_store::get_for_update(tx, some_id<hold_id>(1)).value(); });
    first.get();
    CHECK(read.hold.version == 2);
    REQUIRE(read.hold.decisions.size() == 1);
    CHECK(read.hold.decisions[0].at <= read.now);
}

TEST_CASE_FIXTURE(holds, "decisions: kept to the word, one a person, taken back, given anew")
{
    in([&](transaction& tx) {
        const auto t = tx.now();
        create(tx, make(1, t));
        auto read = hold_store::get(tx, some_id<hold_id>(1)).value().hold;
        hold next = read;
        next.decisions = {given(1, ada, t), given(2, grace, t + 1us)};
        CHECK(hold_store::advance(tx, read, next) == race::won);
        read = hold_store::get(tx, read.id).value().hold;
        REQUIRE(read.decisions.size() == 2);
        CHECK(read.decisions[0].id == some_id<decision_id>(1));
        CHECK(read.decisions[0].by == ada.id);
        CHECK(read.decisions[0].kind == decision_kind::approve);
        CHECK(read.decisions[0].reason == "fine, \"really\"");
        CHECK(read.decisions[0].assurance == assurance::passkey);
        CHECK(read.decisions[0].at == t);
        CHECK(read.decisions[0].counts_in == std::vector<std::string>{"finance", "sec,ond"});

        evidence_store::put(
            tx, {some_id<decision_id>(1), "the {text}", std::string("\0a", 2), "{\"type\"}", "sig", "cred", "key", "inbox", ""});
        evidence_store::put(tx, {some_id<decision_id>(2), "the text", "", "", "", "", "", "slack", "U123"});
        CHECK(evidence_store::find(tx, some_id<decision_id>(1))->authenticator_data == std::string("\0a", 2));
        CHECK(evidence_store::find(tx, some_id<decision_id>(1))->public_key == "key");
        CHECK(evidence_store::find(tx, some_id<decision_id>(2))->signature.empty());
        CHECK(evidence_store::find(tx, some_id<decision_id>(2))->channel_evidence == "U123");
        CHECK_FALSE(evidence_store::find(tx, some_id<decision_id>(3)));

        // Ada takes hers back and decides again.
        next = read;
        next.decisions.erase(next.decisions.begin());
        CHECK(hold_store::advance(tx, read, next) == race::won);
        read = hold_store::get(tx, read.id).value().hold;
        REQUIRE(read.decisions.size() == 1);
        next = read;
        next.decisions.push_back(given(3, ada, t + 2us));
        CHECK(hold_store::advance(tx, read, next) == race::won);
        CHECK(hold_store::get(tx, read.id)->hold.decisions.size() == 2);
        // What she took back is kept, with its evidence.
        CHECK(evidence_store::find(tx, some_id<decision_id>(1)));
    });
    CHECK(ask("SELECT count(*) FROM decisions") == "3");
    CHECK(ask("SELECT count(*) FROM decisions WHERE taken_back_at IS NOT NULL") == "1");
    // Whatever the code believes, nobody counts twice.
    const auto twice = db().run_blocking([&](transaction& tx) {
        const auto read = hold_store::get(tx, some_id<hold_id>(1)).value().hold;
        hold next = read;
        next.decisions.push_back(given(4, ada, tx.now()));
        return hold_store::advance(tx, read, next);
    });
    CHECK_FALSE(twice.has_value());
    CHECK(stored(1).decisions.size() == 2);
}

TEST_CASE_FIXTURE(holds, "nonsense cannot be stored")
{
    in([&](transaction& tx) { create(tx, make(1, tx.now())); });
    struct row {
        const char* name;
        std::function<void(hold&)> change;
    };
    const row rows[] = {
        {"closed without a time", [](hold& h) { h.status = hold_status::denied, h.wake_at.reset(); }},
        {"a time without being closed", [](hold& h) { h.closed_at = h.created_at; }},
        {"held and never woken", [](hold& h) { h.wake_at.reset(); }},
        {"closed and woken", [](hold& h) { h.status = hold_status::expired, h.closed_at = h.created_at; }},
        {"approved by no decision", [](hold& h) { h.status = hold_status::approved; }},
        {"releasing without a claim", [](hold& h) { h.status = hold_status::releasing, h.decided_at = h.created_at; }},
        {"an outcome that is no status",
         [](hold& h) {
             h.outcome = hold_outcome{7, h.created_at};
         }},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto stored_it = db().run_blocking([&](transaction& tx) {
            const auto read = hold_store::get(tx, some_id<hold_id>(1)).value().hold;
            hold next = read;
            r.change(next);
            return hold_store::advance(tx, read, next);
        });
        CHECK_FALSE(stored_it.has_value());
    }
    CHECK(stored(1).version == 1);
}

TEST_CASE_FIXTURE(holds, "lists: newest first, by pages, filtered")
{
    const auto t = now();
    std::vector<new_hold> batch;
    for (unsigned n = 1; n <= 7; ++n) {
        auto h = make(n, t + std::chrono::seconds(n / 2));  // some of the same moment
        h.hold.expires_at = t + 1h;
        if (n % 3 == 0) h.action.agent = h.hold.agent = other.id;
        if (n == 4) h.hold.route = h.action.route = "crm";
        h.hold.reasons[0].summary = "Refund to Kunde_" + std::to_string(n) + " über 100%";
        batch.push_back(h);
    }
    in([&](transaction& tx) { hold_store::create(tx, batch, {}); });
    in([&](transaction& tx) {
        const auto read = hold_store::get(tx, some_id<hold_id>(2)).value().hold;
        hold_store::advance(tx, read, closed_as(read, hold_status::withdrawn, tx.now()));
    });
    const auto ids = [&](const hold_query& q) {
        std::string all;
        for (const auto& h : in([&](transaction& tx) { return hold_store::list(tx, q); })) all += std::to_string(h.hold.id.bytes()[15]);
        return all;
    };
    hold_query q;
    CHECK(ids(q) == "7654321");
    std::string paged;
    for (hold_query page{.limit = 3};;) {
        const auto rows = in([&](transaction& tx) { return hold_store::list(tx, page); });
        if (rows.empty()) break;
        for (const auto& h : rows) paged += std::to_string(h.hold.id.bytes()[15]);
        page.cursor = hold_cursor::parse(hold_cursor::after(rows.back()).text());
        REQUIRE(page.cursor);
    }
    CHECK(paged == "7654321");

    struct row {
        const char* name;
        hold_query query;
        const char* then;
    };
    const row rows[] = {
        {"a status", {.status = {hold_status::withdrawn}}, "2"},
        {"several", {.status = {hold_status::held, hold_status::withdrawn}}, "7654321"},
        {"none such", {.status = {hold_status::void_}}, ""},
        {"an agent", {.agent = other.id}, "63"},
        {"a route", {.route = "crm"}, "4"},
        {"words of a summary, in any case", {.q = "KUNDE_5 ÜBER"}, "5"},
        {"what LIKE would read otherwise", {.q = "100%"}, "7654321"},
        {"not as a pattern", {.q = "kunde%5"}, ""},
        {"a target", {.q = "/v1/refunds"}, "7654321"},
        {"an agent's name", {.q = "CRM-bot"}, "63"},
        {"an id", {.q = some_id<hold_id>(6).text()}, "6"},
        {"all at once", {.status = {hold_status::held}, .agent = bot.id, .route = "payments", .q = "kunde", .limit = 2}, "75"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(ids(r.query) == r.then);
    }
    const auto open_of_bot = in([&](transaction& tx) { return hold_store::open_of_agent(tx, bot.id, 2, some_id<hold_id>(1)); });
    REQUIRE(open_of_bot.size() == 2);
    CHECK(open_of_bot[0].hold.id == some_id<hold_id>(4));
    CHECK(in([](transaction& tx) { return hold_store::open(tx, 100); }).size() == 6);
}

TEST_CASE("cursors from outside")
{
    const auto id = some_id<hold_id>(1).text();
    struct row {
        const char* name;
        std::string text;
        bool good;
    };
    const row rows[] = {
        {"good", "1767603600000000." + id, true},
        {"before 1970", "-5." + id, true},
        {"empty", "", false},
        {"no id", "1767603600000000.", false},
        {"another kind", "1.act_" + id.substr(4), false},
        {"no dot", "1767603600000000" + id, false},
        {"more", "1." + id + "x", false},
        {"too late", "253402300800000000." + id, false},
        {"too large", "99999999999999999999." + id, false},
        {"a sign", "+1." + id, false},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto read = hold_cursor::parse(r.text);
        CHECK(read.has_value() == r.good);
        if (read) CHECK(read->text() == r.text);
    }
}

TEST_CASE_FIXTURE(holds, "an answer is kept until its time")
{
    in([&](transaction& tx) {
        create(tx, make(1, tx.now()));
        const auto id = some_id<hold_id>(1);
        CHECK_FALSE(hold_store::response(tx, id));
        hold_store::keep_response(tx, {id, 201, R"([["x-upstream","echo"]])", std::string("\0sealed", 7), tx.now() + 24h});
        const auto kept = hold_store::response(tx, id);
        REQUIRE(kept);
        CHECK(kept->status == 201);
        CHECK(kept->headers == R"([["x-upstream","echo"]])");
        CHECK(kept->sealed_body == std::string("\0sealed", 7));
        CHECK(hold_store::remove_expired_responses(tx) == 0);
        hold_store::keep_response(tx, {id, 500, "[]", "", tx.now() - 1us});
        CHECK_FALSE(hold_store::response(tx, id));
        CHECK(hold_store::remove_expired_responses(tx) == 1);
    });
}

TEST_CASE_FIXTURE(holds, "large payloads go in parts")
{
    const auto t = now();
    std::vector<new_hold> batch;
    for (unsigned n = 1; n <= 4; ++n) {
        batch.push_back(make(n, t));
        batch.back().action.sealed_payload = std::string(3 * 1024 * 1024, static_cast<char>(n));
    }
    const auto answers = in([&](transaction& tx) { return hold_store::create(tx, batch, {}); });
    for (unsigned n = 1; n <= 4; ++n) {
        CHECK(answers[n - 1].what == created::kind::created);
        const auto read = in([&](transaction& tx) { return hold_store::get(tx, some_id<hold_id>(n), payload::read).value(); });
        CHECK((read.action.sealed_payload == batch[n - 1].action.sealed_payload));
    }
}

TEST_CASE_FIXTURE(holds, "who was asked is told of the end, once, and what nobody delivers is skipped")
{
    in([&](transaction& tx) {
        auto h = make(1, tx.now());
        outbox_entry hook;
        hook.key = h.hold.id.text() + " ops";
        hook.channel = "ops";
        hook.hold = h.hold.id;
        h.tell.push_back(hook);
        REQUIRE(create(tx, h).what == created::kind::created);
        CHECK(outbox_store::enqueue_ended(tx, h.hold.id) == 2);
        CHECK(outbox_store::enqueue_ended(tx, h.hold.id) == 0);
        CHECK(outbox_store::enqueue_ended(tx, some_id<hold_id>(2)) == 0);

        const auto told = outbox_store::of_hold(tx, h.hold.id);
        REQUIRE(told.size() == 4);
        for (const auto& ended : {told[2], told[3]}) {
            CAPTURE(ended.key);
            CHECK(ended.what == message_kind::ended);
            const auto asked = outbox_store::asked_before(tx, ended);
            REQUIRE(asked);
            CHECK(asked->what == message_kind::asked);
            CHECK(asked->channel == ended.channel);
            CHECK(asked->person == ended.person);
            CHECK(ended.key == asked->key + "/ended");
        }

        CHECK(outbox_store::skip_all_but(tx, std::vector<std::string>{"ops"}, tx.now() - 1h) == 0);
        CHECK(outbox_store::skip_all_but(tx, std::vector<std::string>{"ops"}, tx.now() + 1h) == 2);
        CHECK(outbox_store::skip_all_but(tx, std::vector<std::string>{"ops"}, tx.now() + 1h) == 0);
        CHECK(outbox_store::of_hold(tx, h.hold.id)[0].state == outbox_state::skipped);
        CHECK(outbox_store::skip(tx, told[1].id, "over") == race::won);
        CHECK(outbox_store::skip(tx, told[1].id, "over") == race::lost);
        CHECK(outbox_store::sent(tx, told[1].id, "") == race::lost);
        CHECK(outbox_store::counts(tx).at("ops").pending == 1);
        CHECK(outbox_store::counts(tx).count("slack") == 0);
        CHECK(outbox_store::remove_over(tx, tx.now() + 1h, 10) == 0);  // its hold is open
    });
}

}  // namespace sallyport::storage
