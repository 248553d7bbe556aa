#include "gateway/policy/evaluate.hpp"

#include "gateway/canonical/json.hpp"
#include "gateway/policy/cel/program.hpp"
#include "gateway/policy/cel/utf8.hpp"
#include "gateway/policy/cel/value_json.hpp"

#include <algorithm>
#include <array>
#include <memory_resource>
#include <vector>

namespace sallyport::policy {
namespace {

using namespace cel;

/// Whoever works at a terminal may use more than a call's share.
constexpr std::int64_t terminal_work = 20'000'000;

/// Variables whose values are known from the start.
class bound_values final : public activation {
public:
    std::uint32_t add(const value& v)
    {
        values_.push_back(v);
        return static_cast<std::uint32_t>(values_.size() - 1);
    }
    void set(std::uint32_t slot, const value& v) { values_[slot] = v; }
    value load(std::uint32_t slot, workspace&) override { return values_[slot]; }

private:
    std::vector<value> values_;
};

// --- the form of the vectors -----------------------------------------------------------------------------------------

const type* read_type(const json::value& v, type_table& table)
{
    struct primitive {
        std::string_view name;
        const type* is;
    };
    constexpr auto primitives = std::to_array<primitive>({{"BOOL", &types::boolean},
                                                          {"INT64", &types::integer},
                                                          {"UINT64", &types::natural},
                                                          {"DOUBLE", &types::real},
                                                          {"STRING", &types::string},
                                                          {"BYTES", &types::bytes},
                                                          {"TIMESTAMP", &types::timestamp},
                                                          {"DURATION", &types::duration},
                                                          {"google.protobuf.Timestamp", &types::timestamp},
                                                          {"google.protobuf.Duration", &types::duration}});
    if (!v.is(json::kind::object) || v.size() != 1) return &types::dyn;
    const std::string_view form = v.key(0);
    const json::value& of = v.at(0);
    const auto part = [&](std::string_view name) {
        const json::value* member = of.find(name);
        return member ? read_type(*member, table) : &types::dyn;
    };
    if (form == "null") return &types::null;
    if (form == "listType") return table.list(part("elemType"));
    if (form == "mapType") return table.map(part("keyType"), part("valueType"));
    if (form == "type") return table.type_of(read_type(of, table));
    if (form == "primitive" || form == "wellKnown" || form == "messageType") {
        const auto found = std::ranges::find(primitives, of.string(), &primitive::name);
        if (found != primitives.end()) return found->is;
    }
    return &types::dyn;  // wrappers, messages, functions
}

void declare_types(const json::value& declarations, environment& names, bound_values& values, type_table& table)
{
    for (std::size_t i = 0; i < declarations.size(); ++i) {
        const json::value* name = declarations.at(i).find("name");
        const json::value* identifier = declarations.at(i).find("ident");
        const json::value* type = identifier ? identifier->find("type") : nullptr;
        if (!name) continue;
        const value missing = value::error("a variable without a value");
        names.declare(std::string(name->string()), type ? read_type(*type, table) : &types::dyn, values.add(missing));
    }
}

std::string error_line(std::string_view message)
{
    std::string out = "{\"error\": ";
    append_json_string(out, message);
    return out + "}";
}

std::string check_error_line(std::string_view expression, const mistake& m)
{
    const text_position at = position_of(expression, m.offset);
    std::string out = "{\"check_error\": ";
    append_json_string(out, m.message);
    return out + ", \"line\": " + std::to_string(at.line) + ", \"column\": " + std::to_string(at.column) + "}";
}

}  // namespace

text_position position_of(std::string_view text, std::size_t offset) noexcept
{
    text_position at;
    text = text.substr(0, std::min(offset, text.size()));
    while (!text.empty()) {
        const code_point c = first_code_point(text);
        if (c.value == '\n') {
            ++at.line;
            at.column = 1;
        } else {
            ++at.column;
        }
        text.remove_prefix(c.size);
    }
    return at;
}

result<std::string> evaluate(std::string_view expression, std::string_view bindings)
{
    auto document = json::document::parse(bindings.empty() ? std::string_view("{}") : bindings);
    if (!document) return fail(problem::invalid_input, "bindings: " + document.error().detail);
    const json::value& members = document->root();
    if (!members.is(json::kind::object)) return fail(problem::invalid_input, "bindings must be a JSON object");

    environment names;
    bound_values values;
    for (std::size_t i = 0; i < members.size(); ++i)
        names.declare(std::string(members.key(i)), &types::dyn, values.add(value::of_json(members.at(i))));
    const compiled made = compile(expression, names);
    if (!made.program) {
        const mistake& m = made.mistakes.front();
        const text_position at = position_of(expression, m.offset);
        return fail(problem::invalid_input, std::to_string(at.line) + ":" + std::to_string(at.column) + ": " + m.message);
    }
    std::pmr::monotonic_buffer_resource arena;
    workspace work(arena, terminal_work);
    const value v = made.program->run(values, work);
    if (v.failed()) return fail(problem::invalid_input, std::string(v.text()));
    std::string out;
    append_json(out, v);
    return out;
}

std::string evaluate_line(std::string_view line)
{
    auto document = json::document::parse(line);
    if (!document) return error_line("no JSON: " + document.error().detail);
    const json::value& test = document->root();
    const json::value* expression = test.find("expr");
    if (!expression || !expression->is(json::kind::string)) return error_line("a line needs `expr`");

    std::pmr::monotonic_buffer_resource arena;
    workspace work(arena, terminal_work);
    environment names;
    bound_values values;
    type_table table;
    if (const json::value* declarations = test.find("typeEnv")) declare_types(*declarations, names, values, table);
    if (const json::value* bindings = test.find("bindings"))
        for (std::size_t i = 0; i < bindings->size(); ++i) {
            const json::value* content = bindings->at(i).find("value");
            const value v = read_conformance_value(content ? *content : bindings->at(i), work);
            if (v.failed()) return error_line(v.text());
            if (const variable* declared = names.find(bindings->key(i)))
                values.set(declared->slot, v);
            else
                names.declare(std::string(bindings->key(i)), &types::dyn, values.add(v));
        }
    const json::value* unchecked = test.find("disableCheck");
    const compile_options options{unchecked && unchecked->boolean() ? checking::off : checking::enforced, false, nullptr};
    const compiled made = compile(expression->string(), names, options);
    if (!made.program) return check_error_line(expression->string(), made.mistakes.front());
    const value v = made.program->run(values, work);
    if (v.failed()) return error_line(v.text());
    std::string out = "{\"value\": ";
    append_conformance_value(out, v);
    return out + "}";
}

}  // namespace sallyport::policy
