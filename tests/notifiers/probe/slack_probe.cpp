// The Slack channel for programs that judge it from outside: a line of JSON in, a line of JSON out, until the input ends.
//
//     {"do": "post", "notice": N}                        {"message": {…}}
//     {"do": "update", "notice": N}                      {"message": {…}}
//     {"do": "dialog", "summary": "…"}                   {"message": {…}}
//     {"do": "note", "text", "link"} and {"do": "error", "text"}     {"message": {…}}: an answer to a command, to a dialog
//     {"do": "whispered", "text", "link"}                {"message": {…}}
//     {"do": "list", "text", "of": N, "more": bool}      {"message": {…}}
//     {"do": "verify", "secret", "timestamp", "signature", "body", "now": seconds}     {"signature": "right"}
//     {"do": "options", "api_url", "token", "ca_file", "connect_timeout", "timeout", "remember": ms}     {}
//     {"do": "deliver", "notice": N}                     {"delivered": REF} or {"not_delivered": "later", "why", "pause": ms}
//     {"do": "whisper"} and {"do": "ask_why"}            {} or the same
//
// N has what differs from an example: see read_notice().
#include "notifiers/slack.hpp"
#include "notifiers/slack_private.hpp"
#include "notifiers/slack_request.hpp"
#include "tests/notifiers/example_notice.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

using namespace sallyport;
using namespace sallyport::notifiers;
namespace json = boost::json;

namespace {

std::string text(const json::object& in, const char* name, std::string otherwise = {})
{
    const auto* const found = in.if_contains(name);
    return found != nullptr ? json::value_to<std::string>(*found) : std::move(otherwise);
}

std::int64_t number(const json::object& in, const char* name, std::int64_t otherwise)
{
    const auto* const found = in.if_contains(name);
    return found != nullptr ? found->to_number<std::int64_t>() : otherwise;
}

notice read_notice(const json::object& in)
{
    const auto status = hold_status_named(text(in, "status", "held")).value();
    notice n = in.contains("status") ? ended_notice(status) : example_notice();
    n.key = text(in, "key", n.key);
    n.to->email = text(in, "email", n.to->email);
    n.to->slack_user = text(in, "slack_user");
    if (in.contains("nobody")) n.to.reset();
    n.agent = text(in, "agent", n.agent);
    n.target = text(in, "target", n.target);
    n.reason = text(in, "reason", n.reason);
    n.decision_token = text(in, "token", n.decision_token);
    n.assurance = assurance_named(text(in, "assurance", "click")).value();
    n.earlier_ref = text(in, "earlier_ref", n.earlier_ref);
    if (const auto* const all = in.if_contains("summaries")) {
        n.reasons.clear();
        for (const auto& one : all->as_array()) n.reasons.push_back({"a-rule", json::value_to<std::string>(one)});
    }
    return n;
}

json::object answer(const delivery& d)
{
    if (const auto* const there = std::get_if<delivered>(&d)) return {{"delivered", there->message_ref}};
    const auto& no = std::get<not_delivered>(d);
    using kind = not_delivered::kind;
    json::object out{{"not_delivered", no.what == kind::later ? "later" : no.what == kind::never ? "never" : "address"}, {"why", no.why}};
    if (no.not_before) out["pause"] = std::chrono::duration_cast<std::chrono::milliseconds>(*no.not_before).count();
    return out;
}

json::object answer(const std::optional<not_delivered>& no) { return no ? answer(delivery(*no)) : json::object(); }

std::string_view name_of(slack_signature s)
{
    switch (s) {
    case slack_signature::right: return "right";
    case slack_signature::malformed: return "malformed";
    case slack_signature::stale: return "stale";
    case slack_signature::wrong: return "wrong";
    }
    return {};
}

class probe {
public:
    json::object run(const json::object& order)
    {
        const std::string what = text(order, "do");
        const auto n = [&] { return read_notice(order.at("notice").as_object()); };
        const slack_decision decision{example_notice().hold, "token"};
        if (what == "post") return {{"message", json::parse(slack_post(n(), "D0123456789"))}};
        if (what == "update") return {{"message", json::parse(slack_update(n(), "D0123456789", "1767603601.000200"))}};
        if (what == "dialog") return {{"message", json::parse(slack_open_deny_dialog(decision, text(order, "summary"), "1.2.abc"))}};
        const auto note = [&] { return slack_note{text(order, "text"), text(order, "link")}; };
        if (what == "note") return {{"message", json::parse(slack_answer_note(note()))}};
        if (what == "whispered") return {{"message", json::parse(slack_whisper("D0123456789", "U0123456789", note()))}};
        if (what == "error") return {{"message", json::parse(slack_dialog_error(text(order, "text")))}};
        if (what == "list") return {{"message", json::parse(list(order))}};
        if (what == "verify") return {{"signature", name_of(verified(order))}};
        if (what == "options") {
            channel_ = std::make_unique<slack_channel>(read_options(order));
            return {};
        }
        if (what == "deliver") return answer(channel_->deliver(n()));
        if (what == "whisper") return answer(channel_->whisper("D0123456789", "U0123456789", slack_note{"You may not decide this."}));
        if (what == "ask_why") return answer(channel_->ask_why(decision, "Refund 900 EUR", "1.2.abc"));
        return {{"error", "what is " + what + "?"}};
    }

private:
    static std::string list(const json::object& order)
    {
        const slack_waiting one{text(order, "text"), text(order, "text"), std::chrono::minutes(90), "https://gate.example/holds/x"};
        return slack_answer_list(std::vector<slack_waiting>(static_cast<std::size_t>(number(order, "of", 1)), one), order.contains("more"),
                                 "https://gate.example/");
    }

    static slack_signature verified(const json::object& order)
    {
        return verify_slack_signature(secret(text(order, "secret")), text(order, "timestamp"), text(order, "signature"),
                                      text(order, "body"), time_point(std::chrono::seconds(number(order, "now", 0))));
    }

    static slack_options read_options(const json::object& order)
    {
        using std::chrono::milliseconds;
        slack_options o;
        o.api_url = text(order, "api_url");
        o.bot_token = [token = text(order, "token")] { return secret(token); };
        o.ca_file = text(order, "ca_file");
        o.connect_timeout = milliseconds(number(order, "connect_timeout", 5000));
        o.timeout = milliseconds(number(order, "timeout", 15000));
        o.remember_addresses = milliseconds(number(order, "remember", 3'600'000));
        return o;
    }

    std::unique_ptr<slack_channel> channel_;
};

}  // namespace

int main()
{
    probe p;
    for (std::string line; std::getline(std::cin, line);) std::cout << json::serialize(p.run(json::parse(line).as_object())) << std::endl;
}
