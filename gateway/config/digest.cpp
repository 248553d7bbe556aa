#include "gateway/canonical/jcs.hpp"
#include "gateway/canonical/sha256.hpp"
#include "gateway/config/draft.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <chrono>

namespace sallyport::config {
namespace {

namespace js = boost::json;

// Numbers go as doubles into RFC 8785: milliseconds and our own bounds stay far below 2^53.
js::value number(std::uint64_t n) { return n; }
js::value milliseconds(duration d) { return std::chrono::duration_cast<std::chrono::milliseconds>(d).count(); }

template <class Words>
js::array sorted(Words words)
{
    std::sort(words.begin(), words.end());
    js::array a;
    for (const auto& w : words) a.emplace_back(std::string_view(w));
    return a;
}

js::value path_text(const std::filesystem::path& p, const std::filesystem::path& directory)
{
    return js::value(p.empty() ? std::string() : p.lexically_proximate(directory).generic_string());
}

js::object of_route(const route& r, const std::filesystem::path& directory)
{
    js::object labels;
    for (const auto& [name, text] : r.labels) labels.emplace(name, text);
    return {{"id", r.id},
            {"prefix", r.prefix},
            {"host", r.host},
            {"upstream", (r.upstream.tls ? "https://" : "http://") + r.upstream.authority + r.upstream.base},
            {"ca", path_text(r.ca, directory)},
            {"credential", r.credential},
            {"wait", js::object{{"default", milliseconds(r.wait_default)}, {"max", milliseconds(r.wait_max)}}},
            {"timeout", milliseconds(r.timeout)},
            {"body_limit", number(r.body_limit)},
            {"idempotent", r.idempotent},
            {"keep_encoded_slash", r.keep_encoded_slash},
            {"keep_path_parameters", r.keep_path_parameters},
            {"labels", std::move(labels)}};
}

js::object of_rule(const policy::rule_definition& rule, const configuration& c)
{
    std::vector<std::string> routes;
    for (const auto place : rule.routes) routes.push_back(c.routes[place].id);
    return {{"id", rule.id},
            {"team", rule.team},
            {"routes", sorted(std::move(routes))},
            {"when", rule.when},
            {"verdict", name_of(rule.verdict)},
            {"on_error", name_of(rule.on_error)},
            {"shadow", rule.mode == policy::mode::shadow},
            {"workflow", rule.workflow},
            {"summary", rule.summary}};
}

js::array of_targets(const std::vector<target>& targets)
{
    std::vector<std::string> texts;
    for (const auto& t : targets) texts.push_back(t.text());
    return sorted(std::move(texts));
}

js::object of_workflow(const workflow& w)
{
    js::array steps;
    for (const auto& s : w.steps) {
        js::object step{{"notify", of_targets(s.notify)}, {"via", sorted(s.via)}, {"for", milliseconds(s.for_)}};
        if (s.remind > duration{}) step["remind"] = milliseconds(s.remind);
        if (!s.within.empty()) step["within"] = s.within;
        steps.push_back(std::move(step));
    }
    js::object said{
        {"approvals", w.approvals}, {"assurance", name_of(w.assurance)}, {"not", of_targets(w.not_)}, {"steps", std::move(steps)}};
    // Where something is not said the digest stays what it was before one could say it.
    if (w.control != control::none) said["control"] = name_of(w.control);
    if (!w.places.empty()) {
        js::object places;  // by target, so that JCS sorts them
        for (const auto& p : w.places) places[p.of.text()] = p.approvals;
        said["places"] = std::move(places);
    }
    if (!w.break_glass.empty()) said["break_glass"] = of_targets(w.break_glass);
    return said;
}

js::object of_schedule(const schedule& s)
{
    js::array people, overrides;
    for (const auto& p : s.people) people.emplace_back(p);
    for (const auto& o : s.overrides)
        overrides.push_back(
            js::object{{"person", o.person}, {"from", o.from.time_since_epoch().count()}, {"until", o.until.time_since_epoch().count()}});
    return {{"time_zone", s.zone->name()},
            {"people", std::move(people)},
            {"every", milliseconds(s.every)},
            {"from", s.from.time_since_epoch().count()},
            {"overrides", std::move(overrides)}};
}

js::object of_hours(const working_hours& h)
{
    js::array ranges;
    for (const auto& r : h.ranges) {
        js::array days;
        for (std::size_t i = 0; i < r.days.size(); ++i)
            if (r.days[i]) days.emplace_back(i);
        ranges.push_back(js::object{{"days", std::move(days)}, {"from", r.from.count()}, {"until", r.until.count()}});
    }
    return {{"time_zone", h.zone->name()}, {"hours", std::move(ranges)}};
}

js::object of_limits(const limits& l)
{
    js::object all{{"statement", milliseconds(l.statement)},         {"session", milliseconds(l.session)},
                   {"enrolment", milliseconds(l.enrolment)},         {"access_token", milliseconds(l.access_token)},
                   {"keep_response", milliseconds(l.keep_response)}, {"release_window", milliseconds(l.release_window)},
                   {"response_bytes", number(l.response_bytes)},     {"header_bytes", number(l.header_bytes)},
                   {"connections", number(l.connections)},           {"holds", number(l.holds)},
                   {"holds_per_agent", number(l.holds_per_agent)}};
    // Left out where there is none, so that the digest of a configuration without it stays what it was.
    if (l.asks_per_hour != 0) all["asks_per_hour"] = number(l.asks_per_hour);
    return all;
}

}  // namespace

std::string digest_of(const configuration& c, std::span<const written_rule> rules, const std::filesystem::path& directory)
{
    // Objects by id, so that JCS sorts them.
    js::object routes, policies, workflows, schedules;
    for (const auto& r : c.routes) routes.emplace(r.id, of_route(r, directory));
    for (const auto& r : rules) policies.emplace(r.definition.id, of_rule(r.definition, c));
    for (const auto& [name, w] : c.workflows) workflows.emplace(name, of_workflow(w));
    for (const auto& [name, s] : c.arranged.on_call) schedules.emplace(name, of_schedule(s));
    for (const auto& [name, h] : c.arranged.hours) schedules.emplace(name, of_hours(h));
    const js::object all{{"routes", std::move(routes)},
                         {"policies", std::move(policies)},
                         {"workflows", std::move(workflows)},
                         {"schedules", std::move(schedules)},
                         {"limits", of_limits(c.limits)}};
    return sha256(jcs(all)).hex();
}

}  // namespace sallyport::config
