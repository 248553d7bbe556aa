// Labels and absences of people.
#include "storage/directory_store.hpp"
#include "storage/person_store.hpp"
#include "tests/storage/fixture.hpp"
#include "tests/storage/people.hpp"

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace sallyport::storage {
namespace {

using namespace std::chrono_literals;

problem refusal(const result<person>& r)
{
    REQUIRE_FALSE(r.has_value());
    return r.error().what;
}

}  // namespace

TEST_CASE("labels are set, changed and removed, at most 50 of them")
{
    fixture f;
    f.in([](transaction& tx) { add_person(tx, "ada"); });
    const auto label = [&](const std::map<std::string, std::string>& set, const std::vector<std::string>& remove = {}) {
        return f.db().run_blocking([&](transaction& tx) { return person_store::set_labels(tx, "ada", set, remove); });
    };
    const auto before = f.in([](transaction& tx) { return directory_store::current_generation(tx); });
    CHECK(label({{"level", "senior"}, {"office", "Zürich \"A\""}})->labels.size() == 2);
    CHECK(f.in([](transaction& tx) { return directory_store::current_generation(tx); }) > before);
    CHECK(label({{"level", "junior"}}, {"office", "nothing"})->labels == std::map<std::string, std::string>{{"level", "junior"}});
    const auto read = f.in([](transaction& tx) { return person_store::by_handle(tx, "ada").value(); });
    CHECK(read.labels == std::map<std::string, std::string>{{"level", "junior"}});
    std::map<std::string, std::string> many;
    for (int i = 0; i < 50; ++i) many["l" + std::to_string(i)] = "x";
    CHECK(refusal(label(many)) == problem::invalid_input);
    CHECK(label(many, {"level"})->labels.size() == 50);
    CHECK(refusal(f.db().run_blocking([](transaction& tx) { return person_store::set_labels(tx, "zoe", {}, {}); })) == problem::not_found);
}

TEST_CASE("an absence: one a person, with an active approver as deputy, gone when it is over")
{
    fixture f;
    f.in([](transaction& tx) {
        add_person(tx, "ada");
        add_person(tx, "grace");
        add_person(tx, "alan");
        person_store::set_status(tx, "alan", person_status::disabled).value();
    });
    const auto now = f.now();
    const auto leave = [&](const char* handle, time_point from, time_point until, const char* deputy = "") {
        return f.db().run_blocking([&](transaction& tx) { return person_store::set_absence(tx, handle, {from, until, deputy}); });
    };
    struct row {
        const char* name;
        const char* handle;
        time_point from, until;
        const char* deputy;
        problem why;
    };
    const row rows[] = {
        {"of nobody", "zoe", now, now + 1h, "", problem::not_found},
        {"by nobody", "ada", now, now + 1h, "zoe", problem::not_found},
        {"one's own deputy", "ada", now, now + 1h, "ada", problem::invalid_input},
        {"a deputy who is disabled", "ada", now, now + 1h, "alan", problem::conflict},
        {"the other way round", "ada", now + 1h, now, "", problem::invalid_input},
        {"no time at all", "ada", now, now, "", problem::invalid_input},
        {"in the past", "ada", now - 2h, now - 1h, "", problem::invalid_input},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(refusal(leave(r.handle, r.from, r.until, r.deputy)) == r.why);
    }
    CHECK(leave("ada", now, now + 1h, "grace")->away == absence{now, now + 1h, "grace"});
    CHECK(leave("ada", now + 1h, now + 2h)->away == absence{now + 1h, now + 2h, ""});  // in its place
    CHECK(f.ask("SELECT count(*) FROM absences") == "1");
    CHECK(f.in([](transaction& tx) { return person_store::end_absence(tx, "ada"); }).away == std::nullopt);
    CHECK(refusal(f.db().run_blocking([](transaction& tx) { return person_store::end_absence(tx, "ada"); })) == problem::not_found);
    // What is over is not shown, and is no absence to end.
    REQUIRE(leave("ada", now, now + 1h, "grace").has_value());
    f.sql("UPDATE absences SET from_at = now() - interval '2 hours', until_at = now() - interval '1 hour'");
    CHECK(f.in([](transaction& tx) { return person_store::by_handle(tx, "ada").value(); }).away == std::nullopt);
    CHECK(refusal(f.db().run_blocking([](transaction& tx) { return person_store::end_absence(tx, "ada"); })) == problem::not_found);
}

}  // namespace sallyport::storage
