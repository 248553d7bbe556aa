// What a click in Slack may do, and what not, against a real database.
#include "gateway/people/slack.hpp"

#include "gateway/canonical/sha256.hpp"
#include "gateway/identity/decision_token.hpp"
#include "notifiers/slack_message.hpp"
#include "storage/slack_store.hpp"
#include "tests/gateway/people/scene.hpp"

#include <future>
#include <latch>
#include <string>
#include <variant>

namespace sallyport::people {
namespace {

using namespace testing;
using notifiers::slack_click;
using notifiers::slack_command;
using notifiers::slack_submission;

struct slack_scene : scene {
    slack_scene()
    {
        connect("ada", "T1", "UADA");
        connect("grace", "T1", "UGRACE");
    }

    person_id id_of(const std::string& handle)
    {
        return in([&](storage::transaction& tx) { return storage::person_store::by_handle(tx, handle).value().id; });
    }
    void connect(const std::string& handle, const std::string& team, const std::string& user)
    {
        const auto who = id_of(handle);
        in([&](storage::transaction& tx) { storage::slack_store::connect(tx, {team, user, who, {}}).value(); });
    }
    hold_id easy(asks a = {})
    {
        a.needed = assurance::click;
        return hold_for(a);
    }

    struct made_for {
        std::string handle = "ada";
        std::string channel = "slack";
        duration life = 1h;
        std::string key = "decision";
    };
    std::string made_button(hold_id hold, const made_for& m)
    {
        const auto ends = in([](storage::transaction& tx) { return tx.now(); }) + m.life;
        return notifiers::slack_decision{hold, identity::write_decision_token({hold, id_of(m.handle), ends, m.channel}, m.key)}.text();
    }
    std::string button(hold_id hold, const std::string& handle = "ada") { return made_button(hold, made_for{handle}); }

    result<slack_outcome> sends(notifiers::slack_request what, duration ago = {})
    {
        return db().run_blocking([&](storage::transaction& tx) {
            call c;
            c.standing = standing(tx);
            c.around = &around;
            from_slack r{what, tx.now() - ago, "1767603600", "v0=00", {}, sha256("the body")};
            return answer_slack(tx, c, r);
        });
    }
    static slack_click click(const std::string& value, std::string user = "UADA", std::string team = "T1",
                             std::string_view action = notifiers::slack_approve_action)
    {
        slack_click k;
        k.team = std::move(team);
        k.user = std::move(user);
        k.action_id = action;
        k.value = value;
        k.channel = "D1";
        k.message_ts = "1767603601.000001";
        k.action_ts = "1767603605.000001";
        k.trigger_id = "trigger";
        k.user_name = "ada.l";
        k.team_domain = "example";
        return k;
    }
    static slack_submission denial(const std::string& value, std::string reason = "not ours", std::string user = "UADA")
    {
        slack_submission s;
        s.team = "T1";
        s.user = std::move(user);
        s.callback_id = notifiers::slack_deny_dialog;
        s.private_metadata = value;
        s.reason = std::move(reason);
        return s;
    }

    /// What is whispered; empty: nothing.
    static std::string whisper(const result<slack_outcome>& done)
    {
        REQUIRE(done.has_value());
        CHECK(done->answer.status == 200);
        CHECK(done->answer.body.empty());
        if (done->errands.empty()) return {};
        CHECK(done->errands.size() == 1);
        const auto& words = std::get<notifiers::slack_whispering>(done->errands.front());
        CHECK(words.conversation == "D1");
        return words.note.text + (words.note.link.empty() ? "" : " " + words.note.link);
    }
    static std::string dialog_error(const result<slack_outcome>& done)
    {
        REQUIRE(done.has_value());
        CHECK(done->errands.empty());
        if (done->answer.body.empty()) return {};
        const auto body = boost::json::parse(done->answer.body).as_object();
        CHECK(body.at("response_action").as_string() == "errors");
        return std::string(body.at("errors").at(notifiers::slack_reason_block).as_string());
    }
    static bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }
};

}  // namespace

