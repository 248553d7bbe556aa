#include "notifiers/slack_request.hpp"

#include "notifiers/slack_answer.hpp"
#include "notifiers/slack_message.hpp"

#include <boost/json/array.hpp>
#include <boost/json/error.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace sallyport::notifiers {
namespace {

namespace json = boost::json;

int hex_digit(char c) noexcept
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// Seconds since 1970, digits only.
std::optional<std::int64_t> read_seconds(std::string_view text) noexcept
{
    constexpr std::size_t most = 12;
    std::int64_t seconds = 0;
    if (text.empty() || text.size() > most || !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }))
        return std::nullopt;
    std::from_chars(text.data(), text.data() + text.size(), seconds);
    return seconds;
}

using digest = std::array<unsigned char, 32>;

std::optional<digest> read_signature(std::string_view text) noexcept
{
    constexpr std::string_view version = "v0=";
    digest bytes{};
    if (!text.starts_with(version) || text.size() != version.size() + 2 * bytes.size()) return std::nullopt;
    if (std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'F'; })) return std::nullopt;  // Slack writes it small
    text.remove_prefix(version.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        bytes[i] = static_cast<unsigned char>(high << 4 | low);
    }
    return bytes;
}

// --- application/x-www-form-urlencoded ----------------------------------------------------------------------------------

std::optional<std::string> decoded(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') {
            out += ' ';
        } else if (text[i] == '%') {
            const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1, low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0) return std::nullopt;
            out += static_cast<char>(high << 4 | low);
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

using form = std::map<std::string, std::string, std::less<>>;

// None for a broken escape, a name given twice, or more names than any of Slack's messages has.
std::optional<form> read_form(std::string_view body)
{
    constexpr std::size_t most = 64;
    form all;
    while (!body.empty()) {
        const auto pair = body.substr(0, body.find('&'));
        body.remove_prefix(std::min(pair.size() + 1, body.size()));
        if (pair.empty()) continue;
        const auto equals = pair.find('=');
        auto name = decoded(pair.substr(0, equals));
        auto value = decoded(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1));
        if (!name || !value || all.size() == most || !all.emplace(*std::move(name), *std::move(value)).second) return std::nullopt;
    }
    return all;
}

// --- what may stand in a field ------------------------------------------------------------------------------------------

failure malformed(std::string_view what) { return fail(problem::malformed_request, "Slack's request: " + std::string(what) + "."); }

