#include "gateway/canonical/grant_text.hpp"

#include "gateway/canonical/jcs.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <initializer_list>
#include <utility>
#include <vector>

namespace sallyport {
namespace {

boost::json::value or_null(std::string_view text)
{
    if (text.empty()) return nullptr;
    return boost::json::value(text);
}

boost::json::object rule_json(const field_rule& rule)
{
    boost::json::object object{{"pointer", rule.pointer}, {"type", name_of(rule.kind)}};
    switch (rule.may_be) {
    case field_rule::how::equals: object["equals"] = rule.equals; break;
    case field_rule::how::range:
        object["at_least"] = rule.at_least;
        object["at_most"] = rule.at_most;
        break;
    case field_rule::how::any: object["any"] = true; break;
    }
    return object;
}

failure malformed(std::string_view where)
{
    return fail(problem::malformed_request, "\"grant\" is malformed: " + std::string(where) + ".");
}

// An object with exactly these members.
class members {
public:
    members(const json::value* of, std::initializer_list<std::string_view> names)
        : of_(of),
          good_(of && of->is(json::kind::object) && of->size() == names.size())
    {
        for (const auto name : names) good_ = good_ && of->find(name);
    }
    explicit operator bool() const noexcept { return good_; }

    const json::value& at(std::string_view name) const { return *of_->find(name); }
    std::string text(std::string_view name)
    {
        good_ = good_ && at(name).is(json::kind::string);
        return good_ ? std::string(at(name).string()) : std::string();
    }
    /// Empty for null.
    std::string text_or_null(std::string_view name) { return good_ && at(name).is(json::kind::null) ? std::string() : text(name); }
    std::int64_t number(std::string_view name)
    {
        good_ = good_ && at(name).is(json::kind::integer);
        return good_ ? at(name).integer() : 0;
    }
    bool null(std::string_view name) const { return good_ && at(name).is(json::kind::null); }

private:
    const json::value* of_;
    bool good_;
};

result<field_rule> read_rule(const json::value& value)
{
    field_rule rule;
    const json::value* type = value.find("type");
    const auto kind = type ? value_kind_named(type->string()) : std::nullopt;
    if (!kind) return malformed("a field has no type that there is");
    rule.kind = *kind;
    if (members fixed(&value, {"pointer", "type", "equals"}); fixed) {
        rule.pointer = fixed.text("pointer");
        rule.equals = fixed.text("equals");
        if (fixed) return rule;
    } else if (members range(&value, {"pointer", "type", "at_least", "at_most"}); range) {
        rule.may_be = field_rule::how::range;
        rule.pointer = range.text("pointer");
        rule.at_least = range.text("at_least");
        rule.at_most = range.text("at_most");
        if (range) return rule;
    } else if (members any(&value, {"pointer", "type", "any"}); any && any.at("any").boolean()) {
        rule.may_be = field_rule::how::any;
        rule.pointer = any.text("pointer");
        if (any) return rule;
    }
    return malformed("a field is neither fixed, nor between two bounds, nor any");
}

result<std::optional<std::vector<field_rule>>> read_rules(const json::value& list)
{
    if (list.is(json::kind::null)) return std::optional<std::vector<field_rule>>();
    if (!list.is(json::kind::array) || list.size() > most_shape_fields) return malformed("fields are a list of at most 64");
    std::vector<field_rule> rules;
    for (std::size_t i = 0; i < list.size(); ++i) {
        auto rule = read_rule(list.at(i));
        if (!rule) return rule.error();
        rules.push_back(std::move(*rule));
    }
    // In the one order in which calls are taken apart; twice the same is refused by whoever compares them.
    std::sort(rules.begin(), rules.end(), [](const field_rule& a, const field_rule& b) { return a.pointer < b.pointer; });
    return std::optional(std::move(rules));
}

result<header_texts> read_headers(const json::value& list)
{
    if (!list.is(json::kind::array)) return malformed("headers are a list");
    header_texts headers;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const json::value& pair = list.at(i);
        if (!pair.is(json::kind::array) || pair.size() != 2 || !pair.at(0).is(json::kind::string) || !pair.at(1).is(json::kind::string))
            return malformed("a header is a name and a value");
        headers.emplace_back(std::string(pair.at(0).string()), std::string(pair.at(1).string()));
    }
    return headers;
}

result<grant_shape> read_shape(const json::value& value)
{
    members m(&value, {"route", "scheme", "authority", "method", "target", "task", "headers", "fields", "content_digest"});
    if (!m) return malformed("the shape has other members than it should");
    grant_shape shape;
    shape.route = m.text("route");
    shape.scheme = m.text("scheme");
    shape.authority = m.text("authority");
    shape.method = m.text("method");
    shape.target = m.text("target");
    shape.content_digest = m.text_or_null("content_digest");
    if (!m) return malformed("a text of the shape is none");
    if (!m.null("task")) {
        members task(&m.at("task"), {"id", "intent"});
        if (!task) return malformed("a task has an id and an intent");
        shape.task = call_task{task.text_or_null("id"), task.text("intent")};
        if (!task) return malformed("a task has an id and an intent");
    }
    auto headers = read_headers(m.at("headers"));
    if (!headers) return headers.error();
    shape.headers = std::move(*headers);
    auto fields = read_rules(m.at("fields"));
    if (!fields) return fields.error();
    shape.fields = std::move(*fields);
    return shape;
}

// RFC 6901 §4
void append_token(std::string& pointer, std::string_view key)
{
    pointer += '/';
    for (const char c : key) {
        if (c == '~')
            pointer += "~0";
        else if (c == '/')
            pointer += "~1";
        else
            pointer += c;
    }
}

// JSON whose numbers are as they were written: RFC 8785 would make doubles of them.
void append_exact(std::string& to, const json::value& v)
{
    switch (v.kind()) {
    case json::kind::null: to += "null"; break;
    case json::kind::boolean: to += v.boolean() ? "true" : "false"; break;
    case json::kind::integer:
    case json::kind::real: to += v.number_text(); break;
    case json::kind::string: append_jcs_string(to, v.string()); break;
    case json::kind::array:
        to += '[';
        for (std::size_t i = 0; i < v.size(); ++i) {
            if (i > 0) to += ',';
            append_exact(to, v.at(i));
        }
        to += ']';
        break;
    case json::kind::object: {
        std::vector<std::size_t> order(v.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return v.key(a) < v.key(b); });
        to += '{';
        for (std::size_t i = 0; i < order.size(); ++i) {
            if (i > 0) to += ',';
            append_jcs_string(to, v.key(order[i]));
            to += ':';
            append_exact(to, v.at(order[i]));
        }
        to += '}';
        break;
    }
    }
}

