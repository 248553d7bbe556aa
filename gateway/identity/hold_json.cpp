#include "gateway/identity/hold_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace sallyport::identity {
namespace {

boost::json::value time_or_null(const std::optional<time_point>& t)
{
    if (!t) return nullptr;
    return boost::json::value(format_rfc3339(*t));
}

}  // namespace

boost::json::array reasons_json(const hold& h)
{
    boost::json::array all;
    for (const reason& r : h.reasons) all.push_back(boost::json::object{{"rule", r.rule}, {"summary", r.summary}});
    return all;
}

boost::json::object agent_view(const hold& h)
{
    const std::string_view said = h.status == hold_status::denied && h.decisions.empty() ? std::string_view(h.detail) : h.reason_given();
    return {
        {"hold", h.id.text()},
        {"action", h.action.text()},
        {"status", name_of(h.status)},
        {"reasons", reasons_json(h)},
        {"approvals", {{"needed", h.approvals_needed()}, {"given", h.approvals_given()}}},
        {"created_at", format_rfc3339(h.created_at)},
        {"expires_at", format_rfc3339(h.expires_at)},
        {"decided_at", time_or_null(h.decided_at)},
        {"reason", said.empty() ? boost::json::value(nullptr) : boost::json::value(said)},
        {"outcome", h.outcome ? boost::json::value{{"status", h.outcome->status}, {"at", format_rfc3339(h.outcome->at)}}
                              : boost::json::value(nullptr)},
    };
}

std::string rules_json(std::span<const spoken_rule> rules)
{
    boost::json::array all;
    for (const spoken_rule& r : rules)
        all.push_back(boost::json::object{{"rule", r.rule},
                                          {"team", r.team.empty() ? boost::json::value(nullptr) : boost::json::value(r.team)},
                                          {"verdict", name_of(r.verdict)},
                                          {"summary", r.summary},
                                          {"matched", r.matched},
                                          {"error", r.error.empty() ? boost::json::value(nullptr) : boost::json::value(r.error)}});
    return boost::json::serialize(all);
}

std::vector<spoken_rule> read_rules(std::string_view text)
{
    std::vector<spoken_rule> rules;
    const auto parsed = json::document::parse(text);
    if (!parsed) return rules;
    const json::value& all = parsed->root();
    for (std::size_t i = 0; i < all.size(); ++i) {
        const json::value& one = all.at(i);
        const auto member = [&](std::string_view name) { return one.find(name) ? std::string(one.find(name)->string()) : std::string(); };
        spoken_rule r;
        r.rule = member("rule");
        r.team = member("team");
        r.verdict = verdict_named(member("verdict")).value_or(verdict_kind::deny);
        r.summary = member("summary");
        r.matched = one.find("matched") && one.find("matched")->boolean();
        r.error = member("error");
        rules.push_back(std::move(r));
    }
    return rules;
}

std::string task_json(const claims::task_claims& task)
{
    boost::json::array scopes;
    for (const std::string& s : task.facts.scopes) scopes.emplace_back(s);
    return boost::json::serialize(
        boost::json::object{{"id", task.facts.id},
                            {"intent", task.facts.intent},
                            {"scopes", std::move(scopes)},
                            {"limits", task.text.empty() ? boost::json::value(nullptr) : boost::json::parse(task.text)}});
}

}  // namespace sallyport::identity
