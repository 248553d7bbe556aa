// Who sees whose load, when a decision is too fast, and what is looked at together, against a real database.
#include "storage/load_store.hpp"
#include "tests/gateway/people/scene.hpp"

#include <string>
#include <vector>

namespace sallyport::people {
namespace {

using namespace testing;

struct desk : scene {
    desk() { add("operator", role::operator_, false); }

    boost::json::object load_of(const std::string& reader, const std::string& whom)
    {
        return boost::json::parse(ask(&show_load, reader, {{"people", whom, "load"}, "", {}}).body).as_object().at("load").as_object();
    }
    void shown_to(const std::string& handle, hold_id id, std::vector<parameter> query = {})
    {
        REQUIRE(ask(&show_hold, handle, {{"holds", id.text()}, "", std::move(query)}).status == 200);
    }
    /// Whatever this scene's people were shown, they were shown so long before.
    void wait(const std::string& interval) { change("UPDATE asks SET shown_at = shown_at - interval '" + interval + "'"); }
    std::string pace(const reply& decided)
    {
        REQUIRE(decided.status == 201);
        return boost::json::serialize(boost::json::parse(decided.body).at("decision").at("fast"));
    }
    std::string read_all_fast()
    {
        return ask("SELECT string_agg((data::json -> 'fast')::text, ' ' ORDER BY id) FROM audit_pending WHERE kind = 'decision'");
    }
    void alike(hold_id id, const std::string& digest)
    {
        change("UPDATE holds SET alike = '" + digest + "' WHERE id = '" + id.text() + "'");
    }
};

}  // namespace

TEST_CASE_FIXTURE(desk, "one's own load, and that of others for operators and auditors")
{
    const auto id = hold_for({});
    in([&](storage::transaction& tx) {
        const auto ada = storage::person_store::by_handle(tx, "ada").value();
        storage::load_store::ask(tx, std::vector<storage::asked_person>{{id, ada.id}});
    });
    CHECK(outcome(decides("ada", id)) == "201");
    for (const char* reader : {"ada", "operator", "auditor"}) {
        CAPTURE(reader);
        const auto l = load_of(reader, "ada");
        CHECK(l.at("asked").as_int64() == 1);
        CHECK(l.at("approved").as_int64() == 1);
        CHECK(l.at("by_day").as_array().size() == 7);
        CHECK(l.at("asks_per_hour").is_null());
    }
    CHECK(outcome(ask(&show_load, "grace", {{"people", "ada", "load"}, "", {}})) == "not-permitted");
    // Whether there is such a person is not said to whom it does not concern.
    CHECK(outcome(ask(&show_load, "grace", {{"people", "nobody", "load"}, "", {}})) == "not-permitted");
    CHECK(outcome(ask(&show_load, "operator", {{"people", "nobody", "load"}, "", {}})) == "not-found");
    CHECK(outcome(ask(&list_loads, "ada", {{"loads"}, "", {}})) == "not-permitted");
    for (const char* days : {"0", "91", "x", "", "7d"}) {
        CAPTURE(days);
        CHECK(outcome(ask(&show_load, "ada", {{"people", "ada", "load"}, "", {{"days", days}}})) == "malformed-request");
    }
    config->limits.asks_per_hour = 20;
    CHECK(load_of("ada", "ada").at("asks_per_hour").to_number<int>() == 20);
}

TEST_CASE_FIXTURE(desk, "everybody's loads, page by page")
{
    std::vector<std::string> handles;
    std::string cursor;
    for (int page = 0; page < 10; ++page) {
        std::vector<parameter> query{{"limit", "2"}};
        if (!cursor.empty()) query.push_back({"cursor", cursor});
        const auto answer = boost::json::parse(ask(&list_loads, "auditor", {{"loads"}, "", query}).body);
        for (const auto& l : answer.at("loads").as_array()) handles.emplace_back(l.at("person").at("handle").as_string());
        if (answer.at("next").is_null()) break;
        cursor = answer.at("next").as_string();
    }
    CHECK(handles == std::vector<std::string>{"ada", "auditor", "grace", "olaf", "operator", "stranger"});
}

TEST_CASE_FIXTURE(desk, "a decision that comes sooner than reading is marked, in the answer and in the record")
{
    const std::string long_body = R"({"amount":900,"note":")" + std::string(2000, 'x') + "\"}";  // 40 s
    const auto quick = hold_for({.body = long_body}), read = hold_for({.body = long_body}), unseen = hold_for({.body = long_body});
    shown_to("ada", quick);
    shown_to("ada", read);
    // For the list's sake: that is nobody's looking.
    shown_to("ada", unseen, {{"shown", "false"}});
    wait("30 seconds");
    CHECK(pace(decides("ada", quick)) == "true");
    wait("30 seconds");
    CHECK(pace(decides("ada", read)) == "false");
    CHECK(pace(decides("ada", unseen)) == "null");
    CHECK(read_all_fast() == "true false null");
    CHECK(load_of("ada", "ada").at("timed").as_int64() == 2);
    CHECK(load_of("ada", "ada").at("fast").as_int64() == 1);
    CHECK(outcome(ask(&show_hold, "ada", {{"holds", quick.text()}, "", {{"shown", "maybe"}}})) == "malformed-request");
}

TEST_CASE_FIXTURE(desk, "only who may decide is remembered as having been shown it")
{
    const auto id = hold_for({});
    shown_to("auditor", id);
    shown_to("olaf", id);  // the owner: reads, and is not asked
    CHECK(ask("SELECT count(*) FROM asks") == "0");
    shown_to("ada", id);
    shown_to("ada", id);
    CHECK(ask("SELECT count(*) FROM asks") == "1");
}

TEST_CASE_FIXTURE(desk, "of what was shown in one table each row takes its time")
{
    std::vector<hold_id> all;
    for (int i = 0; i < 4; ++i) {
        all.push_back(hold_for({.needed = assurance::session}));
        alike(all.back(), "same");
    }
    const auto other = hold_for({});
    const auto listed = boost::json::parse(ask(&list_holds, "ada", {{"holds"}, "", {{"alike", "same"}, {"status", "held"}}}).body);
    CHECK(listed.at("holds").as_array().size() == 4);
    CHECK(listed.at("holds").at(0).at("alike").as_string() == "same");
    CHECK(listed.at("next").is_null());
    wait("2900 milliseconds");
    // 2 s, 2.5 s, 3 s.
    const auto by_session = [&](hold_id id) { return answer("ada", id, text_of(state("ada", id), "statement"), nullptr); };
    CHECK(pace(by_session(all[0])) == "false");
    CHECK(pace(by_session(all[1])) == "false");
    wait("-2000 milliseconds");
    CHECK(pace(by_session(all[2])) == "true");
    // The list of what waits shows nobody anything.
    REQUIRE(ask(&list_holds, "ada", {{"holds"}, "", {}}).status == 200);
    CHECK(pace(decides("ada", other)) == "null");
    CHECK(outcome(ask(&list_holds, "ada", {{"holds"}, "", {{"alike", "same"}, {"q", "x"}}})) == "malformed-request");
    CHECK(outcome(ask(&list_holds, "ada", {{"holds"}, "", {{"alike", std::string(201, 'x')}}})) == "malformed-request");
    // Those of others stay theirs.
    const auto strangers = boost::json::parse(ask(&list_holds, "stranger", {{"holds"}, "", {{"alike", "same"}}}).body);
    CHECK(strangers.at("holds").as_array().empty());
}

}  // namespace sallyport::people