TEST_CASE_FIXTURE(slack_scene, "a click approves, once, with what Slack gave as evidence")
{
    const auto id = easy();
    const auto value = button(id);
    const auto done = sends(click(value));
    CHECK(whisper(done) == "");
    CHECK(done->answer.approved == id);
    CHECK(read(id).status == hold_status::approved);
    CHECK(ask("SELECT channel FROM evidence") == "slack");
    const auto evidence = boost::json::parse(ask("SELECT channel_evidence FROM evidence")).as_object();
    CHECK(evidence.at("team").as_string() == "T1");
    CHECK(evidence.at("user").as_string() == "UADA");
    CHECK(evidence.at("message_ts").as_string() == "1767603601.000001");
    CHECK(evidence.at("action_ts").as_string() == "1767603605.000001");
    CHECK(evidence.at("signed_at").as_string() == "1767603600");
    CHECK(evidence.at("signature").as_string() == "v0=00");
    CHECK(evidence.at("body_sha256").as_string() == sha256("the body").base64url());
    CHECK_FALSE(evidence.contains("trigger_id"));

    const auto again = sends(click(value));
    CHECK(has(whisper(again), "Approved by Name of ada"));
    CHECK_FALSE(again->answer.approved);
    CHECK(ask("SELECT count(*) FROM decisions") == "1");
}

TEST_CASE_FIXTURE(slack_scene, "a dialog denies, and its reason is kept")
{
    const auto id = easy();
    const auto value = button(id);
    const auto opened = sends(click(value, "UADA", "T1", notifiers::slack_deny_action));
    REQUIRE(opened.has_value());
    REQUIRE(opened->errands.size() == 1);
    const auto& ask_why = std::get<notifiers::slack_asking>(opened->errands.front());
    CHECK(ask_why.decision.text() == value);
    CHECK(ask_why.trigger_id == "trigger");
    CHECK(ask_why.summary == "Refund 900 EUR");
    CHECK(read(id).status == hold_status::held);

    CHECK(has(dialog_error(sends(denial(value, ""))), "Say why"));
    CHECK(has(dialog_error(sends(denial(value, std::string(2001, 'x')))), "2000"));
    CHECK(has(dialog_error(sends(denial(value, "a\x07"))), "control"));
    CHECK(read(id).status == hold_status::held);
    const auto done = sends(denial(value, "twice\nalready"));
    CHECK(dialog_error(done) == "");
    REQUIRE(done->answer.closed.size() == 1);
    CHECK(read(id).status == hold_status::denied);
    CHECK(read(id).reason_given() == "twice\nalready");
    CHECK(has(dialog_error(sends(denial(value))), "Denied by Name of ada"));
    CHECK(has(whisper(sends(click(value))), "Denied by Name of ada: twice"));
    CHECK(has(whisper(sends(click(value, "UADA", "T1", notifiers::slack_deny_action))), "Denied by"));
}

