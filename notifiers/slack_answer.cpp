#include "notifiers/slack_answer.hpp"

#include <boost/json/error.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <utility>

namespace sallyport::notifiers {
namespace {

using kind = not_delivered::kind;

constexpr std::string_view of_the_operator =
    " Nothing reaches anybody by Slack until an operator has put that right: the bot token, the app's scopes or the workspace.";

struct meaning {
    std::string_view error;
    kind what;
    std::string_view says;
    bool operators_trouble = false;
};

// What a method may answer besides (https://docs.slack.dev/reference/methods) is `later`: a new word must lose no message.
constexpr meaning meanings[] = {
    {"account_inactive", kind::later, "the bot, or its workspace, was deactivated.", true},
    {"accesslimited", kind::later, "the workspace does not let this network in.", true},
    {"app_not_installed", kind::later, "the app is not installed.", true},
    {"cannot_dm_bot", kind::address, "the recipient is a bot."},
    {"cant_dm_bot", kind::address, "the recipient is a bot."},
    {"channel_not_found", kind::address, "there is no such conversation."},
    {"ekm_access_denied", kind::later, "the workspace's administrators have stopped posting.", true},
    {"enterprise_is_restricted", kind::later, "the workspace does not take this token.", true},
    {"expired_trigger_id", kind::never, "the click is too old to open a dialog."},
    {"exchanged_trigger_id", kind::never, "the click has opened a dialog already."},
    {"fatal_error", kind::later, "trouble of Slack's own."},
    {"internal_error", kind::later, "trouble of Slack's own."},
    {"invalid_auth", kind::later, "the bot token is not valid.", true},
    {"invalid_blocks", kind::never, "it does not take the message's blocks."},
    {"invalid_blocks_format", kind::never, "it does not take the message's blocks."},
    {"invalid_metadata_format", kind::never, "it does not take the message's metadata."},
    {"invalid_metadata_schema", kind::never, "it does not take the message's metadata."},
    {"is_archived", kind::address, "the conversation is archived."},
    {"messages_tab_disabled", kind::later, "the app's messages tab is off.", true},
    {"metadata_too_large", kind::never, "the message's metadata is too long for it."},
    {"missing_scope", kind::later, "the bot token lacks a scope.", true},
    {"msg_blocks_too_long", kind::never, "the message is too long for it."},
    {"msg_too_long", kind::never, "the message is too long for it."},
    {"no_permission", kind::later, "the bot token may not do that.", true},
    {"no_text", kind::never, "it misses a text."},
    {"not_allowed_token_type", kind::later, "the token is none of a bot.", true},
    {"not_authed", kind::later, "it got no bot token.", true},
    {"not_in_channel", kind::address, "the bot is not in that conversation."},
    {"org_login_required", kind::later, "the workspace is being moved."},
    {"rate_limited", kind::later, "it was asked too often."},
    {"ratelimited", kind::later, "it was asked too often."},
    {"request_timeout", kind::later, "the request did not reach it whole."},
    {"service_unavailable", kind::later, "trouble of Slack's own."},
    {"team_access_not_granted", kind::later, "the workspace does not take this token.", true},
    {"team_added_to_org", kind::later, "the workspace is being moved."},
    {"token_expired", kind::later, "the bot token has expired.", true},
    {"token_revoked", kind::later, "the bot token was revoked.", true},
    {"user_disabled", kind::address, "the recipient was deactivated."},
    {"user_not_found", kind::address, "there is no such user."},
    {"user_not_visible", kind::address, "the recipient cannot be seen by the app."},
    {"users_not_found", kind::address, "it knows nobody by that email address."},
};

// A word as Slack's are: nothing else of its answer goes into a log.
bool word(std::string_view text, std::string_view also) noexcept
{
    return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || also.find(c) != std::string_view::npos;
    });
}

std::optional<duration> pause(long long seconds)
{
    constexpr long long longest = 3600;
    if (seconds <= 0) return std::nullopt;
    return std::chrono::seconds(std::min(seconds, longest));
}

slack_refusal later(std::string_view method, std::string why, long long retry_after)
{
    return {{}, {kind::later, std::string(method) + ": " + std::move(why), pause(retry_after)}};
}

}  // namespace

not_delivered why_slack_refuses(std::string_view method, std::string_view error, std::string_view needed)
{
    std::string why = std::string(method) + ": Slack answers ";
    if (!word(error, "")) return {kind::later, why + "what is none of its words.", {}};
    why += error;
    if (word(needed, ":,.-")) why += " (needs " + std::string(needed) + ")";
    const auto found = std::find_if(std::begin(meanings), std::end(meanings), [&](const meaning& m) { return m.error == error; });
    if (found == std::end(meanings)) return {kind::later, why + ".", {}};
    why += ": " + std::string(found->says);
    if (found->operators_trouble) why += of_the_operator;
    return {found->what, std::move(why), {}};
}

slack_answer read_slack_answer(std::string_view method, long http_status, long long retry_after, std::string_view body)
{
    if (http_status == 429) return later(method, "Slack was asked too often (HTTP 429).", retry_after);
    if (http_status < 200 || http_status >= 500)
        return later(method, "Slack answers HTTP " + std::to_string(http_status) + ".", retry_after);
    if (body.size() > slack_longest_answer) return later(method, "the answer is longer than 1 MiB.", retry_after);

    boost::json::parse_options options;
    options.max_depth = 32;
    boost::json::error_code failed;
    boost::json::value read = boost::json::parse(boost::json::string_view(body.data(), body.size()), failed, {}, options);
    const boost::json::object* const members = failed ? nullptr : read.if_object();
    const boost::json::value* const ok = members != nullptr ? members->if_contains("ok") : nullptr;
    if (ok == nullptr || !ok->is_bool())
        return later(method, "HTTP " + std::to_string(http_status) + " with what is no answer of Slack's.", retry_after);
    if (ok->get_bool() && http_status == 200) return std::move(read.get_object());

    const std::string_view error = text_at(*members, "error");
    slack_refusal refusal{word(error, "") ? std::string(error) : std::string(),
                          why_slack_refuses(method, error, text_at(*members, "needed"))};
    if (refusal.why.what == kind::later) refusal.why.not_before = pause(retry_after);
    return refusal;
}

std::string_view text_at(const boost::json::object& members, std::string_view path) noexcept
{
    const boost::json::object* in = &members;
    for (;;) {
        const auto slash = path.find('/');
        const auto name = path.substr(0, slash);
        const boost::json::value* const found = in->if_contains({name.data(), name.size()});
        if (found == nullptr) return {};
        if (slash == std::string_view::npos) {
            const boost::json::string* const text = found->if_string();
            return text != nullptr ? std::string_view(text->data(), text->size()) : std::string_view();
        }
        in = found->if_object();
        if (in == nullptr) return {};
        path.remove_prefix(slash + 1);
    }
}

bool slack_id(std::string_view text) noexcept
{
    return !text.empty() && text.size() <= 32 && text.front() >= 'A' && text.front() <= 'Z' &&
           std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); });
}

bool slack_timestamp(std::string_view text) noexcept
{
    const auto digits = [](std::string_view part, std::size_t most) {
        return !part.empty() && part.size() <= most && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
    };
    const auto dot = text.find('.');
    return dot != std::string_view::npos && digits(text.substr(0, dot), 12) && digits(text.substr(dot + 1), 9);
}

}  // namespace sallyport::notifiers
