// Lists show what their reader may read, and tell of nothing else.
#include "tests/gateway/people/scene.hpp"

#include "storage/audit_store.hpp"

#include <boost/json/array.hpp>

#include <set>
#include <string>
#include <vector>

namespace sallyport::people {
namespace {

using namespace testing;

struct page {
    std::vector<std::string> ids;
    std::string next;  // empty: the last
};

struct lists : scene {
    page holds(const std::string& who, std::vector<parameter> query)
    {
        const auto r = ask(&list_holds, who, {{"holds"}, "", std::move(query)});
        REQUIRE(r.status == 200);
        const auto body = boost::json::parse(r.body).as_object();
        page p;
        for (const auto& h : body.at("holds").as_array()) p.ids.emplace_back(h.at("hold").as_string());
        if (body.at("next").is_string()) p.next = body.at("next").as_string();
        return p;
    }
    page audit(const std::string& who, std::vector<parameter> query)
    {
        const auto r = ask(&list_audit, who, {{"audit"}, "", std::move(query)});
        REQUIRE(r.status == 200);
        const auto body = boost::json::parse(r.body).as_object();
        page p;
        for (const auto& e : body.at("audit").as_array()) p.ids.push_back(std::to_string(e.at("index").as_int64()));
        if (body.at("next").is_string()) p.next = body.at("next").as_string();
        return p;
    }
    // Every page, one after the other.
    std::vector<std::string> all_holds(const std::string& who, const std::vector<parameter>& query)
    {
        std::vector<std::string> ids;
        std::string cursor;
        for (int pages = 0; pages < 100; ++pages) {
            auto with = query;
            if (!cursor.empty()) with.push_back({"cursor", cursor});
            const auto one = holds(who, with);
            ids.insert(ids.end(), one.ids.begin(), one.ids.end());
            cursor = one.next;
            if (cursor.empty()) return ids;
        }
        FAIL("the pages do not end");
        return ids;
    }
    void record(hold_id of, int count)
    {
        in([&](storage::transaction& tx) {
            for (int i = 0; i < count; ++i) {
                storage::audit_entry e;
                e.at = tx.now();
                e.kind = "hold";
                e.hold = of;
                storage::audit_store::append(tx, e);
            }
            while (!storage::audit_store::integrate(tx, 1000).empty()) {}
        });
    }
};

}  // namespace

TEST_CASE_FIXTURE(lists, "pages of holds, newest first, without gaps")
{
    std::vector<std::string> made;
    for (int i = 0; i < 7; ++i) {
        made.insert(made.begin(), hold_for({}).text());
        hold_for({.whom = {"person:stranger"}});
    }
    for (const char* limit : {"1", "2", "7", "50"}) {
        CAPTURE(limit);
        CHECK(all_holds("ada", {{"limit", limit}}) == made);
    }
    CHECK(all_holds("auditor", {{"limit", "3"}}).size() == 14);
    CHECK(holds("ada", {{"limit", "7"}}).ids.size() == 7);
    CHECK(holds("ada", {{"limit", "7"}}).next.empty());
    CHECK(holds("auditor", {{"limit", "14"}}).next.empty());
    CHECK(holds("ada", {{"status", "denied"}}).ids.empty());
    CHECK(holds("ada", {{"agent", "nobody"}}).ids.empty());
    CHECK(outcome(ask(&list_holds, "ada", {{"holds"}, "", {{"status", "open"}}})) == "malformed-request");
}

TEST_CASE_FIXTURE(lists, "a page ends before its bodies are too many")
{
    std::vector<std::string> made;
    for (int i = 0; i < 5; ++i) made.insert(made.begin(), hold_for({.body = std::string(900 << 10, 'x')}).text());
    const auto first = holds("ada", {});
    CHECK(first.ids.size() == 2);  // 2 MiB
    CHECK_FALSE(first.next.empty());
    CHECK(all_holds("ada", {}) == made);
    // One that is larger than that is still shown.
    made.insert(made.begin(), hold_for({.body = std::string(3 << 20, 'x')}).text());
    CHECK(all_holds("ada", {}) == made);
    CHECK(holds("stranger", {}).ids.empty());
}

TEST_CASE_FIXTURE(lists, "a cursor is sealed, and is one person's in one list")
{
    for (int i = 0; i < 3; ++i) hold_for({});
    const auto hidden = hold_for({.whom = {"person:stranger"}});
    const auto first = holds("ada", {{"limit", "1"}});
    REQUIRE_FALSE(first.next.empty());
    const auto read = read_base64url(first.next);
    REQUIRE(read);
    for (const auto& id : first.ids) CHECK(read->find(id) == std::string::npos);
    CHECK(read->find(hidden.text()) == std::string::npos);
    CHECK(outcome(ask(&list_holds, "grace", {{"holds"}, "", {{"cursor", first.next}}})) == "malformed-request");
    CHECK(outcome(ask(&list_audit, "ada", {{"audit"}, "", {{"cursor", first.next}}})) == "malformed-request");
    for (const char* other : {"", "x", "0", "AAAA"})
        CHECK(outcome(ask(&list_holds, "ada", {{"holds"}, "", {{"cursor", other}}})) == "malformed-request");
}

TEST_CASE_FIXTURE(lists, "a search looks into nothing that its reader may not read")
{
    const auto mine = hold_for({.summary = "Refund for Turing"});
    for (int i = 0; i < 120; ++i) hold_for({.whom = {"person:stranger"}, .summary = i % 2 ? "Salary of Lovelace" : "Else"});
    const auto found = holds("ada", {{"q", "turing"}});
    CHECK(found.ids == std::vector{mine.text()});
    // What others' holds say makes no difference to what there is, or to where the page ends.
    const auto secret = holds("ada", {{"q", "lovelace"}, {"limit", "1"}}), nothing = holds("ada", {{"q", "never written"}, {"limit", "1"}});
    CHECK(secret.ids.empty());
    CHECK(nothing.ids.empty());
    CHECK(secret.next.empty() == nothing.next.empty());
    CHECK(all_holds("auditor", {{"q", "LOVELACE"}, {"limit", "50"}}).size() == 60);
    CHECK(all_holds("stranger", {{"q", "lovelace"}, {"limit", "50"}}).size() == 60);
}

TEST_CASE_FIXTURE(lists, "the log says of a hold that may not be read what it says of none")
{
    const auto mine = hold_for({}), hidden = hold_for({.whom = {"person:stranger"}});
    record(hidden, 1200);
    record(mine, 3);
    const auto of = [&](hold_id id) { return audit("ada", {{"hold", id.text()}, {"limit", "1"}}); };
    CHECK(of(mine).ids.size() == 1);
    CHECK_FALSE(of(mine).next.empty());
    CHECK(of(hidden).ids.empty());
    CHECK(of(hidden).next.empty());
    CHECK(of(storage::some_id<hold_id>(999)).next.empty());
    CHECK(audit("ada", {}).ids.size() == 3);
    CHECK(audit("auditor", {{"limit", "1000"}}).ids.size() == 1000);
    CHECK(audit("stranger", {{"hold", hidden.text()}}).ids.size() == 100);

    // What somebody did themselves they may see.
    in([&](storage::transaction& tx) {
        storage::audit_entry e;
        e.at = tx.now();
        e.kind = "decision";
        e.hold = hidden;
        e.person = *person_id::parse(ask("SELECT id FROM people WHERE handle = 'ada'"));
        storage::audit_store::append(tx, e);
        while (!storage::audit_store::integrate(tx, 1000).empty()) {}
    });
    CHECK(of(hidden).ids.size() == 1);
    CHECK(of(hidden).next.empty());
}

}  // namespace sallyport::people