TEST_CASE_FIXTURE(slack_scene, "who and what a click does not decide for")
{
    const auto id = easy();
    const auto strict = hold_for({});
    const auto other = easy({.whom = {"person:grace"}});
    struct row {
        const char* name;
        notifiers::slack_click what;
        const char* said;
    };
    const row rows[] = {
        {"somebody else, connected", click(button(id), "UGRACE"), "sent to somebody else"},
        {"nobody that is known", click(button(id), "UNOBODY"), "not connected"},
        {"the same user of another workspace", click(button(id), "UADA", "T2"), "not connected"},
        {"a workspace that is not said", click(button(id), "UADA", ""), "did not say"},
        {"a token of mails", click(made_button(id, {"ada", "email"})), "none of Sallyport's"},
        {"a token under another key", click(made_button(id, {"ada", "slack", 1h, "other"})), "none of Sallyport's"},
        {"a token whose time is over", click(made_button(id, {"ada", "slack", -1s})), "time is over"},
        {"a token of another hold", click(id.text() + button(other).substr(hold_id::length)), "none of Sallyport's"},
        {"a value of somebody's", click("hello"), "none of Sallyport's"},
        {"more than a click is asked", click(button(strict)), "more than a click: passkey"},
        {"not asked", click(button(other)), "no such request"},
        {"a hold that is none", click(button(storage::some_id<hold_id>(999))), "no such request"},
        {"a link's button", click(button(id), "UADA", "T1", notifiers::slack_open_action), ""},
        {"another app's button", click(button(id), "UADA", "T1", "theirs"), ""},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto done = sends(r.what);
        const auto said = whisper(done);
        CAPTURE(said);
        CHECK(std::string(r.said).empty() == said.empty());
        CHECK(has(said, r.said));
        CHECK_FALSE(done->answer.approved);
    }
    CHECK(has(dialog_error(sends(denial(button(id), "no", "UGRACE"))), "somebody else"));
    CHECK(has(dialog_error(sends(denial(button(strict), "no"))), "more than a click"));
    for (const auto& open : {id, strict, other}) CHECK(read(open).decisions.empty());
    CHECK(ask("SELECT count(*) FROM audit_pending WHERE data LIKE '%assurance-too-low%'") == "2");
}

TEST_CASE_FIXTURE(slack_scene, "neither what is old nor who is disabled decides")
{
    const auto id = easy();
    const auto value = button(id);
    for (const duration ago : {duration(302s), duration(-302s)}) {
        const auto stale = sends(click(value), ago);
        REQUIRE_FALSE(stale.has_value());
        CHECK(stale.error().what == problem::unauthenticated);
    }
    in([](storage::transaction& tx) { storage::person_store::set_status(tx, "ada", person_status::disabled).value(); });
    CHECK(has(whisper(sends(click(value))), "disabled"));
    slack_command command;
    command.team = "T1";
    command.user = "UADA";
    const auto listed = sends(command);
    REQUIRE(listed.has_value());
    CHECK(has(listed->answer.body, "disabled"));
    CHECK(read(id).status == hold_status::held);
}

TEST_CASE_FIXTURE(slack_scene, "two who are asked, each once")
{
    const auto id = easy({.approvals = 2});
    CHECK(whisper(sends(click(button(id)))) == "Your approval is in: 1 of 2.");
    CHECK(has(whisper(sends(click(button(id)))), "decided already"));
    const auto done = sends(click(button(id, "grace"), "UGRACE"));
    CHECK(whisper(done) == "");
    CHECK(done->answer.approved == id);
}

TEST_CASE_FIXTURE(slack_scene, "of two who press at once, one decides")
{
    for (int round = 0; round < 10; ++round) {
        const auto id = easy();
        const auto first = button(id), second = button(id, "grace");
        std::latch both(2);
        const auto press = [&](const std::string& value, const char* user) {
            both.arrive_and_wait();
            for (;;) {
                auto done = sends(click(value, user));
                if (done || done.error().what != problem::conflict) return done && done->answer.approved.has_value();
            }
        };
        auto one = std::async(std::launch::async, press, first, "UADA");
        auto two = std::async(std::launch::async, press, second, "UGRACE");
        CHECK(one.get() + two.get() == 1);
        CHECK(read(id).status == hold_status::approved);
        CHECK(read(id).decisions.size() == 1);
    }
}

TEST_CASE_FIXTURE(slack_scene, "the command lists what waits for who asks, inert, and marks where it is cut")
{
    const auto list = [&](const char* user) {
        slack_command command;
        command.team = "T1";
        command.user = user;
        const auto done = sends(command);
        REQUIRE(done.has_value());
        const auto body = boost::json::parse(done->answer.body).as_object();
        CHECK(body.at("response_type").as_string() == "ephemeral");
        return body;
    };
    CHECK(list("UADA").at("text").as_string() == "Nothing waits for you.");
    easy({.summary = "Pay <!channel> *now*\n<@U1>"});
    hold_for({.whom = {"person:grace"}, .summary = "Not for Ada"});
    const auto one = list("UADA");
    CHECK(has(std::string(one.at("text").as_string()), "1 request waits"));
    const auto& block = one.at("blocks").at(1);
    CHECK(block.at("text").at("type").as_string() == "plain_text");
    CHECK(has(std::string(block.at("text").at("text").as_string()), "Pay <!channel> *now*"));
    CHECK(has(std::string(block.at("text").at("text").as_string()), "min left"));
    CHECK(has(std::string(block.at("accessory").at("url").as_string()), "http://localhost:8081/holds/hld_"));
    CHECK_FALSE(has(boost::json::serialize(one), "Not for Ada"));

    for (int i = 0; i < 20; ++i) easy();
    const auto many = list("UADA");
    CHECK(many.at("blocks").as_array().size() == 22);
    CHECK(has(std::string(many.at("text").as_string()), "At least 20"));
}

