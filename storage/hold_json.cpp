#include "storage/hold_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include <stdexcept>

namespace sallyport::storage {
namespace {

namespace json = boost::json;

std::string text(const json::value& value) { return std::string(value.as_string()); }
std::string text(const json::object& object, std::string_view key) { return text(object.at(key)); }
std::int64_t number(const json::object& object, std::string_view key) { return object.at(key).to_number<std::int64_t>(); }
time_point time(const json::object& object, std::string_view key) { return time_point(duration(number(object, key))); }
std::int64_t since_epoch(time_point t) { return t.time_since_epoch().count(); }

template <class T>
T known(std::optional<T> read)
{
    if (!read) throw std::runtime_error("a word in the database is not of our vocabulary");
    return std::move(*read);
}

json::array targets(const std::vector<target>& all)
{
    json::array array;
    for (const auto& t : all) array.emplace_back(t.text());
    return array;
}

std::vector<target> read_targets(const json::value& value)
{
    std::vector<target> all;
    for (const auto& t : value.as_array()) all.push_back(known(target::parse(text(t))));
    return all;
}

json::object workflow_object(const workflow& w)
{
    json::array steps, places;
    for (const auto& p : w.places) places.emplace_back(json::object{{"of", p.of.text()}, {"approvals", p.approvals}});
    for (const auto& s : w.steps) {
        json::array via;
        for (const auto& channel : s.via) via.emplace_back(channel);
        steps.emplace_back(json::object{{"notify", targets(s.notify)},
                                        {"via", std::move(via)},
                                        {"for", s.for_.count()},
                                        {"remind", s.remind.count()},
                                        {"within", s.within}});
    }
    return {{"name", w.name},
            {"approvals", w.approvals},
            {"assurance", name_of(w.assurance)},
            {"not", targets(w.not_)},
            {"steps", std::move(steps)},
            {"control", name_of(w.control)},
            {"places", std::move(places)},
            {"break_glass", targets(w.break_glass)}};
}

workflow read_workflow(const json::object& object)
{
    workflow w;
    w.name = text(object, "name");
    w.approvals = static_cast<int>(number(object, "approvals"));
    w.assurance = known(assurance_named(text(object, "assurance")));
    w.not_ = read_targets(object.at("not"));
    for (const auto& value : object.at("steps").as_array()) {
        const auto& step = value.as_object();
        workflow_step s;
        s.notify = read_targets(step.at("notify"));
        for (const auto& channel : step.at("via").as_array()) s.via.push_back(text(channel));
        s.for_ = duration(number(step, "for"));
        if (step.contains("remind")) s.remind = duration(number(step, "remind"));       // the previous release does not write it
        if (const auto* within = step.if_contains("within")) s.within = text(*within);  // nor that
        w.steps.push_back(std::move(s));
    }
    if (const auto* places = object.if_contains("places"))
        for (const auto& p : places->as_array())
            w.places.push_back({known(target::parse(text(p.as_object(), "of"))), static_cast<int>(number(p.as_object(), "approvals"))});
    if (const auto* glass = object.if_contains("break_glass")) w.break_glass = read_targets(*glass);
    if (object.contains("control")) w.control = known(control_named(text(object, "control")));  // nor that
    return w;
}

}  // namespace

std::string reasons_text(const std::vector<reason>& reasons)
{
    json::array all;
    for (const auto& r : reasons) all.emplace_back(json::object{{"rule", r.rule}, {"summary", r.summary}});
    return json::serialize(all);
}

std::string demands_text(const std::vector<demand>& demands)
{
    json::array all;
    for (const auto& d : demands) {
        json::array begun;
        for (const time_point at : d.begun) begun.emplace_back(since_epoch(at));
        json::array passed;
        for (const auto& p : d.passed)
            passed.emplace_back(json::object{{"person", p.who.text()}, {"step", static_cast<std::int64_t>(p.step)}, {"asked", p.asked}});
        all.emplace_back(json::object{{"asks", workflow_object(d.asks)},
                                      {"step", static_cast<std::int64_t>(d.step)},
                                      {"step_ends_at", since_epoch(d.step_ends_at)},
                                      {"begun", std::move(begun)},
                                      {"waits_until", d.waits_until ? json::value(since_epoch(*d.waits_until)) : json::value(nullptr)},
                                      {"told_until", since_epoch(d.told_until)},
                                      {"reached", d.reached},
                                      {"reminders", d.reminders},
                                      {"passed", std::move(passed)}});
    }
    return json::serialize(all);
}

std::vector<reason> read_reasons(std::string_view written)
{
    std::vector<reason> reasons;
    const auto all = json::parse(written);
    for (const auto& value : all.as_array()) reasons.push_back({text(value.as_object(), "rule"), text(value.as_object(), "summary")});
    return reasons;
}

std::vector<demand> read_demands(std::string_view written)
{
    std::vector<demand> demands;
    const auto all = json::parse(written);
    for (const auto& value : all.as_array()) {
        const auto& object = value.as_object();
        demand d;
        d.asks = read_workflow(object.at("asks").as_object());
        d.step = static_cast<std::size_t>(number(object, "step"));
        d.step_ends_at = time(object, "step_ends_at");
        // The previous release does not write these.
        if (const auto* begun = object.if_contains("begun"))
            for (const auto& at : begun->as_array()) d.begun.emplace_back(duration(at.to_number<std::int64_t>()));
        if (const auto* waits = object.if_contains("waits_until"); waits && !waits->is_null()) d.waits_until = time(object, "waits_until");
        if (object.contains("told_until")) d.told_until = time(object, "told_until");
        d.reached = object.at("reached").as_bool();
        if (object.contains("reminders")) d.reminders = static_cast<int>(number(object, "reminders"));
        if (const auto* passed = object.if_contains("passed"))
            for (const auto& p : passed->as_array())
                d.passed.push_back({known(person_id::parse(text(p.as_object(), "person"))),
                                    static_cast<std::size_t>(number(p.as_object(), "step")),
                                    static_cast<int>(number(p.as_object(), "asked"))});
        demands.push_back(std::move(d));
    }
    return demands;
}

std::vector<decision> read_decisions(std::string_view written)
{
    std::vector<decision> decisions;
    const auto all = json::parse(written);
    for (const auto& value : all.as_array()) {
        const auto& object = value.as_object();
        decision d;
        d.id = known(decision_id::parse(text(object, "id")));
        d.by = known(person_id::parse(text(object, "person")));
        d.kind = known(decision_named(text(object, "kind")));
        d.reason = text(object, "reason");
        d.assurance = known(assurance_named(text(object, "assurance")));
        d.at = time(object, "at");
        for (const auto& name : object.at("counts_in").as_array()) d.counts_in.push_back(text(name));
        for (const auto& handle : object.at("in_place_of").as_array()) d.in_place_of.push_back(text(handle));
        d.break_glass = object.at("break_glass").as_bool();
        if (const auto* grant = object.if_contains("grant"); grant && grant->is_string()) d.grant = text(*grant);
        if (const auto& fast = object.at("fast"); !fast.is_null()) d.fast = fast.as_bool();
        decisions.push_back(std::move(d));
    }
    return decisions;
}

std::string search_text(const hold& h, std::string_view method, std::string_view target)
{
    std::string all = h.id.text() + ' ' + h.action.text() + ' ' + h.route + ' ';
    all.append(method).append(" ").append(target);
    for (const auto& r : h.reasons) all.append("\n").append(r.summary).append(" ").append(r.rule);
    return all;
}

}  // namespace sallyport::storage