bool visible(std::string_view text, std::size_t longest) noexcept
{
    return text.size() <= longest && std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

bool plain(std::string_view text, std::size_t longest) noexcept
{
    return text.size() <= longest && text.find('\0') == std::string_view::npos;
}

bool no_or_slack_id(std::string_view text) noexcept { return text.empty() || slack_id(text); }

// What may be answered to; no other address is worth keeping.
std::string https_only(std::string_view url)
{
    constexpr std::size_t longest = 2048;
    return url.starts_with("https://") && visible(url, longest) ? std::string(url) : std::string();
}

std::string_view without_blanks(std::string_view text) noexcept
{
    constexpr std::string_view blanks = " \t\r\n";
    const auto first = text.find_first_not_of(blanks);
    return first == std::string_view::npos ? std::string_view() : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

constexpr std::size_t longest_word = 255;  // of action_id, callback_id: Slack's own limit
constexpr std::size_t longest_trigger = 256;
constexpr std::size_t longest_value = 2000;
constexpr std::size_t longest_metadata = 3000;
constexpr std::size_t longest_text = 16'000;
constexpr std::size_t longest_name = 255;

// What is only shown is left out where it is not as it should be.
std::string name_or_none(std::string_view text) { return plain(text, longest_name) ? std::string(text) : std::string(); }

std::string first_text(const json::object& in, std::string_view path, std::string_view otherwise)
{
    const auto text = text_at(in, path);
    return std::string(text.empty() ? text_at(in, otherwise) : text);
}

result<slack_request> read_click(const json::object& payload)
{
    const json::value* const actions = payload.if_contains("actions");
    if (actions == nullptr || !actions->is_array() || actions->get_array().size() != 1 || !actions->get_array().front().is_object())
        return malformed("block_actions without its one action");
    const json::object& action = actions->get_array().front().get_object();

    slack_click click;
    click.user = text_at(payload, "user/id");
    click.team = first_text(payload, "team/id", "user/team_id");
    click.action_id = text_at(action, "action_id");
    click.value = text_at(action, "value");
    click.channel = first_text(payload, "channel/id", "container/channel_id");
    click.message_ts = first_text(payload, "message/ts", "container/message_ts");
    click.trigger_id = text_at(payload, "trigger_id");
    click.response_url = https_only(text_at(payload, "response_url"));
    click.action_ts = text_at(action, "action_ts");
    click.user_name = name_or_none(first_text(payload, "user/username", "user/name"));
    click.team_domain = name_or_none(text_at(payload, "team/domain"));
    if (!slack_id(click.user)) return malformed("no user");
    if (!no_or_slack_id(click.team) || !no_or_slack_id(click.channel)) return malformed("a team or channel that is none");
    if (!click.message_ts.empty() && !slack_timestamp(click.message_ts)) return malformed("a message that is none");
    if (!click.action_ts.empty() && !slack_timestamp(click.action_ts)) return malformed("an action_ts that is none");
    if (click.action_id.empty() || !visible(click.action_id, longest_word)) return malformed("no action_id");
    if (!plain(click.value, longest_value)) return malformed("a value that no button of ours has");
    if (!visible(click.trigger_id, longest_trigger)) return malformed("a trigger_id that is none");
    return slack_request(std::move(click));
}

result<slack_request> read_submission(const json::object& payload)
{
    slack_submission submission;
    submission.user = text_at(payload, "user/id");
    submission.team = first_text(payload, "team/id", "user/team_id");
    submission.callback_id = text_at(payload, "view/callback_id");
    submission.private_metadata = text_at(payload, "view/private_metadata");
    const std::string path = "view/state/values/" + std::string(slack_reason_block) + '/' + std::string(slack_reason_action) + "/value";
    submission.reason = without_blanks(text_at(payload, path));
    if (!slack_id(submission.user)) return malformed("no user");
    if (!no_or_slack_id(submission.team)) return malformed("a team that is none");
    if (!visible(submission.callback_id, longest_word)) return malformed("a callback_id that is none");
    if (!plain(submission.private_metadata, longest_metadata)) return malformed("private_metadata that no dialog of ours has");
    if (!plain(submission.reason, longest_text)) return malformed("a reason that no dialog of ours takes");
    return slack_request(std::move(submission));
}

result<json::object> read_object(std::string_view text)
{
    constexpr std::size_t deepest = 32;  // blocks in a message in a payload in an envelope
    json::parse_options options;
    options.max_depth = deepest;
    json::error_code failed;
    json::value read = json::parse(json::string_view(text.data(), text.size()), failed, {}, options);
    if (failed || !read.is_object()) return malformed("the payload is no JSON object");
    return std::move(read.get_object());
}

result<slack_request> read_members(const json::object& members)
{
    const auto type = text_at(members, "type");
    if (type == "block_actions") return read_click(members);
    if (type == "view_submission") return read_submission(members);
    if (type.empty() || !visible(type, longest_word)) return malformed("a payload without a type");
    return slack_request(slack_other{std::string(type)});
}

result<slack_request> read_payload(std::string_view text)
{
    const auto members = read_object(text);
    return members ? read_members(*members) : members.error();
}

// ASCII or whole sequences: what a form brings has been through no parser yet.
bool utf8(std::string_view text)
{
    json::error_code failed;
    std::string quoted = "\"";
    for (const char c : text)
        if (static_cast<unsigned char>(c) >= 0x80) quoted += c;
    quoted += '"';
    json::parse(json::string_view(quoted.data(), quoted.size()), failed);
    return !failed;
}

result<slack_request> read_command(const form& fields)
{
    const auto field = [&](std::string_view name) {
        const auto at = fields.find(name);
        return at == fields.end() ? std::string() : at->second;
    };
    slack_command command;
    command.user = field("user_id");
    command.team = field("team_id");
    command.channel = field("channel_id");
    command.command = field("command");
    command.text = without_blanks(field("text"));
    command.trigger_id = field("trigger_id");
    command.response_url = https_only(field("response_url"));
    const std::string user_name = field("user_name"), team_domain = field("team_domain");
    if (utf8(user_name)) command.user_name = name_or_none(user_name);
    if (utf8(team_domain)) command.team_domain = name_or_none(team_domain);
    if (!slack_id(command.user)) return malformed("no user");
    if (!no_or_slack_id(command.team) || !no_or_slack_id(command.channel)) return malformed("a team or channel that is none");
    if (!command.command.starts_with('/') || !visible(command.command, longest_word)) return malformed("a command that is none");
    if (!plain(command.text, longest_text) || !utf8(command.text)) return malformed("a command's text that is none");
    if (!visible(command.trigger_id, longest_trigger)) return malformed("a trigger_id that is none");
    return slack_request(std::move(command));
}

}  // namespace

std::optional<time_point> slack_signed_at(std::string_view timestamp) noexcept
{
    // In microseconds it still fits: twelve digits of seconds are less than 2^63.
    const auto seconds = read_seconds(timestamp);
    if (!seconds) return std::nullopt;
    return time_point(std::chrono::seconds(*seconds));
}

bool slack_recent(time_point signed_at, time_point now) noexcept
{
    constexpr std::chrono::seconds tolerance(300);
    const auto here = std::chrono::floor<std::chrono::seconds>(now);
    return signed_at >= here - tolerance && signed_at <= here + tolerance;
}

slack_signature verify_slack_signature(const secret& signing_secret, std::string_view timestamp, std::string_view signature,
                                       std::string_view body, time_point now) noexcept
{
    const auto signed_at = slack_signed_at(timestamp);
    const auto claimed = read_signature(signature);
    if (!signed_at || !claimed || body.size() > slack_longest_request) return slack_signature::malformed;
    if (!slack_recent(*signed_at, now)) return slack_signature::stale;
    if (signing_secret.empty()) return slack_signature::wrong;

    const std::string message = "v0:" + std::string(timestamp) + ':' + std::string(body);
    const std::string_view key = signing_secret.reveal();
    digest ours{};
    unsigned length = 0;
    if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(message.data()), message.size(),
             ours.data(), &length) == nullptr ||
        length != ours.size())
        return slack_signature::wrong;
    return CRYPTO_memcmp(ours.data(), claimed->data(), ours.size()) == 0 ? slack_signature::right : slack_signature::wrong;
}

