#include "gateway/people/resources.hpp"

#include <algorithm>
#include <array>

namespace sallyport::people {
namespace {

constexpr bool open = false, session = true;

constexpr auto table = std::to_array<resource>({
    {"POST", "enrolments/{code}/options", "WebAuthn creation options for an invited person", open, &enrolment_options},
    {"POST", "enrolments/{code}", "Registers a passkey, signs in, and spends the code", open, &enrol},
    {"POST", "login/options", "WebAuthn request options for signing in", open, &login_options},
    {"GET", "login/methods", "How people sign in here", open, &login_methods},
    {"POST", "login", "Signs in by a passkey", open, &login},
    {"POST", "logout", "Ends this session", open, &logout},
    {"GET", "me", "Who is signed in", session, &me},
    {"GET", "sessions", "One's own sessions, newest first", session, &list_sessions},
    {"DELETE", "sessions/{session}", "Ends one of one's own", session, &end_session},
    {"GET", "holds", "The queue and the history, newest first, as far as this person may read them", session, &list_holds},
    {"GET", "holds/{id}", "One hold, with everything that its signer must see", session, &show_hold},
    {"POST", "holds/{id}/statement", "The text to sign for a decision", session, &make_statement},
    {"POST", "holds/{id}/decisions", "Decides, by a statement and the passkey's assertion over it", session, &decide},
    {"DELETE", "holds/{id}/decisions/{decision}", "Takes one's own decision back while the hold is held", session, &take_back},
    {"GET", "links/{token}", "What a link in a mail asks, for whom it was sent to; nothing changes", open, &show_link},
    {"POST", "links/{token}", "Decides by that link, once, where a click suffices", open, &decide_by_link},
    {"GET", "slack-links/{token}", "Which Slack account such a link would connect to this person", session, &show_slack_link},
    {"POST", "slack-links/{token}", "Connects it, once", session, &connect_slack},
    {"GET", "me/slack", "The Slack account that is connected to this person", session, &show_my_slack},
    {"DELETE", "me/slack", "Disconnects it", session, &disconnect_slack},
    {"GET", "me/push", "The key that browsers are switched on for, and one's own that are", session, &show_my_push},
    {"POST", "me/push", "Tells this person in that browser from now on (a PushSubscription)", session, &switch_push_on},
    {"DELETE", "me/push/{browser}", "Tells it no more", session, &switch_push_off},
    {"PUT", "me/absence", "One is away from then until then, and somebody decides in one's place", session, &put_absence},
    {"DELETE", "me/absence", "One is back", session, &delete_absence},
    {"GET", "agents", "Every agent, by name", session, &list_agents},
    {"GET", "agents/{agent}", "One agent, by its id or name", session, &show_agent},
    {"GET", "people", "Everybody, by handle", session, &list_people},
    {"GET", "people/{person}", "One person, by their id or handle", session, &show_person},
    {"GET", "people/{person}/sessions", "Somebody's sessions, newest first: for operators and auditors", session, &list_sessions_of},
    {"DELETE", "people/{person}/sessions/{session}", "Ends one of somebody's: for operators", session, &end_session_of},
    {"GET", "holds/{id}/grant", "The narrowest grant for calls like this, and what it would have covered last week", session,
     &propose_grant},
    {"POST", "holds/{id}/grant", "The same of terms that were changed; nothing is signed or kept", session, &preview_grant},
    {"GET", "grants", "Standing permissions that approvals left behind, newest first", session, &list_grants},
    {"GET", "grants/{grant}", "One grant, and the calls that it let pass", session, &show_grant},
    {"DELETE", "grants/{grant}", "Ends it: for who signed it, the agent's owners, and operators", session, &revoke_grant},
    {"GET", "people/{person}/load", "How often somebody is asked, and how they decide: oneself, or anybody for operators and auditors",
     session, &show_load},
    {"GET", "loads", "The same of everybody, by handle: for operators and auditors", session, &list_loads},
    {"GET", "audit", "The log, newest first: all of it for auditors and operators, for others what they may read", session, &list_audit},
    {"GET", "channels", "How people are told besides the inbox, and what waits for each channel", session, &list_channels},
    {"GET", "dead-letters", "Messages that were given up, newest first, for auditors and operators", session, &list_dead_letters},
    {"POST", "dead-letters/{id}/resend", "Tries one again, at once", session, &resend_dead_letter},
    {"GET", "events", "Server-sent events: holds that changed", session, nullptr},
    {"GET", "openapi.json", "This description", open, &describe},
});

bool fits(std::string_view pattern, const std::vector<std::string>& path) noexcept
{
    for (const std::string& segment : path) {
        const auto end = std::min(pattern.find('/'), pattern.size());
        const auto wanted = pattern.substr(0, end);
        if (wanted.empty() || segment.empty() || (wanted.front() != '{' && wanted != segment)) return false;
        pattern.remove_prefix(std::min(end + 1, pattern.size()));
    }
    return pattern.empty();
}

}  // namespace

std::span<const resource> resources() noexcept { return table; }

const resource* find_resource(std::string_view method, const std::vector<std::string>& path, std::string& allowed)
{
    allowed.clear();
    if (path.empty()) return nullptr;
    for (const resource& r : table) {
        if (!fits(r.path, path)) continue;
        if (r.method == method || (method == "HEAD" && r.method == "GET")) return &r;
        if (!allowed.empty()) allowed += ", ";
        allowed += r.method == "GET" ? std::string_view("GET, HEAD") : r.method;
    }
    return nullptr;
}

}  // namespace sallyport::people
