// Holds for tests of several files: two people, two agents, two replicas, and holds by number.
#pragma once

#include "storage/hold_store.hpp"
#include "storage/replica_store.hpp"
#include "tests/storage/fixture.hpp"
#include "tests/storage/people.hpp"

#include <chrono>
#include <span>
#include <string>

namespace sallyport::storage {

inline workflow some_workflow()
{
    workflow w;
    w.name = "finance";
    w.approvals = 2;
    w.assurance = assurance::passkey;
    w.not_ = {{target::kind::owner, ""}};
    w.steps = {{{{target::kind::owner, ""}, {target::kind::team, "finance"}}, {"slack", "email"}, std::chrono::minutes(10)},
               {{{target::kind::schedule, "on-call"}}, {}, std::chrono::minutes(20)}};
    return w;
}

// Two people, two agents.
struct holds : fixture {
    person ada, grace;
    agent bot, other;

    explicit holds(std::size_t threads = 2) : fixture(threads)
    {
        bot = agent_of(1, "refund-bot", {owner_name::kind::person, "ada"});
        other = agent_of(2, "crm-bot", {owner_name::kind::team, "finance"});
        in([&](transaction& tx) {
            ada = add_person(tx, "ada");
            grace = add_person(tx, "grace");
            person_store::add_team(tx, "finance").value();
            person_store::join_team(tx, "finance", "grace").value();
            agent_store::add(tx, bot).value();
            agent_store::add(tx, other).value();
            for (const auto* replica : {"r1", "r2"}) replica_store::start(tx, replica, std::string("node of ") + replica);
        });
    }

    new_hold make(unsigned n, time_point now) const
    {
        new_hold h;
        h.action.id = some_id<action_id>(n);
        h.action.agent = bot.id;
        h.action.task = R"({"id":"tsk_1","intent":"refund"})";
        h.action.route = "payments";
        h.action.policy = "aa11";
        h.action.method = "POST";
        h.action.scheme = "https";
        h.action.authority = "api.payments.example";
        h.action.target = "/v1/refunds";
        h.action.request_host = "gate.example";
        h.action.request_target = "/payments/v1/refunds";
        h.action.content_digest = "sha-256=:abc=:";
        h.action.digest = "digest-" + std::to_string(n);
        h.action.content_length = 41;
        h.action.media_type = "application/json";
        h.action.sealed_payload = std::string("sealed\0\xff ", 9) + std::to_string(n);
        h.action.rules = R"([{"rule":"refunds-over-500","matched":true}])";
        h.action.created_at = now;
        h.hold.id = some_id<hold_id>(n);
        h.hold.action = h.action.id;
        h.hold.agent = bot.id;
        h.hold.owner = bot.owner;
        h.hold.route = "payments";
        h.hold.reasons = {{"refunds-over-500", "Refund 900 EUR to \"c_17\" \\u0000 ÄÖ"}};
        h.hold.demands = {{some_workflow(), 0, now + std::chrono::minutes(10), {now}, {}, now, true}};
        h.hold.created_at = now;
        h.hold.expires_at = now + std::chrono::minutes(30);
        h.hold.wake_at = now + std::chrono::minutes(10);
        h.record = {{-1, now, "hold", h.action.id, h.hold.id, bot.id, std::nullopt, R"({"status":"held"})"}};
        outbox_entry message;
        message.key = h.hold.id.text() + " slack";
        message.channel = "slack";
        message.hold = h.hold.id;
        message.person = ada.id;
        h.tell = {message};
        return h;
    }

    created create(transaction& tx, const new_hold& h, const open_limits& limits = {}) const
    {
        return hold_store::create(tx, std::span(&h, 1), limits).at(0);
    }
    hold stored(unsigned n)
    {
        return in([&](transaction& tx) { return hold_store::get(tx, some_id<hold_id>(n)).value().hold; });
    }
    // The n-th hold, made now and approved by both.
    hold approve(transaction& tx, unsigned n)
    {
        auto h = make(n, tx.now());
        REQUIRE(create(tx, h).what == created::kind::created);
        hold next = h.hold;
        next.status = hold_status::approved;
        next.decided_at = tx.now();
        next.release_by = tx.now() + std::chrono::seconds(60);
        next.wake_at = next.release_by;
        next.decisions = {given(n * 10, ada, tx.now()), given(n * 10 + 1, grace, tx.now())};
        REQUIRE(hold_store::advance(tx, h.hold, next) == race::won);
        ++next.version;
        return next;
    }
    static decision given(unsigned n, const person& by, time_point at)
    {
        decision d;
        d.id = some_id<decision_id>(n);
        d.by = by.id;
        d.kind = decision_kind::approve;
        d.reason = "fine, \"really\"";
        d.assurance = assurance::passkey;
        d.at = at;
        d.counts_in = {"finance", "sec,ond"};
        return d;
    }
};

inline hold closed_as(const hold& read, hold_status status, time_point now)
{
    hold next = read;
    next.status = status;
    next.closed_at = now;
    next.wake_at.reset();
    return next;
}

}  // namespace sallyport::storage