value_kind kind_of(const json::value& v)
{
    switch (v.kind()) {
    case json::kind::null: return value_kind::null;
    case json::kind::boolean: return value_kind::boolean;
    case json::kind::integer:
    case json::kind::real: return value_kind::number;
    case json::kind::string: return value_kind::string;
    case json::kind::array: return value_kind::array;
    case json::kind::object: return value_kind::object;
    }
    return value_kind::null;
}

// False: more than a shape can hold. Only objects are walked, so that a pointer has one meaning: `/a/0` is a member's.
bool take_apart(const json::value& v, const std::string& pointer, std::vector<body_field>& to, std::size_t& bytes)
{
    if (v.is(json::kind::object) && v.size() > 0) {
        for (std::size_t i = 0; i < v.size(); ++i) {
            std::string below = pointer;
            append_token(below, v.key(i));
            if (!take_apart(v.at(i), below, to, bytes)) return false;
        }
        return true;
    }
    body_field field{pointer, kind_of(v), {}};
    if (field.kind == value_kind::string)
        field.text = v.string();
    else
        append_exact(field.text, v);
    bytes += field.pointer.size() + field.text.size();
    to.push_back(std::move(field));
    return to.size() <= most_shape_fields && bytes <= longest_shape_text;
}

std::optional<std::vector<body_field>> fields_of(std::string_view body)
{
    const auto document = json::document::parse(body);
    if (!document) return std::nullopt;
    std::vector<body_field> fields;
    std::size_t bytes = 0;
    if (!take_apart(document->root(), "", fields, bytes)) return std::nullopt;
    std::sort(fields.begin(), fields.end(), [](const body_field& a, const body_field& b) { return a.pointer < b.pointer; });
    return fields;
}

}  // namespace

