#include "storage/slack_store.hpp"

#include "tests/storage/fixture.hpp"
#include "tests/storage/people.hpp"

namespace sallyport::storage {

TEST_CASE("an account of Slack is one person, and a person has one account")
{
    fixture f;
    const auto ada = f.in([](transaction& tx) { return add_person(tx, "ada"); });
    const auto grace = f.in([](transaction& tx) { return add_person(tx, "grace"); });
    CHECK_FALSE(f.in([](transaction& tx) { return slack_store::find(tx, "T1", "U1"); }));
    f.in([&](transaction& tx) { slack_store::connect(tx, {"T1", "U1", ada.id, {}}).value(); });

    struct row {
        const char* name;
        slack_identity what;
        bool fine;
    };
    for (const row& r : {row{"the same again", {"T1", "U1", ada.id, {}}, false}, row{"somebody else’s", {"T1", "U1", grace.id, {}}, false},
                         row{"a second one", {"T1", "U2", ada.id, {}}, false}, row{"in another workspace", {"T2", "U1", ada.id, {}}, false},
                         row{"another’s user of another workspace", {"T2", "U1", grace.id, {}}, true}}) {
        CAPTURE(r.name);
        CHECK(f.in([&](transaction& tx) { return slack_store::connect(tx, r.what).has_value(); }) == r.fine);
    }
    const auto found = f.in([](transaction& tx) { return slack_store::find(tx, "T1", "U1"); });
    REQUIRE(found);
    CHECK(found->person == ada.id);
    CHECK(f.in([&](transaction& tx) { return slack_store::of_person(tx, grace.id); })->team == "T2");

    CHECK(f.in([&](transaction& tx) { return slack_store::disconnect(tx, ada.id); }));
    CHECK_FALSE(f.in([&](transaction& tx) { return slack_store::disconnect(tx, ada.id); }));
    CHECK_FALSE(f.in([](transaction& tx) { return slack_store::find(tx, "T1", "U1"); }));
}

}  // namespace sallyport::storage
