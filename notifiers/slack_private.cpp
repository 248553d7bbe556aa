#include "notifiers/slack_private.hpp"

#include "notifiers/slack_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace sallyport::notifiers {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_section = 3000;
constexpr std::size_t longest_url = 3000;
constexpr std::size_t longest_label = 75;
constexpr std::size_t longest_error = 1000;
// Twenty of them stay below what Slack takes of blocks together (slack_message.cpp).
constexpr std::size_t longest_sentence = 200;
constexpr std::size_t longest_name = 60;

json::object plain_text(std::string_view text) { return {{"type", "plain_text"}, {"text", text}, {"emoji", false}}; }

json::object section(std::string_view text) { return {{"type", "section"}, {"text", plain_text(text)}}; }

json::object button(std::string_view label, std::string_view url)
{
    return {{"type", "button"}, {"action_id", slack_open_action}, {"text", plain_text(fit(label, longest_label).text)}, {"url", url}};
}

bool fits(std::string_view url) { return !url.empty() && slack_length(url) <= longest_url; }

std::string in_words(duration left)
{
    const auto minutes = std::max<std::int64_t>(std::chrono::floor<std::chrono::minutes>(left).count(), 0);
    if (minutes == 0) return "less than a minute left";
    if (minutes < 120) return std::to_string(minutes) + " min left";
    if (minutes < 48 * 60) return std::to_string(minutes / 60) + " h left";
    return std::to_string(minutes / (24 * 60)) + " d left";
}

std::string answer(json::object body)
{
    body["response_type"] = "ephemeral";
    return json::serialize(body);
}

}  // namespace

json::object slack_ephemeral(const slack_note& note)
{
    const std::string text = fit(slack_line(note.text), longest_section).text;
    json::object body{{"text", escaped_for_mrkdwn(text)}};
    if (fits(note.link))
        body["blocks"] =
            json::array{section(text), json::object{{"type", "actions"}, {"elements", json::array{button(note.label, note.link)}}}};
    return body;
}

std::string slack_answer_note(const slack_note& note) { return answer(slack_ephemeral(note)); }

std::string slack_answer_list(std::span<const slack_waiting> all, bool more, std::string_view inbox)
{
    if (all.empty() && !more) return slack_answer_note({"Nothing waits for you."});
    const auto shown = all.first(std::min(all.size(), slack_longest_list));
    more = more || shown.size() < all.size();
    const std::string count = std::to_string(shown.size()) + (shown.size() == 1 ? " request waits" : " requests wait");
    const std::string head = (more ? "At least " + count : count) + " for you. What stands here was written by agents.";
    json::array blocks{section(head)};
    for (const slack_waiting& one : shown) {
        json::object block = section(fit(slack_line(one.sentence), longest_sentence).text + "\n" +
                                     fit(slack_line(one.agent), longest_name).text + " · " + in_words(one.left));
        if (fits(one.link)) block["accessory"] = button("Open", one.link);
        blocks.push_back(std::move(block));
    }
    if (more && fits(inbox)) {
        json::object block = section("There may be more: not all are shown here.");
        block["accessory"] = button("To the inbox", inbox);
        blocks.push_back(std::move(block));
    }
    return answer({{"text", escaped_for_mrkdwn(head)}, {"blocks", std::move(blocks)}});
}

std::string slack_dialog_error(std::string_view text)
{
    return json::serialize(
        json::object{{"response_action", "errors"}, {"errors", {{slack_reason_block, fit(slack_line(text), longest_error).text}}}});
}

}  // namespace sallyport::notifiers
