#include "gateway/policy/cel/value_json.hpp"

#include "gateway/policy/cel/environment.hpp"
#include "gateway/policy/cel/text.hpp"
#include "gateway/policy/cel/utf8.hpp"
#include "workflows/encoding.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <type_traits>

namespace sallyport::policy::cel {
namespace {

void append_double(std::string& out, double d)
{
    if (!std::isfinite(d))
        append_json_string(out, double_text(d));
    else
        out += d == 0 ? "0" : double_text(d);  // JSON's readers disagree about -0
}

void append_key(std::string& out, const value& key)
{
    if (key.is(kind::string)) {
        append_json_string(out, key.text());
        return;
    }
    std::string text;
    append_json(text, key);
    append_json_string(out, text);
}

void append_tagged(std::string& out, std::string_view tag, std::string_view json)
{
    out += "{\"";
    out += tag;
    out += "\": ";
    out += json;
    out += '}';
}

void append_tagged_string(std::string& out, std::string_view tag, std::string_view text)
{
    std::string json;
    append_json_string(json, text);
    append_tagged(out, tag, json);
}

// As protobuf's own JSON has them: the fraction of a second, before the unit's letter, has 0, 3, 6 or 9 digits.
std::string in_thousands(std::string text)
{
    const auto point = text.find('.');
    if (point == std::string::npos) return text;
    const auto digits = text.size() - point - 2;
    text.insert(text.size() - 1, (3 - digits % 3) % 3, '0');
    return text;
}

void append_well_known(std::string& out, std::string_view type, std::string_view text)
{
    out += "{\"objectValue\": {\"@type\": \"type.googleapis.com/";
    out += type;
    out += "\", \"value\": ";
    append_json_string(out, text);
    out += "}}";
}

template <class T>
std::optional<T> whole_number(const json::value& v)
{
    T number{};
    const std::string_view text = v.is(json::kind::string) ? v.string() : v.number_text();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

value read_double(const json::value& v)
{
    if (v.is(json::kind::integer) || v.is(json::kind::real)) return value::of(v.real());
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (v.string() == "NaN") return value::of(std::numeric_limits<double>::quiet_NaN());
    if (v.string() == "Infinity") return value::of(infinity);
    if (v.string() == "-Infinity") return value::of(-infinity);
    return value::error("no double");
}

value read_list(const json::value& v, workspace& work)
{
    const json::value* members = v.find("values");
    const auto items = work.make<value>(members ? members->size() : 0);
    for (std::size_t i = 0; i < items.size(); ++i) {
        items[i] = read_conformance_value(members->at(i), work);
        if (items[i].failed()) return items[i];
    }
    return value::of_list(items);
}

value read_map(const json::value& v, workspace& work)
{
    const json::value* members = v.find("entries");
    const auto entries = work.make<map_entry>(members ? members->size() : 0);
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const json::value* key = members->at(i).find("key");
        const json::value* content = members->at(i).find("value");
        if (!key || !content) return value::error("an entry needs key and value");
        entries[i] = {read_conformance_value(*key, work), read_conformance_value(*content, work)};
        if (entries[i].key.failed()) return entries[i].key;
        if (entries[i].content.failed()) return entries[i].content;
    }
    return make_map(entries, work);
}

value read_object(const json::value& v)
{
    const json::value* type = v.find("@type");
    const json::value* content = v.find("value");
    if (!type || !content) return value::error("no message that is known");
    if (type->string().ends_with("/google.protobuf.Timestamp")) return read_timestamp(content->string());
    if (type->string().ends_with("/google.protobuf.Duration")) {
        const auto nanoseconds = read_duration(content->string());
        return nanoseconds ? value::of_duration(*nanoseconds) : value::error("no duration");
    }
    return value::error("no message that is known");
}

}  // namespace

void append_json_string(std::string& out, std::string_view text)
{
    out.push_back('"');
    while (!text.empty()) {
        const code_point c = first_code_point(text);
        if (!c.valid) {
            out += "\xEF\xBF\xBD";
        } else if (c.value == '"' || c.value == '\\') {
            out.push_back('\\');
            out.push_back(text.front());
        } else if (c.value < 0x20) {
            constexpr std::string_view hex = "0123456789abcdef";
            out += "\\u00";
            out.push_back(hex[c.value >> 4]);
            out.push_back(hex[c.value & 15]);
        } else {
            out += text.substr(0, c.size);
        }
        text.remove_prefix(c.size);
    }
    out.push_back('"');
}

void append_json(std::string& out, const value& v)
{
    switch (v.kind()) {
    case kind::null: out += "null"; return;
    case kind::boolean: out += v.boolean() ? "true" : "false"; return;
    case kind::integer: out += std::to_string(v.integer()); return;
    case kind::natural: out += std::to_string(v.natural()); return;
    case kind::real: append_double(out, v.real()); return;
    case kind::bytes: append_json_string(out, base64(v.text())); return;
    case kind::error:
    case kind::string:
    case kind::type: append_json_string(out, v.text()); return;
    case kind::duration: append_json_string(out, duration_text(v.duration())); return;
    case kind::timestamp: append_json_string(out, timestamp_text(v.seconds(), v.nanoseconds())); return;
    case kind::list:
    case kind::json_array:
        out.push_back('[');
        for (std::size_t i = 0; i < list_size(v); ++i) {
            if (i > 0) out += ", ";
            append_json(out, list_at(v, i));
        }
        out.push_back(']');
        return;
    case kind::map:
    case kind::json_object:
        out.push_back('{');
        for (std::size_t i = 0; i < map_size(v); ++i) {
            if (i > 0) out += ", ";
            append_key(out, map_key(v, i));
            out += ": ";
            append_json(out, map_content(v, i));
        }
        out.push_back('}');
        return;
    case kind::optional:
        if (v.content())
            append_json(out, *v.content());
        else
            out += "null";
        return;
    case kind::object: append_json_string(out, v.fields().name); return;
    }
}

void append_conformance_value(std::string& out, const value& v)
{
    std::string inner;
    switch (v.kind()) {
    case kind::null: append_tagged(out, "nullValue", "null"); return;
    case kind::boolean: append_tagged(out, "boolValue", v.boolean() ? "true" : "false"); return;
    case kind::integer: append_tagged_string(out, "int64Value", std::to_string(v.integer())); return;
    case kind::natural: append_tagged_string(out, "uint64Value", std::to_string(v.natural())); return;
    case kind::real:
        append_double(inner, v.real());
        append_tagged(out, "doubleValue", inner);
        return;
    case kind::error:
    case kind::string: append_tagged_string(out, "stringValue", v.text()); return;
    case kind::bytes: append_tagged_string(out, "bytesValue", base64(v.text())); return;
    case kind::type: append_tagged_string(out, "typeValue", v.text()); return;
    case kind::duration: append_well_known(out, type_name(v), in_thousands(duration_text(v.duration()))); return;
    case kind::timestamp: append_well_known(out, type_name(v), in_thousands(timestamp_text(v.seconds(), v.nanoseconds()))); return;
    case kind::list:
    case kind::json_array:
        for (std::size_t i = 0; i < list_size(v); ++i) {
            inner += i > 0 ? ", " : "\"values\": [";
            append_conformance_value(inner, list_at(v, i));
        }
        append_tagged(out, "listValue", "{" + inner + (inner.empty() ? "}" : "]}"));
        return;
    case kind::map:
    case kind::json_object:
        for (std::size_t i = 0; i < map_size(v); ++i) {
            inner += i > 0 ? ", {\"key\": " : "\"entries\": [{\"key\": ";
            append_conformance_value(inner, map_key(v, i));
            inner += ", \"value\": ";
            append_conformance_value(inner, map_content(v, i));
            inner += "}";
        }
        append_tagged(out, "mapValue", "{" + inner + (inner.empty() ? "}" : "]}"));
        return;
    case kind::optional:
        // Not in that form; its content, or null.
        append_conformance_value(out, v.content() ? *v.content() : value());
        return;
    case kind::object: append_tagged_string(out, "typeValue", v.fields().name); return;
    }
}

value read_conformance_value(const json::value& v, workspace& work)
{
    if (v.is(json::kind::object) && v.size() == 1) {
        const std::string_view tag = v.key(0);
        const json::value& content = v.at(0);
        if (tag == "nullValue") return {};
        if (tag == "boolValue" && content.is(json::kind::boolean)) return value::of(content.boolean());
        if (tag == "int64Value") {
            const auto number = whole_number<std::int64_t>(content);
            return number ? value::of(*number) : value::error("no int");
        }
        if (tag == "uint64Value") {
            const auto number = whole_number<std::uint64_t>(content);
            return number ? value::of(*number) : value::error("no uint");
        }
        if (tag == "doubleValue") return read_double(content);
        if (tag == "stringValue" && content.is(json::kind::string)) return value::of(content.string());
        if (tag == "bytesValue") {
            const auto bytes = read_base64(content.string());
            return bytes ? value::of_bytes(work.keep(*bytes)) : value::error("no base64");
        }
        if (tag == "typeValue") return value::of_type(content.string());
        if (tag == "listValue") return read_list(content, work);
        if (tag == "mapValue") return read_map(content, work);
        if (tag == "objectValue") return read_object(content);
    }
    return value::error("no value of google.api.expr.v1alpha1");
}

}  // namespace sallyport::policy::cel
