// The people, agents and holds that the tests of this folder play with.
#pragma once

#include "workflows/directory.hpp"
#include "workflows/eligibility.hpp"
#include "workflows/hold_step.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sallyport::cast {

using namespace std::chrono_literals;

inline constexpr time_point t0{std::chrono::sys_days{std::chrono::year{2026} / 1 / 5} + 9h};

template <class Id>
Id id_of(std::uint8_t n)
{
    ulid_bytes bytes{};
    bytes[15] = n;
    return Id::from_bytes(bytes);
}

inline person somebody(std::uint8_t n, std::string handle, std::vector<std::string> teams, std::vector<role> roles = {role::approver})
{
    person p;
    p.id = id_of<person_id>(n);
    p.handle = p.name = std::move(handle);
    p.teams = std::move(teams);
    p.roles = std::move(roles);
    p.has_passkey = true;
    return p;
}

inline const person_id ada = id_of<person_id>(1), grace = id_of<person_id>(2), edsger = id_of<person_id>(3), alan = id_of<person_id>(4),
                       oscar = id_of<person_id>(5), olga = id_of<person_id>(6), tony = id_of<person_id>(7);

/// finance: ada, grace, edsger, oscar (auditor); risk: tony, grace; alan in no team; olga operates.
inline std::vector<person> everybody()
{
    return {somebody(1, "ada", {"finance"}), somebody(2, "grace", {"finance", "risk"}),          somebody(3, "edsger", {"finance"}),
            somebody(4, "alan", {}),         somebody(5, "oscar", {"finance"}, {role::auditor}), somebody(6, "olga", {}, {role::operator_}),
            somebody(7, "tony", {"risk"})};
}

inline agent bot(std::string_view owner = "ada")
{
    agent a;
    a.id = id_of<agent_id>(9);
    a.name = "refund-bot";
    a.owner = owner_name::parse(owner).value();
    return a;
}

/// `on-call`: these take turns of `every` in UTC, from t0 on.
inline std::shared_ptr<const arrangements> rota(std::vector<std::string> people, duration every = 24h)
{
    schedule s;
    s.name = "on-call";
    s.people = std::move(people);
    s.every = every;
    s.from = std::chrono::local_seconds{std::chrono::floor<std::chrono::seconds>(t0).time_since_epoch()};
    return std::make_shared<const arrangements>(arrangements{{{s.name, s}}, {}, {}});
}

inline directory town(std::vector<person> people = everybody(), std::shared_ptr<const arrangements> arranged = {},
                      std::string_view owner = "ada")
{
    return directory(1, std::move(people), {"empty", "finance", "risk"}, {bot(owner)}, std::move(arranged));
}

inline person& one_of(std::vector<person>& people, person_id id)
{
    for (person& p : people)
        if (p.id == id) return p;
    FAIL("nobody of that id");
    return people.front();
}

inline std::vector<target> targets(const std::vector<std::string>& words)
{
    std::vector<target> list;
    for (const std::string& w : words) list.push_back(target::parse(w).value());
    return list;
}

struct asks {
    std::vector<std::string> whom;
    duration for_;
};

inline workflow flow(std::string name, int approvals, const std::vector<asks>& steps, const std::vector<std::string>& not_ = {},
                     assurance needed = assurance::passkey)
{
    workflow w;
    w.name = std::move(name);
    w.approvals = approvals;
    w.assurance = needed;
    w.not_ = targets(not_);
    for (const asks& s : steps) w.steps.push_back({targets(s.whom), {}, s.for_});
    return w;
}

inline workflow finance(int approvals = 1) { return flow("finance", approvals, {{{"team:finance"}, 10min}}); }

inline hold fresh(std::vector<workflow> demanded, std::string_view owner = "ada")
{
    return make_hold(id_of<hold_id>(1), id_of<action_id>(1), bot(owner), "payments", {{"refunds-over-500", "Refund 900 EUR"}},
                     std::move(demanded), t0);
}

/// The hold as it is after that, which must move it.
inline hold after(const hold& h, const event& what, const directory& people, time_point now)
{
    const outcome o = step(h, what, people, now);
    if (const auto* r = std::get_if<refused>(&o)) FAIL("refused: " << r->detail);
    REQUIRE(std::holds_alternative<moved>(o));
    return std::get<moved>(o).next;
}

inline hold opened(std::vector<workflow> demanded, const directory& people = town(), std::string_view owner = "ada")
{
    return after(fresh(std::move(demanded), owner), happened::opened{}, people, t0);
}

inline happened::decided decides(person_id who, decision_kind kind, assurance proof = assurance::passkey, std::string reason = {})
{
    decision d;
    d.id = id_of<decision_id>(who.bytes()[15]);
    d.by = who;
    d.kind = kind;
    d.assurance = proof;
    d.reason = std::move(reason);
    return {d};
}
inline event approves(person_id who, assurance proof = assurance::passkey) { return decides(who, decision_kind::approve, proof); }
inline event denies(person_id who, std::string reason = {})
{
    return decides(who, decision_kind::deny, assurance::passkey, std::move(reason));
}
inline event takes_back(person_id who) { return happened::taken_back{id_of<decision_id>(who.bytes()[15]), who}; }

/// `moved:STATUS`, `refused:PROBLEM` or `unchanged`.
inline std::string said(const outcome& o)
{
    struct {
        std::string operator()(const moved& m) const { return "moved:" + std::string(name_of(m.next.status)); }
        std::string operator()(const refused& r) const { return "refused:" + std::string(facts(r.what).name); }
        std::string operator()(const unchanged&) const { return "unchanged"; }
    } words;
    return std::visit(words, o);
}

}  // namespace sallyport::cast