TEST_CASE_FIXTURE(slack_scene, "an account is connected by both sides, once")
{
    const auto linked = [&](const char* user) {
        slack_command command;
        command.team = "T1";
        command.user = user;
        command.user_name = "olaf<b>";
        const auto body = boost::json::parse(sends(command)->answer.body).as_object();
        const std::string url(body.at("blocks").at(1).at("elements").at(0).at("url").as_string());
        constexpr std::string_view where = "http://localhost:8081/slack/";
        REQUIRE(url.starts_with(where));
        return url.substr(where.size());
    };
    const auto link = linked("UOLAF");
    const auto path = [](const std::string& token) { return asked_of{{"slack-links", token}, "", {}}; };
    const auto shown = ask(&show_slack_link, "olaf", path(link));
    REQUIRE(outcome(shown) == "200");
    const auto body = boost::json::parse(shown.body).as_object();
    CHECK(body.at("account").at("user").as_string() == "UOLAF");
    CHECK(body.at("account").at("user_name").as_string() == "olaf<b>");
    CHECK(body.at("connected").is_null());
    CHECK(outcome(ask(&show_slack_link, "olaf", path("AAAA"))) == "not-found");
    CHECK(outcome(ask(&connect_slack, "olaf", path(link.substr(1)))) == "not-found");
    CHECK(outcome(ask(&connect_slack, "ada", path(link))) == "conflict");  // who has one
    CHECK(outcome(ask(&connect_slack, "olaf", path(link))) == "201");
    CHECK(outcome(ask(&connect_slack, "olaf", path(link))) == "statement-stale");
    CHECK(outcome(ask(&show_slack_link, "stranger", path(link))) == "statement-stale");
    CHECK(ask("SELECT count(*) FROM audit_pending WHERE kind = 'admin' AND data LIKE '%slack.connect%UOLAF%'") == "1");

    const auto id = easy({.whom = {"person:olaf"}});
    CHECK(whisper(sends(click(button(id, "olaf"), "UOLAF"))) == "");
    CHECK(read(id).status == hold_status::approved);

    CHECK(outcome(ask(&show_my_slack, "olaf", {{"me", "slack"}, "", {}})) == "200");
    CHECK(outcome(ask(&disconnect_slack, "olaf", {{"me", "slack"}, "", {}})) == "200");
    CHECK(outcome(ask(&disconnect_slack, "olaf", {{"me", "slack"}, "", {}})) == "not-found");
    const auto later = easy({.whom = {"person:olaf"}});
    CHECK(has(whisper(sends(click(button(later, "olaf"), "UOLAF"))), "http://localhost:8081/slack/"));
    CHECK(read(later).status == hold_status::held);
}

TEST_CASE_FIXTURE(slack_scene, "a link that is ten minutes old connects nobody")
{
    std::string token;
    in([&](storage::transaction& tx) {
        call c;
        c.standing = standing(tx);
        c.around = &around;
        token = slack_link(c, {"T1", "UOLAF", {}, {}}, tx.now() - 10min).substr(std::string("http://localhost:8081/slack/").size());
    });
    CHECK(outcome(ask(&connect_slack, "olaf", {{"slack-links", token}, "", {}})) == "statement-stale");
}

}  // namespace sallyport::people