boost::json::object terms_json(const grant_terms& terms)
{
    const grant_shape& shape = terms.shape;
    boost::json::array headers;
    for (const auto& [name, value] : shape.headers) headers.push_back(boost::json::array{name, value});
    boost::json::value fields;
    if (shape.fields) {
        boost::json::array& rules = fields.emplace_array();
        for (const field_rule& rule : *shape.fields) rules.push_back(rule_json(rule));
    }
    boost::json::value task, sum;
    if (shape.task) task = boost::json::object{{"id", or_null(shape.task->id)}, {"intent", shape.task->intent}};
    if (terms.sum) sum = boost::json::object{{"pointer", terms.sum->pointer}, {"at_most", terms.sum->at_most}};
    return {
        {"shape",
         {{"route", shape.route},
          {"scheme", shape.scheme},
          {"authority", shape.authority},
          {"method", shape.method},
          {"target", shape.target},
          {"task", std::move(task)},
          {"headers", std::move(headers)},
          {"fields", std::move(fields)},
          {"content_digest", or_null(shape.content_digest)}}},
        {"count", terms.count},
        {"sum", std::move(sum)},
        {"seconds", std::chrono::duration_cast<std::chrono::seconds>(terms.lasts).count()},
    };
}

std::string terms_text(const grant_terms& terms) { return jcs(terms_json(terms)); }

result<grant_terms> read_terms(const json::value& value)
{
    members m(&value, {"shape", "count", "sum", "seconds"});
    if (!m) return malformed("it has shape, count, sum and seconds");
    grant_terms terms;
    auto shape = read_shape(m.at("shape"));
    if (!shape) return shape.error();
    terms.shape = std::move(*shape);
    const auto count = m.number("count"), seconds = m.number("seconds");
    if (!m) return malformed("count and seconds are whole numbers");
    // Far beyond what is allowed, and far from what overflows.
    if (count < 0 || count > 1'000'000 || seconds < 0 || seconds > 1'000'000'000) return malformed("count or seconds is out of all bounds");
    terms.count = static_cast<int>(count);
    terms.lasts = std::chrono::seconds(seconds);
    if (!m.null("sum")) {
        members sum(&m.at("sum"), {"pointer", "at_most"});
        if (!sum) return malformed("a sum has pointer and at_most");
        terms.sum = sum_bound{sum.text("pointer"), sum.text("at_most")};
        if (!sum) return malformed("a sum's pointer and bound are texts");
    }
    return terms;
}

result<grant_terms> read_terms(std::string_view text)
{
    const auto document = json::document::parse(text);
    if (!document) return document.error();
    return read_terms(document->root());
}

std::optional<call_task> read_task(std::string_view recorded)
{
    if (recorded.empty()) return std::nullopt;
    const auto parsed = json::document::parse(recorded);
    if (!parsed || !parsed->root().is(json::kind::object)) return std::nullopt;
    const auto member = [&](std::string_view name) {
        const json::value* found = parsed->root().find(name);
        return found ? std::string(found->string()) : std::string();
    };
    return call_task{member("id"), member("intent")};
}

grantable_call grantable(const action& sent, std::string_view scheme, std::string_view recorded_task, bool json_body)
{
    grantable_call call;
    call.agent = sent.agent;
    call.route = sent.route;
    call.scheme = scheme;
    call.authority = sent.authority;
    call.method = sent.method;
    call.target = sent.target;
    call.task = read_task(recorded_task);
    // A task that cannot be read is not the same as none, and nothing covers it.
    if (!recorded_task.empty() && !call.task) call.scheme.clear();
    header_texts headers;
    for (const auto& [name, value] : sent.headers) headers.emplace_back(name, field_text(value));
    call.headers = headers_that_count(std::move(headers));
    call.content_digest = sent.content_digest.value_or("");
    if (json_body && sent.content_digest) call.fields = fields_of(sent.body);
    return call;
}

}  // namespace sallyport
