#include "notifiers/slack_message.hpp"

#include "notifiers/slack_text.hpp"
#include "tests/notifiers/example_notice.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace sallyport;
using namespace sallyport::notifiers;
namespace json = boost::json;

namespace {

json::object parsed(const std::string& text) { return json::parse(text).as_object(); }

// Every object of the value, outermost first.
void each_object(const json::value& v, const std::function<void(const json::object&)>& look)
{
    if (const auto* o = v.if_object()) {
        look(*o);
        for (const auto& member : *o) each_object(member.value(), look);
    } else if (const auto* a = v.if_array()) {
        for (const auto& element : *a) each_object(element, look);
    }
}

std::string text_of(const json::object& o, std::string_view name)
{
    const auto* found = o.if_contains({name.data(), name.size()});
    return found != nullptr && found->is_string() ? std::string(found->get_string().c_str(), found->get_string().size()) : std::string();
}

std::vector<std::string> texts(const json::object& message, std::string_view type)
{
    std::vector<std::string> all;
    each_object(message.at("blocks"), [&](const json::object& o) {
        if (text_of(o, "type") == type) all.push_back(text_of(o, "text"));
    });
    return all;
}

std::vector<std::string> actions(const json::object& message)
{
    std::vector<std::string> all;
    each_object(message.at("blocks"), [&](const json::object& o) {
        if (const auto action = text_of(o, "action_id"); !action.empty())
            all.push_back(action.substr(std::string_view("sallyport_").size()));
    });
    return all;
}

std::string label_of(const json::object& message, std::string_view action)
{
    std::string label;
    each_object(message.at("blocks"), [&](const json::object& o) {
        if (text_of(o, "action_id") == action) label = text_of(o.at("text").as_object(), "text");
    });
    return label;
}

// What block types and texts may be, by Slack's documentation; UTF-16 units with entities, so that any reading of "character" holds.
void check_limits(const json::object& message)
{
    const auto& blocks = message.at("blocks").as_array();
    CHECK(blocks.size() >= 1);
    CHECK(blocks.size() <= 50);
    CHECK(slack_length(text_of(message, "text")) <= 40'000);
    for (const auto& block : blocks) {
        const auto& b = block.as_object();
        const std::string type = text_of(b, "type");
        if (type == "header") CHECK(slack_length(text_of(b.at("text").as_object(), "text")) <= 150);
        if (type == "section" && b.contains("text")) CHECK(slack_length(text_of(b.at("text").as_object(), "text")) <= 3000);
        if (type == "section" && b.contains("fields")) {
            CHECK(b.at("fields").as_array().size() <= 10);
            for (const auto& f : b.at("fields").as_array()) CHECK(slack_length(text_of(f.as_object(), "text")) <= 2000);
        }
        if (type == "context") CHECK(b.at("elements").as_array().size() <= 10);
        if (type == "actions") CHECK(b.at("elements").as_array().size() <= 25);
    }
    each_object(message.at("blocks"), [&](const json::object& o) {
        if (text_of(o, "type") == "plain_text") {
            CHECK(o.at("emoji") == json::value(false));
            CHECK(!text_of(o, "text").empty());
        }
        if (text_of(o, "type") == "button") {
            CHECK(slack_length(text_of(o.at("text").as_object(), "text")) <= 75);
            CHECK(slack_length(text_of(o, "value")) <= 2000);
            CHECK(slack_length(text_of(o, "url")) <= 3000);
        }
    });
    CHECK(json::serialize(message.at("blocks")).size() < 13'000);
}

struct hostile {
    const char* name;
    std::string text;
};

std::vector<hostile> hostile_texts()
{
    return {
        {"channel", "<!channel> <!here> <!everyone>"},
        {"mention", "<@U012AB3CD> <#C123|general> <!subteam^S1>"},
        {"link", "<https://evil.example|Approve here>"},
        {"mrkdwn", "*Approved* by _Ada_ ~no~ > quote"},
        {"backticks", "``` ` ```"},
        {"emoji", ":white_check_mark: :rotating_light:"},
        {"entities", "&lt;!channel&gt; &amp;"},
        {"a date", "<!date^0^{date}|never>"},
        {"forged lines", "ok\nApprovals\n2 of 2\n\nApproved by Ada"},
        {"bidi", "safe \xE2\x80\xAE"
                 "lruf"},
        {"JSON", "\"}]},{\"type\":\"actions\",\"elements\":[{\"action_id\":\"sallyport_approve\"}]"},
        {"backslashes", std::string(50, '\\')},
        {"no UTF-8", "\xFF\xFE\xC0\xAF"},
        {"controls", std::string("\0\x01\x1B[31m\x7F", 8)},
    };
}

}  // namespace

TEST_CASE("a click suffices: what is asked, of whom, and the two buttons")
{
    const auto message = parsed(slack_post(example_notice(), "D1"));
    check_limits(message);
    CHECK(message.at("channel") == "D1");
    CHECK(!message.contains("thread_ts"));
    CHECK(text_of(message, "text") == "refund-bot asks for approval. The agent says: Refund 900 EUR to c_17");
    CHECK(texts(message, "plain_text") ==
          std::vector<std::string>{"refund-bot asks for approval", "The agent says (rule refunds-over-500):\nRefund 900 EUR to c_17",
                                   "Agent\nrefund-bot", "Owner\nteam:finance", "Route\npayments", "Workflow\nfinance", "Approvals\n0 of 2",
                                   "The request:\nPOST api.payments.example/v1/refunds", "Approve", "Deny", "Open"});
    CHECK(texts(message, "mrkdwn") ==
          std::vector<std::string>{"Open until <!date^1767605400^{date_short_pretty} {time}|2026-01-05T09:30:00.000Z>"});
    CHECK(actions(message) == std::vector<std::string>{"approve", "deny", "open"});
    CHECK(text_of(message.at("metadata").at("event_payload").as_object(), "key") == example_notice().key);
}

TEST_CASE("who may decide how, and where")
{
    struct row {
        const char* name;
        std::function<void(notice&)> change;
        std::vector<std::string> buttons;
        const char* link;
    };
    const std::vector<std::string> both{"approve", "deny", "open"}, link{"open"};
    const row rows[] = {
        {"click", [](notice&) {}, both, "Open"},
        {"session", [](notice& n) { n.assurance = assurance::session; }, link, "Review and sign"},
        {"passkey", [](notice& n) { n.assurance = assurance::passkey; }, link, "Review and sign"},
        {"no token", [](notice& n) { n.decision_token.clear(); }, link, "Review and decide"},
        {"a token that is none", [](notice& n) { n.decision_token = "a b"; }, link, "Review and decide"},
        {"a token that would be cut", [](notice& n) { n.decision_token = std::string(1901, 'a'); }, link, "Review and decide"},
        {"the longest token", [](notice& n) { n.decision_token = std::string(1900, 'a'); }, both, "Open"},
        {"ended", [](notice& n) { n.what = notice::kind::ended; }, link, "Open"},
        {"no link", [](notice& n) { n.link.clear(); }, {"approve", "deny"}, ""},
        {"a summary of the longest", [](notice& n) { n.reasons[0].summary = std::string(2900, 'x'); }, both, "Open"},
        {"a summary that is cut", [](notice& n) { n.reasons[0].summary = std::string(4000, 'x'); }, link, "Review and decide"},
        {"one of two is cut",
         [](notice& n) {
             n.reasons.push_back({"b", std::string(4000, 'x')});
         },
         link, "Review and decide"},
        {"a hundred reasons",
         [](notice& n) {
             n.reasons.assign(100, {"rule", "text"});
         },
         link, "Review and decide"},
        {"thirty reasons",
         [](notice& n) {
             n.reasons.assign(30, {"rule", "text"});
         },
         both, "Open"},
        {"together too long",
         [](notice& n) {
             n.reasons.assign(5, {"rule", std::string(2900, 'x')});
         },
         link, "Review and decide"},
        {"a target that is cut", [](notice& n) { n.target = "/" + std::string(3000, 'x'); }, link, "Review and decide"},
        {"a name that is cut", [](notice& n) { n.agent = std::string(500, 'x'); }, link, "Review and decide"},
        {"workflows that are cut", [](notice& n) { n.workflows.assign(50, "a-workflow"); }, link, "Review and decide"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        notice n = example_notice();
        r.change(n);
        const auto message = parsed(slack_post(n, "D1"));
        check_limits(message);
        CHECK(actions(message) == r.buttons);
        CHECK(label_of(message, slack_open_action) == r.link);
    }
}

TEST_CASE("what is cut is marked, and the card says where all of it is")
{
    notice n = example_notice();
    n.reasons.assign(100, {"rule", "text"});
    std::string all = slack_post(n, "D1");
    CHECK(all.find("more rules [cut]") != std::string::npos);
    CHECK(all.find("where all of it is shown") != std::string::npos);
    n.reasons = {{"rule", std::string(4000, 'x')}};
    all = slack_post(n, "D1");
    CHECK(all.find("xxx… [cut]") != std::string::npos);
    CHECK(slack_post(example_notice(), "D1").find("[cut]") == std::string::npos);
}

TEST_CASE("hostile text stays inert wherever it stands")
{
    const std::vector<std::pair<const char*, std::function<void(notice&, const std::string&)>>> places{
        {"summary", [](notice& n, const std::string& t) { n.reasons[0].summary = t; }},
        {"rule", [](notice& n, const std::string& t) { n.reasons[0].rule = t; }},
        {"agent", [](notice& n, const std::string& t) { n.agent = t; }},
        {"owner", [](notice& n, const std::string& t) { n.owner = t; }},
        {"route", [](notice& n, const std::string& t) { n.route = t; }},
        {"method", [](notice& n, const std::string& t) { n.method = t; }},
        {"authority", [](notice& n, const std::string& t) { n.authority = t; }},
        {"target", [](notice& n, const std::string& t) { n.target = t; }},
        {"workflow", [](notice& n, const std::string& t) { n.workflows = {t}; }},
        {"decided by", [](notice& n, const std::string& t) { n.decided_by = {t}; }},
        {"reason", [](notice& n, const std::string& t) { n.reason = t; }},
        {"key", [](notice& n, const std::string& t) { n.key = t; }},
    };
    for (const hostile& h : hostile_texts())
        for (const auto& [where, put] : places)
            for (const notice& base : {example_notice(), ended_notice(hold_status::denied)}) {
                CAPTURE(h.name);
                CAPTURE(where);
                notice n = base;
                put(n, h.text);
                const auto message = parsed(slack_post(n, "D1"));  // valid UTF-8, or it would not parse
                check_limits(message);
                // Only the date of ours is markup.
                for (const auto& text : texts(message, "mrkdwn")) {
                    const auto date = text.find("<!date^176760");
                    REQUIRE(date != std::string::npos);
                    CHECK(text.find('<', date + 1) == std::string::npos);
                    CHECK(text.size() < 100);
                }
                for (const char c : text_of(message, "text")) CHECK((c != '<' && c != '>' && c != '\n'));
                // Each foreign text has its own line, below words of ours.
                for (const auto& text : texts(message, "plain_text")) CHECK(std::count(text.begin(), text.end(), '\n') <= 1);
                CHECK(actions(message).size() == (n.what == notice::kind::asked ? 3 : 1));
            }
}

TEST_CASE("every limit holds for what is long, in any script")
{
    for (const char* piece : {"x", "&", "é", "東", "😀", "\\", "\"", "\xFF", "\n"})
        for (const std::size_t times : {100U, 3000U, 20000U})
            for (const std::size_t reasons : {1U, 7U, 100U})
                for (const bool ends : {false, true}) {
                    CAPTURE(piece);
                    CAPTURE(times);
                    CAPTURE(reasons);
                    std::string text;
                    for (std::size_t i = 0; i < times; ++i) text += piece;
                    notice n = ends ? ended_notice(hold_status::denied) : example_notice();
                    n.reasons.assign(reasons, {text, text});
                    n.agent = n.owner = n.route = n.target = n.reason = text;
                    n.workflows = n.decided_by = {text, text};
                    const auto message = parsed(slack_post(n, "D1"));
                    check_limits(message);
                    CHECK(actions(message).size() <= (times == 100 ? 3 : 1));
                }
}

TEST_CASE("what has ended says how, and has no button that decides")
{
    struct row {
        hold_status status;
        const char* title;
    };
    const row rows[] = {
        {hold_status::held, "No decision needed any more"},
        {hold_status::approved, "Approved"},
        {hold_status::releasing, "Approved"},
        {hold_status::released, "Approved and sent"},
        {hold_status::denied, "Denied"},
        {hold_status::expired, "Expired"},
        {hold_status::withdrawn, "Withdrawn"},
        {hold_status::undeliverable, "Nobody could be reached"},
        {hold_status::void_, "Void"},
        {hold_status::unknown, "Approved and sent, outcome unknown"},
    };
    for (const row& r : rows) {
        CAPTURE(r.title);
        notice n = ended_notice(r.status);
        const auto message = parsed(slack_update(n, "D0123456789", "1767603601.000200"));
        check_limits(message);
        CHECK(text_of(message, "ts") == "1767603601.000200");
        const auto all = texts(message, "plain_text");
        REQUIRE(all.size() > 2);
        CHECK(all[0] == r.title);
        CHECK(all[1] == outcome_sentence(n));
        CHECK(std::count(all.begin(), all.end(), "Decided by\nAda Lovelace, Grace Hopper") == 1);
        CHECK(actions(message) == std::vector<std::string>{"open"});
        CHECK(texts(message, "mrkdwn") ==
              std::vector<std::string>{"Closed <!date^1767603900^{date_short_pretty} {time}|2026-01-05T09:05:00.000Z>"});
    }
}

TEST_CASE("what follows a message names it")
{
    const auto message = parsed(slack_post(ended_notice(hold_status::expired), "D1", "1767603601.000200"));
    CHECK(text_of(message, "thread_ts") == "1767603601.000200");
}

TEST_CASE("a button's value comes back as it went")
{
    const slack_decision d{example_notice().hold, "a.b~c_d-e"};
    const auto back = slack_decision::parse(d.text());
    REQUIRE(back);
    CHECK(back->hold == d.hold);
    CHECK(back->token == d.token);
    for (const std::string& wrong : {std::string(), d.hold.text(), d.hold.text() + ".", d.hold.text() + ".a b", d.hold.text() + "!a",
                                     "act_" + d.text().substr(4), d.text() + "&", d.hold.text() + "." + std::string(1901, 'a')}) {
        CAPTURE(wrong);
        CHECK(!slack_decision::parse(wrong));
    }
}

TEST_CASE("the dialog asks why, and keeps what it is about")
{
    for (const hostile& h : hostile_texts()) {
        CAPTURE(h.name);
        const slack_decision d{example_notice().hold, std::string(1900, 'a')};
        for (const std::string& text : {h.text, h.text + std::string(5000, '<')}) {
            const auto body = parsed(slack_open_deny_dialog(d, text, "12345.98765.abcd2358fdea"));
            CHECK(text_of(body, "trigger_id") == "12345.98765.abcd2358fdea");
            const auto& view = body.at("view").as_object();
            CHECK(text_of(view, "private_metadata") == d.text());
            CHECK(text_of(view, "private_metadata").size() <= 3000);
            for (const char* name : {"title", "submit", "close"}) CHECK(text_of(view.at(name).as_object(), "text").size() <= 24);
            const auto& blocks = view.at("blocks").as_array();
            CHECK(slack_length(text_of(blocks.at(0).at("text").as_object(), "text")) <= 3000);
            CHECK(text_of(blocks.at(0).at("text").as_object(), "type") == "plain_text");
            CHECK(text_of(blocks.at(1).as_object(), "block_id") == slack_reason_block);
            CHECK(text_of(blocks.at(1).at("element").as_object(), "action_id") == slack_reason_action);
        }
    }
}

TEST_CASE("a whisper is escaped")
{
    CHECK(text_of(parsed(slack_whisper("D1", "U1", {"You may not decide <this>."})), "text") == "You may not decide &lt;this&gt;.");
}
