#include "workflows/quorum.hpp"

#include "tests/workflows/cast.hpp"

#include <algorithm>
#include <cstddef>
#include <random>

using namespace sallyport;
using namespace sallyport::cast;

namespace {

workflow with_places(const std::vector<std::pair<std::string, int>>& places)
{
    workflow w;
    w.name = "w";
    w.approvals = 0;
    for (const auto& [of, n] : places) {
        w.places.push_back({target::parse(of).value(), n});
        w.approvals += n;
    }
    return w;
}

using people_of_places = std::vector<std::vector<std::size_t>>;  // of each approval, in their order

quorum filled_by(const workflow& w, const people_of_places& approvals)
{
    quorum q(w);
    for (const auto& could : approvals)
        q.add([&](const target* place) {
            for (const std::size_t i : could)
                if (w.places[i].of == *place) return true;
            return false;
        });
    return q;
}

std::string words(const quorum& q)
{
    std::string text;
    for (const missing_approvals& m : q.missing()) {
        text += (text.empty() ? "" : "; ") + std::to_string(m.more);
        for (const target& t : m.of) text += " " + t.text();
    }
    return text;
}

// All ways to seat people, tried out.
int best_by_hand(const workflow& w, const people_of_places& approvals, std::size_t next, std::vector<int>& room)
{
    if (next == approvals.size()) return 0;
    int best = best_by_hand(w, approvals, next + 1, room);
    for (const std::size_t place : approvals[next]) {
        if (room[place] == 0) continue;
        --room[place];
        best = std::max(best, 1 + best_by_hand(w, approvals, next + 1, room));
        ++room[place];
    }
    return best;
}

}  // namespace

TEST_CASE("one person fills one place, and whoever shares two teams is seated where it helps")
{
    const workflow two = with_places({{"team:finance", 1}, {"team:legal", 1}});
    const workflow three = with_places({{"team:finance", 2}, {"team:legal", 1}});
    struct row {
        const char* name;
        const workflow* asked;
        people_of_places approvals;
        int given;
        const char* missing;
    };
    const row rows[] = {
        {"nobody yet", &two, {}, 0, "1 team:finance; 1 team:legal"},
        {"one of finance", &two, {{0}}, 1, "1 team:legal"},
        {"two of finance fill one place", &two, {{0}, {0}}, 1, "1 team:legal"},
        {"one of both is not two", &two, {{0, 1}}, 1, "1 team:finance team:legal"},
        {"one of both, then finance: the first moves over", &two, {{0, 1}, {0}}, 2, ""},
        {"one of both, then legal", &two, {{0, 1}, {1}}, 2, ""},
        {"finance, then one of both", &two, {{0}, {0, 1}}, 2, ""},
        {"two of both", &two, {{0, 1}, {0, 1}}, 2, ""},
        {"two of both where three are needed", &three, {{0, 1}, {0, 1}}, 2, "1 team:finance team:legal"},
        {"whoever fills nothing counts for nothing", &two, {{}, {0}}, 1, "1 team:legal"},
        {"more than needed", &three, {{0}, {0}, {0}, {1}, {1}}, 3, ""},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const quorum q = filled_by(*r.asked, r.approvals);
        CHECK(q.given() == r.given);
        CHECK(q.reached() == (r.given == r.asked->approvals));
        CHECK(words(q) == r.missing);
    }
}

TEST_CASE("it finds as many as anybody could, and says truly what would help")
{
    std::mt19937 random(7);  // the same each time
    const auto upto = [&](std::size_t n) { return static_cast<std::size_t>(random() % (n + 1)); };
    for (int round = 0; round < 3'000; ++round) {
        std::vector<std::pair<std::string, int>> places;
        const std::size_t count = 1 + upto(3);
        for (std::size_t i = 0; i < count; ++i) places.emplace_back("team:t" + std::to_string(i), 1 + static_cast<int>(upto(2)));
        const workflow w = with_places(places);
        people_of_places approvals(upto(6));
        for (auto& could : approvals)
            for (std::size_t i = 0; i < count; ++i)
                if (upto(1) == 1) could.push_back(i);
        std::vector<int> room;
        for (const place& p : w.places) room.push_back(p.approvals);
        const quorum q = filled_by(w, approvals);
        CAPTURE(round);
        REQUIRE(q.given() == best_by_hand(w, approvals, 0, room));
        int seats = 0;
        for (const int n : q.filled()) seats += n;
        REQUIRE(seats == q.given());
        // One more approval helps exactly where it says so.
        const auto missing = q.missing();
        for (std::size_t i = 0; i < count; ++i) {
            people_of_places more = approvals;
            more.push_back({i});
            const bool helps = filled_by(w, more).given() > q.given();
            const bool said = std::any_of(missing.begin(), missing.end(), [&](const missing_approvals& m) {
                return std::find(m.of.begin(), m.of.end(), w.places[i].of) != m.of.end();
            });
            REQUIRE(helps == said);
        }
    }
}

TEST_CASE("a hold asks for one of each team, counts distinct people, and says what is missing")
{
    workflow w = flow("both", 2, {{{"team:finance", "team:risk", "person:alan"}, 10min}});
    w.places = {{target::parse("team:finance").value(), 1}, {target::parse("team:risk").value(), 1}};
    const directory people = town();
    hold h = opened({w}, people);
    CHECK(h.approvals_needed() == 2);
    CHECK(counts_in(h, people, *people.find(grace), t0) == std::vector<std::string>{"both/team:finance", "both/team:risk"});
    // Asked, but of neither team.
    CHECK(why_not(h, people, *people.find(alan), t0) ==
          "You were asked, but the workflow both wants approvals of others: team finance, team risk.");
    CHECK(said(step(h, approves(alan), people, t0)) == "refused:not-eligible");

    h = after(h, approves(grace), people, t0 + 1min);
    CHECK(h.status == hold_status::held);  // of both teams, and one person
    CHECK(h.approvals_given() == 1);
    REQUIRE(h.missing(h.demands[0]).size() == 1);
    CHECK(h.missing(h.demands[0])[0].of.size() == 2);
    h = after(h, approves(ada), people, t0 + 2min);
    CHECK(h.status == hold_status::approved);  // ada for finance, so grace is risk's
    CHECK(satisfied_by_new_demands(h, std::vector{w}, people, t0 + 3min));

    // Two of one team are not one of each, whatever their number.
    hold other = after(opened({w}, people), approves(ada), people, t0 + 1min);
    other = after(other, approves(edsger), people, t0 + 2min);
    CHECK(other.status == hold_status::held);
    CHECK(other.approvals_given() == 1);

    // At release: more is demanded now; and a plain number now is asked of the people as they are.
    workflow more = w;
    more.places[1].approvals = 2;
    more.approvals = 3;
    CHECK_FALSE(satisfied_by_new_demands(h, std::vector{more}, people, t0 + 3min));
    workflow plain = w;
    plain.places.clear();
    CHECK(satisfied_by_new_demands(h, std::vector{plain}, people, t0 + 3min));
    workflow elsewhere = w;
    elsewhere.places[0].of = target::parse("team:empty").value();
    CHECK_FALSE(satisfied_by_new_demands(h, std::vector{elsewhere}, people, t0 + 3min));
}

TEST_CASE("what decisions of a workflow with places count for says nothing to a program that knows only names")
{
    workflow w = flow("both", 1, {{{"team:finance"}, 10min}});
    w.places = {{target::parse("team:finance").value(), 1}};
    const directory people = town();
    const hold h = after(opened({w}, people), approves(ada), people, t0);
    CHECK(h.decisions[0].counts_in == std::vector<std::string>{"both/team:finance"});
}
