#include "gateway/audit/leaf.hpp"

#include "gateway/canonical/jcs.hpp"
#include "gateway/canonical/sha256.hpp"
#include "gateway/tree/tiles.hpp"

#include <doctest/doctest.h>

#include <string>

namespace sallyport::audit {
namespace {

using namespace std::chrono_literals;

storage::audit_entry entry(const std::string& data = R"({"act":"a"})")
{
    storage::audit_entry e;
    e.index = 7;
    e.at = time_point(1'795'716'963s) + 120'045us;
    e.kind = "admin";
    e.data = data;
    return e;
}

std::string leaf_of(const storage::audit_entry& e)
{
    std::string text = "what was there before";
    write_leaf(e, text);
    return text;
}

template <class Id>
Id some()
{
    return Id::make(time_point(1'795'716'963s), {1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
}

}  // namespace

TEST_CASE("a leaf is the entry's canonical text, without its place")
{
    auto e = entry();
    CHECK(leaf_of(e) == R"({"at":"2026-11-26T18:16:03.120045Z","data":{"act":"a"},"kind":"admin"})");
    e.agent = some<agent_id>();
    CHECK(leaf_of(e).starts_with(R"({"agent":"agt_)"));
    e.action = some<action_id>();
    e.hold = some<hold_id>();
    e.person = some<person_id>();
    const auto text = leaf_of(e);
    CHECK(text == R"({"action":")" + e.action->text() + R"(","agent":")" + e.agent->text() +
                      R"(","at":"2026-11-26T18:16:03.120045Z","data":{"act":"a"},"hold":")" + e.hold->text() +
                      R"(","kind":"admin","person":")" + e.person->text() + "\"}");
    CHECK(jcs(json::document::parse(text)->root()) == text);
    const auto read = leaf_text::parse(text);
    REQUIRE(read.has_value());
    CHECK(read->action == e.action->text());
    CHECK(read->agent == e.agent->text());
    CHECK(read->hold == e.hold->text());
    CHECK(read->person == e.person->text());
    CHECK(read->kind == "admin");
    CHECK(read->at == "2026-11-26T18:16:03.120045Z");
    CHECK(read->data->find("act")->string() == "a");
}

TEST_CASE("no leaf is longer than a bundle takes")
{
    const auto rest = leaf_of(entry("")).size();
    for (const std::size_t data : {std::size_t{0}, tree::longest_entry - rest - 1, tree::longest_entry - rest,
                                   tree::longest_entry - rest + 1, std::size_t{1} << 20}) {
        CAPTURE(data);
        const auto e = entry('"' + std::string(data < 2 ? 0 : data - 2, 'x') + '"');
        const auto text = leaf_of(e);
        CHECK(text.size() <= tree::longest_entry);
        const bool apart = rest + e.data.size() > tree::longest_entry;
        CHECK(data_is_apart(e) == apart);
        const auto read = leaf_text::parse(text);
        REQUIRE(read.has_value());
        CHECK((read->data == nullptr) == apart);
        if (apart) CHECK(read->data_sha256 == sha256(e.data).hex());
        CHECK(jcs(json::document::parse(text)->root()) == text);
    }
}

TEST_CASE("what is no leaf")
{
    for (const char* text : {"", "[]", "{}", R"({"at":"x","kind":"admin"})", R"({"at":"x","data":{},"data_sha256":"x","kind":"admin"})",
                             R"({"at":"x","data":{}})", R"({"data":{},"kind":"admin"})", R"({"kind":"admin","data":{},"at":"x"})",
                             R"({"at":1,"data":{},"kind":"admin"})", R"({"at":"x","data":{},"kind":"admin","more":1})",
                             R"({"at":"x","data":{},"data":{},"kind":"admin"})"})
        CHECK_FALSE(leaf_text::parse(text).has_value());
}

}  // namespace sallyport::audit
