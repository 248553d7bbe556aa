#include "gateway/people/views.hpp"

#include "gateway/canonical/field.hpp"
#include "gateway/canonical/json.hpp"
#include "gateway/identity/hold_json.hpp"
#include "gateway/people/ladder.hpp"
#include "workflows/eligibility.hpp"
#include "workflows/encoding.hpp"
#include "workflows/step_times.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>

namespace sallyport::people {
namespace {

boost::json::value or_null(std::string_view text)
{
    if (text.empty()) return nullptr;
    return boost::json::value(text);
}

template <class T, class F>
boost::json::value or_null(const std::optional<T>& value, F text)
{
    if (!value) return nullptr;
    return boost::json::value(text(*value));
}

boost::json::array texts(const std::vector<std::string>& all)
{
    boost::json::array list;
    for (const std::string& s : all) list.emplace_back(s);
    return list;
}

// What was stored by us as JSON; anything else shows as nothing rather than as an error on the page.
boost::json::value recorded(std::string_view text, boost::json::value otherwise)
{
    boost::system::error_code error;
    auto parsed = boost::json::parse(text, error);
    return error ? std::move(otherwise) : std::move(parsed);
}

boost::json::array targets_in_words(const std::vector<target>& all)
{
    boost::json::array words;
    for (const target& t : all) words.emplace_back(in_words(t));
    return words;
}

// Somebody in whose place another decides; a handle that nobody has (any more) is shown as it is.
boost::json::object represented_json(const std::string& handle, const directory& people)
{
    const person* who = people.person_with_handle(handle);
    return {{"handle", handle},
            {"name", who ? who->name : handle},
            {"until", who && who->away ? boost::json::value(format_rfc3339(who->away->until)) : boost::json::value(nullptr)}};
}

boost::json::array represented_json(const std::vector<std::string>& handles, const directory& people)
{
    boost::json::array all;
    for (const std::string& handle : handles) all.push_back(represented_json(handle, people));
    return all;
}

boost::json::array passed_over_json(const demand& d, const directory& people)
{
    boost::json::array all;
    for (const passed_over& p : d.passed)
        if (const person* who = people.find(p.who))
            all.push_back(boost::json::object{{"handle", who->handle}, {"name", who->name}, {"step", p.step + 1}, {"asked", p.asked}});
    return all;
}

boost::json::object workflow_json(const hold& h, const demand& d, assurance needed, const directory& people)
{
    const std::size_t steps = d.asks.steps.size();
    const bool more = h.status == hold_status::held && d.steps_begun() < steps && !h.satisfied(d);
    return {
        {"name", d.asks.name},
        {"step", std::min(d.step + 1, steps)},
        {"steps", steps},
        {"assurance", name_of(needed)},
        {"next_step_at", more ? boost::json::value(format_rfc3339(beginning(h, d, d.steps_begun(), people))) : boost::json::value(nullptr)},
        {"control", d.asks.control == control::none ? boost::json::value(nullptr) : boost::json::value(name_of(d.asks.control))},
        {"approvals", {{"needed", d.asks.approvals}, {"given", h.given(d)}}},
        {"places", places_json(h, d)},
        {"missing", missing_json(h, d)},
        {"break_glass", targets_in_words(d.asks.break_glass)},
        {"passed_over", passed_over_json(d, people)},
    };
}

// Well-formed UTF-8 (RFC 3629) without controls, but for tab and line ends.
bool readable(std::string_view text)
{
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
        const unsigned char first = byte(i);
        if (first < 0x80) {
            if ((first < 0x20 && first != '\t' && first != '\n' && first != '\r') || first == 0x7f) return false;
            ++i;
            continue;
        }
        const std::size_t length = first >= 0xC2 && first < 0xE0   ? 2
                                   : first >= 0xE0 && first < 0xF0 ? 3
                                   : first >= 0xF0 && first < 0xF5 ? 4
                                                                   : 0;
        if (length == 0 || i + length > text.size()) return false;
        for (std::size_t k = 1; k < length; ++k)
            if ((byte(i + k) & 0xC0) != 0x80) return false;
        if ((first == 0xE0 && byte(i + 1) < 0xA0) || (first == 0xED && byte(i + 1) > 0x9F) || (first == 0xF0 && byte(i + 1) < 0x90) ||
            (first == 0xF4 && byte(i + 1) > 0x8F))
            return false;
        i += length;
    }
    return true;
}

// Bytes that mean other characters than UTF-8 would show must not be shown as if they did not.
bool another_charset(std::string_view media_type)
{
    const auto has = [&](std::string_view word) {
        return std::search(media_type.begin(), media_type.end(), word.begin(), word.end(), [](char a, char b) { return lower(a) == b; }) !=
               media_type.end();
    };
    return has("charset") && !has("charset=utf-8") && !has("charset=\"utf-8\"") && !has("charset=us-ascii");
}

}  // namespace

boost::json::value away_json(const std::optional<absence>& away)
{
    if (!away) return nullptr;
    return boost::json::object{
        {"from", format_rfc3339(away->from)}, {"until", format_rfc3339(away->until)}, {"deputy", or_null(away->deputy)}};
}

boost::json::object person_json(const person& p)
{
    boost::json::object labels;
    for (const auto& [name, text] : p.labels) labels[name] = text;
    boost::json::array roles;
    for (const role r : p.roles) roles.emplace_back(name_of(r));
    return {
        {"id", p.id.text()},
        {"handle", p.handle},
        {"name", p.name},
        {"email", p.email},
        {"roles", std::move(roles)},
        {"teams", texts(p.teams)},
        {"status", name_of(p.status)},
        {"labels", std::move(labels)},
        {"away", away_json(p.away)},
    };
}

