// Ten thousand lives of a hold, made of random events at random times: what must never happen does not.
#include "workflows/hold_step.hpp"

#include "tests/workflows/cast.hpp"

#include <algorithm>
#include <random>
#include <set>

using namespace sallyport;
using namespace sallyport::cast;

namespace {

struct dice {
    std::mt19937 engine;
    int roll(int sides) { return static_cast<int>(engine() % static_cast<unsigned>(sides)); }
};

workflow random_workflow(dice& d, std::string name)
{
    static const std::vector<std::string> words{"owner", "person:ada", "person:alan", "team:finance", "team:risk", "team:empty"};
    const auto some = [&](int most) {
        std::vector<std::string> list;
        for (int i = 0; i < most; ++i) list.push_back(words[static_cast<std::size_t>(d.roll(static_cast<int>(words.size())))]);
        return list;
    };
    std::vector<asks> steps;
    for (int i = 0; i <= d.roll(3); ++i) steps.push_back({some(1 + d.roll(2)), std::chrono::seconds(1 + d.roll(300))});
    return flow(std::move(name), 1 + d.roll(3), steps, some(d.roll(2)), static_cast<assurance>(d.roll(3)));
}

event random_event(dice& d)
{
    const auto who = id_of<person_id>(static_cast<std::uint8_t>(1 + d.roll(8)));
    switch (d.roll(16)) {
    case 0: return d.roll(2) ? event(happened::opened{}) : event(happened::granted{id_of<grant_id>(1)});
    case 1:
    case 2: return happened::woke{};
    case 3: return denies(who);
    case 4: return takes_back(who);
    case 5: return d.roll(20) ? event(happened::woke{}) : event(happened::withdrawn{});
    case 6: return d.roll(20) ? event(happened::woke{}) : event(happened::voided{"x"});
    case 7:
    case 8: return happened::claimed{};
    case 9: return happened::sent_nothing{"x"};
    case 10: return happened::answered{200};
    case 11: return happened::lost{"x", d.roll(2) == 0};
    case 12: return d.roll(20) ? event(happened::woke{}) : event(happened::denied_by_operator{"x"});
    default: return approves(who, static_cast<assurance>(d.roll(3)));
    }
}

std::vector<person> random_people(dice& d)
{
    auto people = everybody();
    for (person& p : people) {
        if (!d.roll(8)) p.has_passkey = false;
        if (!d.roll(8)) p.status = person_status::disabled;
        if (!d.roll(8)) p.teams.clear();
    }
    return people;
}

void check_sound(const hold& h)
{
    REQUIRE(h.closed_at.has_value() == closed(h.status));
    REQUIRE(h.wake_at.has_value() == (h.status == hold_status::held || h.status == hold_status::approved));
    REQUIRE(h.outcome.has_value() == (h.status == hold_status::released));
    if (h.maybe_sent) REQUIRE((h.status != hold_status::void_ && h.status != hold_status::withdrawn));
    REQUIRE((h.maybe_sent || h.status != hold_status::unknown));
    std::set<person_id> deciders;
    for (const decision& d : h.decisions) {
        REQUIRE(deciders.insert(d.by).second);
        REQUIRE_FALSE(d.counts_in.empty());
        REQUIRE(d.assurance >= h.assurance_needed());
        REQUIRE(d.at < h.expires_at);
    }
    if (h.status == hold_status::approved || h.status == hold_status::releasing || h.status == hold_status::released ||
        h.status == hold_status::unknown) {
        REQUIRE_FALSE(h.denied());
        REQUIRE(h.decided_at.has_value());
        // A grant stands in for decisions, and never beside them.
        if (h.grant) REQUIRE(h.decisions.empty());
        for (const demand& d : h.demands) REQUIRE((h.grant || h.given(d) >= d.asks.approvals));
    }
    if (h.status == hold_status::held)
        REQUIRE(std::any_of(h.demands.begin(), h.demands.end(), [&](const demand& d) { return !h.satisfied(d); }));
}

}  // namespace

TEST_CASE("whatever happens, in whatever order")
{
    int ends[10] = {};
    for (unsigned seed = 0; seed < 10'000; ++seed) {
        CAPTURE(seed);
        dice d{std::mt19937{seed}};
        std::vector<workflow> demanded{random_workflow(d, "one")};
        if (d.roll(2)) demanded.push_back(random_workflow(d, "two"));
        directory people = town(random_people(d));
        hold h = fresh(demanded);
        bool begun = false;
        int sendings = 0;
        time_point now = t0;
        for (int i = 0; i < 60; ++i) {
            const event first = d.roll(10) ? event(happened::opened{}) : event(happened::granted{id_of<grant_id>(1)});
            const event what = begun ? random_event(d) : first;
            begun = true;
            const outcome o = step(h, what, people, now);
            if (const auto* m = std::get_if<moved>(&o)) {
                REQUIRE_FALSE(closed(h.status));  // closed stays closed
                REQUIRE(m->next.version == h.version + 1);
                REQUIRE((m->next.status == h.status || may_follow(h.status, m->next.status)));
                // Sent only from `releasing`, which only a claim of an approved one gives.
                // Once, but where the upstream is idempotent.
                if (std::holds_alternative<happened::answered>(what) || std::holds_alternative<happened::lost>(what))
                    sendings += m->next.status != hold_status::approved;
                if (m->next.status == hold_status::releasing) REQUIRE(now < *h.release_by);
                h = m->next;
                check_sound(h);
            } else if (closed(h.status)) {
                REQUIRE_FALSE(std::holds_alternative<moved>(o));
            }
            if (!d.roll(3)) now += std::chrono::seconds(d.roll(40));
            if (!d.roll(20)) people = town(random_people(d));
        }
        REQUIRE(sendings <= 1);
        ++ends[static_cast<int>(h.status)];
    }
    // The dice reach every end, or the test would show little.
    for (int s = 0; s < 10; ++s) {
        CAPTURE(name_of(static_cast<hold_status>(s)));
        if (s != static_cast<int>(hold_status::releasing)) CHECK(ends[s] > 0);
    }
}

TEST_CASE("time alone ends every hold")
{
    for (unsigned seed = 0; seed < 500; ++seed) {
        CAPTURE(seed);
        dice d{std::mt19937{seed}};
        const directory people = town(random_people(d));
        hold h = fresh({random_workflow(d, "one"), random_workflow(d, "two")});
        h = after(h, happened::opened{}, people, t0);
        int wakings = 0;
        while (!closed(h.status)) {
            REQUIRE(++wakings < 20);
            const time_point now = *h.wake_at;
            h = after(h, happened::woke{}, people, now);
            if (!closed(h.status)) REQUIRE(*h.wake_at > now);
        }
        CHECK((h.status == hold_status::expired || h.status == hold_status::undeliverable));
    }
}
