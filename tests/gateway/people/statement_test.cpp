#include "gateway/people/statement.hpp"

#include "gateway/canonical/jcs.hpp"
#include "gateway/canonical/json.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace sallyport::people {
namespace {

using namespace std::chrono_literals;

constexpr time_point t0{std::chrono::sys_days{std::chrono::year{2026} / 1 / 5} + std::chrono::hours(9)};
const std::string key(32, 'k');

storage::stored_hold held()
{
    storage::stored_hold h;
    h.hold.id = *hold_id::parse("hld_01ARZ3NDEKTSV4RRFFQ69G5FAV");
    h.hold.action = *action_id::parse("act_01ARZ3NDEKTSV4RRFFQ69G5FAV");
    h.hold.agent = *agent_id::parse("agt_01ARZ3NDEKTSV4RRFFQ69G5FAV");
    h.hold.owner = {owner_name::kind::team, "finance"};
    h.hold.reasons = {{"refunds", "Refund 900 EUR"}, {"more", "\\u202E \u00e4"}};
    h.action.method = "POST";
    h.action.authority = "api.payments.example";
    h.action.target = "/v1/refunds";
    h.action.content_digest = "sha-256=:abc=:";
    h.action.digest = "digest";
    h.action.policy = "aa11";
    h.action.task = R"({"id":"tsk_1","intent":"refund \"all\"","scopes":["payments"],"limits":null})";
    return h;
}

person ada()
{
    person p;
    p.id = *person_id::parse("per_01ARZ3NDEKTSV4RRFFQ69G5FAV");
    p.name = "Ada";
    return p;
}

statement_request asked(decision_kind what = decision_kind::approve)
{
    return {what, "because \"yes\"", t0, t0 + 5min, std::string(16, 'r')};
}

std::string written(const statement_request& request = asked()) { return write_statement(held(), "refund-bot", ada(), request, key); }

}  // namespace

TEST_CASE("a statement has the contract's members and no others, in RFC 8785 form")
{
    const std::string text = written();
    const auto read = json::document::parse(text);
    REQUIRE(read.has_value());
    CHECK(jcs(read->root()) == text);
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < read->root().size(); ++i) names.push_back(read->root().key(i));
    CHECK(names == std::vector<std::string_view>{"action", "agent", "approver", "decision", "expires_at", "grant", "hold", "issued_at",
                                                 "nonce", "policy", "reason", "rules", "slot", "summary_digest", "task", "type"});
    const auto member = [&](std::string_view name) { return jcs(*read->root().find(name)); };
    CHECK(member("type") == R"("sallyport.statement.v1")");
    CHECK(member("agent") == R"({"id":"agt_01ARZ3NDEKTSV4RRFFQ69G5FAV","name":"refund-bot","owner":"team:finance"})");
    CHECK(member("task") == R"({"id":"tsk_1","intent":"refund \"all\""})");
    CHECK(member("rules") == R"(["refunds","more"])");
    CHECK(member("slot") == "1");
    CHECK(member("grant") == "null");
    CHECK(member("reason") == R"("because \"yes\"")");
    CHECK(member("summary_digest") == "\"" + summary_digest(held().hold).base64url() + "\"");
    CHECK(read_base64url(read->root().find("nonce")->string())->size() == 32);

    auto bare = held();
    bare.action.task.clear();
    bare.action.content_digest.clear();
    auto no = asked(decision_kind::deny);
    no.reason.clear();
    const std::string denied = write_statement(bare, "refund-bot", ada(), no, key);
    const auto denial = json::document::parse(denied).value();
    CHECK(jcs(*denial.root().find("task")) == "null");
    CHECK(jcs(*denial.root().find("slot")) == "null");
    CHECK(jcs(*denial.root().find("reason")) == "null");
    CHECK(jcs(*denial.root().find("action")->find("content_digest")) == "null");
    CHECK_THROWS(write_statement(held(), "", ada(), {decision_kind::approve, "", t0, t0, "short"}, key));
}

TEST_CASE("a statement is known again")
{
    const auto read = read_statement(written(), key);
    REQUIRE(read.has_value());
    CHECK(read->hold == held().hold.id);
    CHECK(read->approver == ada().id);
    CHECK(read->decision == decision_kind::approve);
    CHECK(read->reason == "because \"yes\"");
    CHECK(read->slot == 1);
    CHECK(read->expires_at == t0 + 5min);
    CHECK_FALSE(read_statement(written(asked(decision_kind::deny)), key)->slot);
}

TEST_CASE("every other text is none, to the byte")
{
    const std::string text = written();
    const auto refused = [](std::string_view t, std::string_view k = key) {
        const auto read = read_statement(t, k);
        return !read && read.error().what == problem::bad_assertion;
    };
    CHECK(refused(text, std::string(32, 'x')));
    CHECK(refused(""));
    CHECK(refused("[]"));
    CHECK(refused("{}"));
    CHECK(refused(text + " "));
    CHECK(refused(" " + text));
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string other = text;
        other[i] = static_cast<char>(other[i] ^ 1);
        CHECK(refused(other));
        other = text;
        other.erase(i, 1);
        CHECK(refused(other));
    }
    // What says the nonce twice has none.
    auto nonce = asked();
    nonce.reason = R"("nonce":"x")";
    CHECK(read_statement(written(nonce), key).has_value());
}

}  // namespace sallyport::people
