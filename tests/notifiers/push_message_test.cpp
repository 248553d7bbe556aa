#include "notifiers/push_message.hpp"

#include "tests/notifiers/example_notice.hpp"
#include "workflows/encoding.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <string>

using namespace sallyport;
using namespace sallyport::notifiers;

namespace {

std::string bytes(std::string_view text) { return read_base64url(text).value(); }

// RFC 8291, Appendix A.
push_keys receiver()
{
    return {bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
            bytes("BTBZMqHH6r4Tts7J_aSIgg")};
}
push_chance drawn() { return {secret(bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")), bytes("DGv6ra1nlYgDCS1FRnbzlw")}; }

}  // namespace

TEST_CASE("a message is encrypted as RFC 8291 shows in its Appendix A")
{
    const auto body = encrypt_push("When I grow up, I want to be a watermelon", receiver(), drawn(), 0);
    REQUIRE(body.has_value());
    CHECK(base64url(*body) ==
          "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6"
          "cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN");
}

TEST_CASE("what is said cannot be told by its length, and nothing comes twice")
{
    const auto one = encrypt_push("a", receiver(), 512), other = encrypt_push(std::string(512, 'x'), receiver(), 512);
    REQUIRE(one.has_value());
    REQUIRE(other.has_value());
    CHECK(one->size() == other->size());
    CHECK(one->size() == 16 + 4 + 1 + 65 + 512 + 1 + 16);
    CHECK(one->substr(0, 16) != other->substr(0, 16));    // salts
    CHECK(one->substr(21, 65) != other->substr(21, 65));  // keys
}

TEST_CASE("keys that are none are refused")
{
    const push_keys good = receiver();
    CHECK(check_push_keys(good).has_value());
    struct row {
        const char* name;
        push_keys keys;
    };
    std::string off_curve = good.p256dh, compressed = good.p256dh.substr(0, 33), hybrid = good.p256dh;
    off_curve.back() = static_cast<char>(off_curve.back() ^ 1);
    compressed.front() = '\x02';
    hybrid.front() = '\x06';
    const row rows[] = {
        {"a point beside the curve", {off_curve, good.auth}},
        {"a compressed one", {compressed, good.auth}},
        {"a hybrid one", {hybrid, good.auth}},
        {"the point at infinity", {std::string(1, '\0'), good.auth}},
        {"nothing", {"", good.auth}},
        {"a byte too many", {good.p256dh + '\0', good.auth}},
        {"a short secret", {good.p256dh, good.auth.substr(1)}},
        {"a long one", {good.p256dh, good.auth + 'x'}},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK_FALSE(check_push_keys(r.keys).has_value());
        CHECK_FALSE(encrypt_push("x", r.keys, 0).has_value());
    }
    CHECK_FALSE(encrypt_push(std::string(longest_push_text + 1, 'x'), good, 0).has_value());
    CHECK_FALSE(encrypt_push("x", good, push_chance{secret(std::string(32, '\0')), std::string(16, 's')}, 0).has_value());
    CHECK_FALSE(encrypt_push("x", good, push_chance{secret(std::string(32, '\xFF')), std::string(16, 's')}, 0).has_value());
}

TEST_CASE("a screen that is locked shows who asks, and nothing of what is asked")
{
    notice n = example_notice();
    n.agent = "refund-bot";
    n.reasons = {{"refunds", "Refund 900 EUR to c_17"}};
    n.reason = "not this customer";
    n.decided_by = {"Ada Lovelace"};
    for (const auto what : {notice::kind::asked, notice::kind::reminded, notice::kind::ended}) {
        n.what = what;
        n.status = what == notice::kind::ended ? hold_status::denied : hold_status::held;
        const std::string text = push_payload(n);
        CHECK(text.find("refund-bot") != std::string::npos);
        for (const char* hidden : {"900", "c_17", "customer", "Ada", "/v1/"}) CHECK(text.find(hidden) == std::string::npos);
        const auto said = boost::json::parse(text);
        CHECK(said.at("hold").as_string() == n.hold.text());
        CHECK(said.at("tells").as_string() == std::string(name_of(what)));
    }
    CHECK(push_payload(n).find("A call of refund-bot was denied") != std::string::npos);
}