result<slack_request> read_slack_request(std::string_view body)
{
    if (body.size() > slack_longest_request) return malformed("it is longer than 1 MiB");
    const auto fields = read_form(body);
    if (!fields) return malformed("the body is no form");
    if (const auto payload = fields->find("payload"); payload != fields->end()) return read_payload(payload->second);
    if (fields->contains("command")) return read_command(*fields);
    if (fields->contains("ssl_check")) return slack_request(slack_other{"ssl_check"});
    return malformed("neither a payload nor a command");
}

result<slack_envelope> read_slack_envelope(std::string_view text)
{
    if (text.size() > slack_longest_request) return malformed("it is longer than 1 MiB");
    const auto members = read_object(text);
    if (!members) return members.error();
    slack_envelope e{std::string(text_at(*members, "type")), std::string(text_at(*members, "envelope_id")), slack_other{}};
    if (e.type.empty() || !visible(e.type, longest_word) || !visible(e.id, longest_word)) return malformed("an envelope that is none");
    const json::value* const payload = members->if_contains("payload");
    const bool command = e.type == "slash_commands";
    if ((!command && e.type != "interactive") || e.id.empty() || payload == nullptr || !payload->is_object()) return e;
    // A command has the same fields here as in a form. What cannot be read is acknowledged all the same: it would come again.
    form fields;
    if (command)
        for (const auto& [name, value] : payload->get_object())
            if (value.is_string()) fields.emplace(std::string(name), std::string(value.get_string()));
    auto what = command ? read_command(fields) : read_members(payload->get_object());
    if (what) e.what = std::move(*what);
    return e;
}

std::string slack_acknowledgement(std::string_view envelope, std::string_view answer)
{
    json::object out{{"envelope_id", envelope}};
    json::error_code failed;
    if (!answer.empty()) out["payload"] = json::parse(json::string_view(answer.data(), answer.size()), failed);
    return json::serialize(out);
}

}  // namespace sallyport::notifiers
