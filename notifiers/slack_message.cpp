#include "notifiers/slack_message.hpp"

#include "notifiers/slack_private.hpp"
#include "notifiers/slack_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>
#include <vector>

namespace sallyport::notifiers {
namespace {

namespace json = boost::json;

// Slack's limits (https://docs.slack.dev/reference/block-kit), in characters.
constexpr std::size_t longest_header = 150;
constexpr std::size_t longest_section = 3000;
constexpr std::size_t longest_value = 2000;
constexpr std::size_t longest_url = 3000;
constexpr std::size_t most_blocks = 50;
// Of ours, for what does not need as much.
constexpr std::size_t longest_field = 150;
constexpr std::size_t longest_request_line = 1000;
constexpr std::size_t longest_outcome = 1200;
constexpr std::size_t longest_fallback = 3500;
// Slack answers `msg_blocks_too_long` somewhat above 13,000 characters of blocks together, which its documentation does not
// say, nor what counts for how much: see cost().
constexpr std::size_t longest_blocks = 12'000;

json::object plain_text(std::string_view text) { return {{"type", "plain_text"}, {"text", text}, {"emoji", false}}; }

json::object mrkdwn(std::string_view text) { return {{"type", "mrkdwn"}, {"text", text}, {"verbatim", true}}; }

json::object section(std::string_view text) { return {{"type", "section"}, {"text", plain_text(text)}}; }

json::object context(json::object element) { return {{"type", "context"}, {"elements", json::array{std::move(element)}}}; }

std::size_t cost(const json::value& block)
{
    const std::string text = json::serialize(block);
    return std::max(text.size(), slack_length(text)) + 1;
}

// Shown in the reader's own time zone. Numbers of ours only: it has to be `mrkdwn`.
std::string date(time_point at)
{
    const auto seconds = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
    return "<!date^" + std::to_string(seconds) + "^{date_short_pretty} {time}|" + format_rfc3339(at) + ">";
}

std::string joined(const std::vector<std::string>& names)
{
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

std::string_view title(const notice& n)
{
    if (n.what == notice::kind::glass_broken) return "Break-glass: approved by one person alone";
    switch (n.status) {
    case hold_status::held: return "No decision needed any more";
    case hold_status::approved:
    case hold_status::releasing: return "Approved";
    case hold_status::released: return "Approved and sent";
    case hold_status::denied: return "Denied";
    case hold_status::expired: return "Expired";
    case hold_status::withdrawn: return "Withdrawn";
    case hold_status::undeliverable: return "Nobody could be reached";
    case hold_status::void_: return "Void";
    case hold_status::unknown: return "Approved and sent, outcome unknown";
    }
    return {};
}

const char* asks(const notice& n) noexcept { return n.what == notice::kind::reminded ? " still asks for approval" : " asks for approval"; }

// A message in the making: what is cut is known when its buttons are written.
class card {
public:
    explicit card(const notice& n) : n_(n) {}

    json::array write()
    {
        header();
        json::array below;
        fields(below);
        request_line(below);
        below.push_back(context(mrkdwn(is_question(n_.what)                    ? "Open until " + date(n_.expires_at)
                                       : n_.what == notice::kind::glass_broken ? "Told " + date(n_.told_at)
                                                                               : "Closed " + date(n_.closed_at.value_or(n_.expires_at)))));

        std::size_t taken = 1000 + 2 * decision_.size() + n_.link.size();  // the buttons, and what is said of cuts
        for (const auto& block : below) taken += cost(block);
        for (const auto& block : blocks_) taken += cost(block);
        agents_words(taken < longest_blocks ? longest_blocks - taken : 0, most_blocks - blocks_.size() - below.size() - 3);

        for (auto& block : below) blocks_.push_back(std::move(block));
        if (cut_ && is_question(n_.what))
            blocks_.push_back(
                context(plain_text("Not everything fits here. What is cut can be decided on its page, where all of it is shown.")));
        buttons();
        return std::move(blocks_);
    }

private:
    std::string fitted(std::string_view text, std::size_t limit)
    {
        auto [kept, cut] = fit(text, limit);
        cut_ = cut_ || cut;
        return std::move(kept);
    }

    void header()
    {
        const std::string text = is_question(n_.what) ? slack_line(n_.agent) + asks(n_) : std::string(title(n_));
        blocks_.push_back(json::object{{"type", "header"}, {"text", plain_text(fitted(text, longest_header))}});
        if (!is_question(n_.what)) blocks_.push_back(section(fitted(slack_line(outcome_sentence(n_)), longest_outcome)));
    }

    void agents_words(std::size_t room, std::size_t most)
    {
        std::size_t shown = 0;
        for (const notice_reason& r : n_.reasons) {
            if (shown == most) break;
            const std::string text = "The agent says (rule " + slack_line(r.rule) + "):\n" + slack_line(r.summary);
            auto kept = fit(text, longest_section);
            json::value block = section(kept.text);
            // A character is at most four bytes of JSON.
            if (cost(block) > room) block = section((kept = fit(text, std::min(longest_section, room / 4))).text);
            if (room < 500 || cost(block) > room) break;
            cut_ = cut_ || kept.cut;
            room -= cost(block);
            blocks_.push_back(std::move(block));
            ++shown;
        }
        if (shown == n_.reasons.size()) return;
        cut_ = true;
        blocks_.push_back(section("… and " + std::to_string(n_.reasons.size() - shown) + " more rules [cut]"));
    }

    void fields(json::array& to)
    {
        json::array all;
        const auto add = [&](std::string_view name, std::string_view value) {
            if (!value.empty()) all.push_back(plain_text(std::string(name) + "\n" + fitted(slack_line(value), longest_field)));
        };
        add("Agent", n_.agent);
        add("Owner", n_.owner);
        add("Route", n_.route);
        add("Workflow", joined(n_.workflows));
        add("Approvals", std::to_string(n_.approvals_given) + " of " + std::to_string(n_.approvals_needed));
        if (!is_question(n_.what)) add("Decided by", joined(n_.decided_by));
        to.push_back(json::object{{"type", "section"}, {"fields", std::move(all)}});
    }

    void request_line(json::array& to)
    {
        to.push_back(section("The request:\n" + fitted(slack_line(n_.method + ' ' + n_.authority + n_.target), longest_request_line)));
    }

    void buttons()
    {
        json::array all;
        const auto deciding = [&](std::string_view action, std::string_view label, std::string_view style) {
            all.push_back(json::object{
                {"type", "button"}, {"action_id", action}, {"text", plain_text(label)}, {"style", style}, {"value", decision_}});
        };
        const bool by_click = is_question(n_.what) && n_.assurance == assurance::click && !cut_ && !decision_.empty();
        if (by_click) {
            deciding(slack_approve_action, "Approve", "primary");
            deciding(slack_deny_action, "Deny", "danger");
        }
        if (!n_.link.empty() && slack_length(n_.link) <= longest_url) {
            const bool to_decide = is_question(n_.what) && !by_click;
            const bool signs = to_decide && n_.assurance != assurance::click;
            json::object link{{"type", "button"},
                              {"action_id", slack_open_action},
                              {"text", plain_text(signs       ? "Review and sign"
                                                  : to_decide ? "Review and decide"
                                                              : "Open")},
                              {"url", n_.link}};
            if (to_decide) link["style"] = "primary";
            all.push_back(std::move(link));
        }
        if (!all.empty()) blocks_.push_back(json::object{{"type", "actions"}, {"elements", std::move(all)}});
    }

    const notice& n_;
    std::string decision_ =
        slack_decision::valid_token(n_.decision_token) ? slack_decision{n_.hold, n_.decision_token}.text() : std::string();
    json::array blocks_;
    bool cut_ = false;
};

// What notifications and screen readers have of it. Slack looks for mentions there, so it is escaped.
std::string fallback(const notice& n)
{
    const std::string text = is_question(n.what) ? n.agent + std::string(asks(n)) + ". The agent says: " + sentence(n)
                                                 : outcome_sentence(n) + " (" + n.agent + ")";
    return escaped_for_mrkdwn(fit(slack_line(text), longest_fallback).text);
}

json::object message(const notice& n, std::string_view channel)
{
    return {{"channel", channel},
            {"text", fallback(n)},
            {"blocks", card(n).write()},
            {"parse", "none"},
            {"link_names", false},
            {"metadata", json::object{{"event_type", "sallyport_notice"},
                                      {"event_payload",
                                       json::object{{"key", slack_line(n.key)}, {"hold", n.hold.text()}, {"kind", name_of(n.what)}}}}}};
}

}  // namespace

bool slack_decision::valid_token(std::string_view token) noexcept
{
    constexpr std::size_t longest = 1900;
    static_assert(longest + hold_id::length + 1 <= longest_value);
    return !token.empty() && token.size() <= longest && std::all_of(token.begin(), token.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '~' || c == '-';
    });
}

std::string slack_decision::text() const { return hold.text() + '.' + token; }

std::optional<slack_decision> slack_decision::parse(std::string_view text)
{
    if (text.size() <= hold_id::length || text[hold_id::length] != '.') return std::nullopt;
    const auto hold = hold_id::parse(text.substr(0, hold_id::length));
    const auto token = text.substr(hold_id::length + 1);
    if (!hold || !valid_token(token)) return std::nullopt;
    return slack_decision{*hold, std::string(token)};
}

std::string slack_post(const notice& n, std::string_view channel, std::string_view thread_ts)
{
    json::object body = message(n, channel);
    body["mrkdwn"] = false;  // of `text`
    body["unfurl_links"] = false;
    body["unfurl_media"] = false;
    if (!thread_ts.empty()) body["thread_ts"] = thread_ts;
    return json::serialize(body);
}

std::string slack_update(const notice& n, std::string_view channel, std::string_view ts)
{
    json::object body = message(n, channel);
    body["ts"] = ts;
    return json::serialize(body);
}

std::string slack_open_deny_dialog(const slack_decision& decision, std::string_view summary, std::string_view trigger_id)
{
    json::object input{{"type", "plain_text_input"},
                       {"action_id", slack_reason_action},
                       {"multiline", true},
                       {"min_length", 1},
                       {"max_length", slack_longest_reason},
                       {"placeholder", plain_text("The agent is told this")}};
    json::array blocks{
        section(fit("The agent says:\n" + slack_line(summary), longest_section).text),
        json::object{
            {"type", "input"}, {"block_id", slack_reason_block}, {"label", plain_text("Why not?")}, {"element", std::move(input)}}};
    json::object view{{"type", "modal"},
                      {"callback_id", slack_deny_dialog},
                      {"private_metadata", decision.text()},
                      {"title", plain_text("Deny this call")},
                      {"submit", plain_text("Deny")},
                      {"close", plain_text("Back")},
                      {"blocks", std::move(blocks)}};
    return json::serialize(json::object{{"trigger_id", trigger_id}, {"view", std::move(view)}});
}

std::string slack_whisper(std::string_view channel, std::string_view user, const slack_note& note)
{
    json::object body = slack_ephemeral(note);
    body["channel"] = channel;
    body["user"] = user;
    body["parse"] = "none";
    body["link_names"] = false;
    return json::serialize(body);
}

}  // namespace sallyport::notifiers