boost::json::object agent_json(const agent& a)
{
    return {
        {"id", a.id.text()},
        {"name", a.name},
        {"class", name_of(a.cls)},
        {"owner", a.owner.text()},
        {"status", name_of(a.status)},
        {"purpose", a.purpose},
        {"scopes", texts(a.scopes)},
        {"created_at", format_rfc3339(a.created_at)},
        {"last_seen_at", or_null(a.last_seen_at, format_rfc3339)},
    };
}

boost::json::object decision_json(const decision& d, const directory& people)
{
    const person* by = people.find(d.by);
    return {
        {"id", d.id.text()},
        {"decision", name_of(d.kind)},
        {"by", by ? boost::json::value(person_json(*by)) : boost::json::value(nullptr)},
        {"reason", or_null(d.reason)},
        {"assurance", name_of(d.assurance)},
        {"at", format_rfc3339(d.at)},
        {"in_place_of", represented_json(d.in_place_of, people)},
        {"break_glass", d.break_glass},
        {"grant", recorded(d.grant, nullptr)},
        {"fast", d.fast ? boost::json::value(*d.fast) : boost::json::value(nullptr)},
    };
}

boost::json::value body_json(std::string_view body, std::string_view content_digest, std::string_view media_type, bool encoded)
{
    if (content_digest.empty()) return nullptr;
    const bool text = !encoded && !another_charset(media_type) && readable(body);
    return boost::json::object{
        {"length", body.size()},
        {"content_digest", content_digest},
        {"media_type", or_null(media_type)},
        {"text", text ? boost::json::value(body) : boost::json::value(nullptr)},
        {"base64", text ? boost::json::value(nullptr) : boost::json::value(base64(body))},
    };
}

boost::json::object hold_json(const storage::stored_hold& stored, const action& sent, const config::configuration& config,
                              const directory& people, const person& reader)
{
    const hold& h = stored.hold;
    boost::json::object shown = identity::agent_view(h);

    const agent* who = people.find(h.agent);
    shown["agent"] = who ? boost::json::value(agent_json(*who)) : boost::json::value(nullptr);
    shown["task"] = stored.action.task.empty() ? boost::json::value(nullptr) : recorded(stored.action.task, nullptr);
    shown["route"] = h.route;
    shown["alike"] = or_null(h.alike);
    shown["policy"] = stored.action.policy;
    shown["rules"] = recorded(stored.action.rules, boost::json::array{});

    boost::json::array headers;
    bool encoded = false;
    std::string_view charset;  // the field as sent: the record's media type may have lost its parameters
    for (const auto& [name, value] : sent.headers) {
        headers.push_back(boost::json::array{name, field_text(value)});
        if (name == "content-encoding") encoded = true;
        if (name == "content-type") charset = value;
    }
    boost::json::value body = body_json(sent.body, stored.action.content_digest, charset, encoded);
    if (body.is_object()) body.as_object()["media_type"] = or_null(stored.action.media_type);
    shown["request"] = boost::json::object{
        {"method", sent.method},         {"authority", sent.authority}, {"target", sent.target},
        {"headers", std::move(headers)}, {"body", std::move(body)},
    };

    boost::json::array workflows;
    for (const demand& d : h.demands) workflows.push_back(workflow_json(h, d, d.asks.assurance, people));
    // The strictest of all: what a decision really needs.
    shown["workflow"] = workflow_json(h, h.current(), h.assurance_needed(), people);
    shown["workflows"] = std::move(workflows);

    boost::json::array decisions;
    for (const decision& d : h.decisions) decisions.push_back(decision_json(d, people));
    shown["decisions"] = std::move(decisions);
    const auto why = why_not(h, people, reader, stored.now);
    shown["may_decide"] = !why;
    shown["why_not"] = or_null(why, [](const std::string& s) { return s; });
    shown["in_place_of"] = represented_json(why ? std::vector<std::string>() : entitled(h, people, reader, stored.now).in_place_of, people);
    shown["may_break_glass"] = stored.now < h.expires_at && may_break_glass(h, people, reader, stored.now).why_not.empty();

    // For void and unknown: what happened, for people alone.
    shown["detail"] = h.status == hold_status::denied ? boost::json::value(nullptr) : or_null(h.detail);
    boost::json::array fields;
    if (const config::route* route = config.find_route(h.route))
        for (const std::string& pointer : config.rules.body_fields(route->index)) fields.emplace_back(pointer);
    shown["body_fields"] = std::move(fields);
    shown["grant"] = or_null(h.grant, [](grant_id id) { return id.text(); });
    shown["left_grant"] = nullptr;
    return shown;
}

boost::json::object audit_json(const storage::audit_entry& e)
{
    const auto id_text = [](const auto& id) { return id.text(); };
    return {
        {"index", e.index},
        {"at", format_rfc3339(e.at)},
        {"kind", e.kind},
        {"action", or_null(e.action, id_text)},
        {"hold", or_null(e.hold, id_text)},
        {"agent", or_null(e.agent, id_text)},
        {"person", or_null(e.person, id_text)},
        {"data", recorded(e.data, nullptr)},
    };
}

}  // namespace sallyport::people
