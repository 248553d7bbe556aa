#include "gateway/policy/cel/checker.hpp"

#include "gateway/policy/cel/functions.hpp"
#include "gateway/policy/cel/unification.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace sallyport::policy::cel {
namespace {

struct named_type {
    std::string_view name;
    const type* is;
};
constexpr type list_type{type_kind::list, &types::dyn};
constexpr type map_type{type_kind::map, &types::dyn, &types::dyn};
constexpr type optional_type{type_kind::optional, &types::dyn};
constexpr type type_type{type_kind::type, &types::dyn};
constexpr auto named_types = std::to_array<named_type>({
    {"bool", &types::boolean},
    {"int", &types::integer},
    {"uint", &types::natural},
    {"double", &types::real},
    {"string", &types::string},
    {"bytes", &types::bytes},
    {"null_type", &types::null},
    {"list", &list_type},
    {"map", &map_type},
    {"type", &type_type},
    {"optional_type", &optional_type},
    {"google.protobuf.Timestamp", &types::timestamp},
    {"google.protobuf.Duration", &types::duration},
});

bool is_operator(std::string_view function) noexcept { return function.starts_with('_') || function.ends_with('_'); }

/// How a message shows a function: `_>_` as `>`.
std::string shown_name(std::string_view function)
{
    std::string name(function);
    if (is_operator(function)) std::erase(name, '_');
    return name;
}

// Edits that lead from one to the other: for "did you mean".
std::size_t distance(std::string_view x, std::string_view y)
{
    std::vector<std::size_t> row(y.size() + 1);
    for (std::size_t j = 0; j <= y.size(); ++j) row[j] = j;
    for (const char here : x) {
        std::size_t diagonal = row[0]++;
        for (std::size_t j = 0; j < y.size(); ++j) {
            const std::size_t above = row[j + 1];
            row[j + 1] = std::min({above + 1, row[j] + 1, diagonal + (here == y[j] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row.back();
}

class suggestion {
public:
    explicit suggestion(std::string_view wanted) : wanted_(wanted.substr(0, 64)) {}
    void consider(std::string_view candidate)
    {
        const std::size_t d = distance(wanted_, candidate.substr(0, 64));
        if (d < best_) {
            best_ = d;
            name_ = candidate;
        }
    }
    std::string text() const { return name_.empty() ? std::string() : "; did you mean '" + std::string(name_) + "'?"; }

private:
    std::string_view wanted_, name_;
    std::size_t best_ = 3;
};

class checker {
public:
    checker(syntax_tree& tree, const environment& names, type_table& table, checking mode)
        : tree_(tree),
          names_(names),
          table_(table),
          types_(table),
          enforced_(mode == checking::enforced)
    {
    }

    std::vector<mistake> run()
    {
        visit(*tree_.root);
        for (expression& e : tree_.expressions) e.result = types_.settle(e.result);
        std::ranges::stable_sort(mistakes_, {}, &mistake::offset);
        return std::move(mistakes_);
    }

private:
    struct local {
        std::string_view name;
        const type* of;
    };

    const type* wrong(std::size_t offset, std::string message, bool always = false)
    {
        if (enforced_ || always) mistakes_.push_back({offset, std::move(message)});
        return &types::dyn;
    }

    const type* visit(expression& e)
    {
        e.result = type_of(e);
        return e.result;
    }

    const type* type_of(expression& e)
    {
        switch (e.kind) {
        case expression_kind::constant: return type_of_constant(e.constant);
        case expression_kind::identifier: return identifier(e);
        case expression_kind::select: return select(e);
        case expression_kind::call: return call(e);
        case expression_kind::list: return list(e);
        case expression_kind::map: return map(e);
        case expression_kind::construct: return construct(e);
        case expression_kind::fold: return fold(e);
        case expression_kind::unwrap: return unwrap(e);
        case expression_kind::bind: return bind(e);
        }
        return &types::dyn;
    }

    static const type* type_of_constant(const value& v)
    {
        switch (v.kind()) {
        case kind::null: return &types::null;
        case kind::boolean: return &types::boolean;
        case kind::integer: return &types::integer;
        case kind::natural: return &types::natural;
        case kind::real: return &types::real;
        case kind::string: return &types::string;
        case kind::bytes: return &types::bytes;
        case kind::error:
        case kind::duration:
        case kind::timestamp:
        case kind::type:
        case kind::list:
        case kind::map:
        case kind::optional:
        case kind::object:
        case kind::json_array:
        case kind::json_object: return &types::dyn;
        }
        return &types::dyn;
    }

    // --- names ------------------------------------------------------------------------------------------------------

    const local* find_local(std::string_view name) const
    {
        const auto found = std::find_if(locals_.rbegin(), locals_.rend(), [&](const local& l) { return l.name == name; });
        return found == locals_.rend() ? nullptr : &*found;
    }

    /// `a.b.c` of a chain of plain selections; empty for anything else, and where a macro's variable begins it.
    std::string qualified_name(const expression& e) const
    {
        if (e.kind == expression_kind::identifier) return !e.absolute && find_local(e.name) ? std::string() : std::string(e.name);
        if (e.kind != expression_kind::select || e.test || e.optional) return {};
        const std::string operand = qualified_name(*e.arguments[0]);
        return operand.empty() ? operand : operand + "." + std::string(e.name);
    }

    /// Resolves the whole of `name` to a variable or a type.
    const type* resolve(expression& e, std::string_view name)
    {
        if (const variable* v = names_.find(name)) {
            e.means = reference::variable;
            e.slot = v->slot;
            return v->of;
        }
        for (const named_type& t : named_types)
            if (t.name == name) {
                e.means = reference::type_name;
                e.name = t.name;
                return table_.type_of(t.is);
            }
        return nullptr;
    }

    const type* identifier(expression& e)
    {
        if (!e.absolute)
            if (const local* l = find_local(e.name)) {
                e.means = reference::local;
                e.slot = static_cast<std::uint32_t>(l - locals_.data());
                return l->of;
            }
        if (const type* found = resolve(e, e.name)) return found;
        suggestion similar(e.name);
        for (const variable& v : names_.variables()) similar.consider(v.name);
        return wrong(e.offset, "undeclared reference to '" + std::string(e.name) + "'" + similar.text());
    }

    const type* select(expression& e)
    {
        // The longest qualified name wins: `a.b.c` before field `c` of `a.b`.
        if (!e.test && !e.optional) {
            const std::string name = qualified_name(e);
            if (!name.empty() && name.find('.') != std::string::npos)
                if (const type* found = resolve(e, name)) {
                    e.kind = expression_kind::identifier;
                    e.arguments.clear();
                    return found;
                }
        }
        const type* operand = types_.resolve(visit(*e.arguments[0]));
        const type* field = field_of(e, operand);
        if (e.test) return &types::boolean;
        if (e.optional && types_.resolve(field)->kind != type_kind::optional) return table_.optional(field);
        return field;
    }

    const type* field_of(const expression& e, const type* operand)
    {
        switch (operand->kind) {
        case type_kind::dyn:
        case type_kind::parameter: return &types::dyn;
        case type_kind::map: return operand->second;
        case type_kind::object:
            if (const field* f = operand->fields->find(e.name)) return f->of;
            return unknown_field(e, *operand->fields);
        case type_kind::optional: {
            const type* inner = field_of(e, types_.resolve(operand->first));
            return table_.optional(inner);
        }
        case type_kind::null:
        case type_kind::boolean:
        case type_kind::integer:
        case type_kind::natural:
        case type_kind::real:
        case type_kind::number:
        case type_kind::string:
        case type_kind::bytes:
        case type_kind::duration:
        case type_kind::timestamp:
        case type_kind::type:
        case type_kind::list: break;
        }
        return wrong(e.offset, "type '" + describe(*operand) + "' has no fields, so no '" + std::string(e.name) + "'");
    }

    const type* unknown_field(const expression& e, const struct_type& of)
    {
        suggestion similar(e.name);
        for (const field& f : of.fields) similar.consider(f.name);
        return wrong(e.offset, "undefined field '" + std::string(e.name) + "' of '" + std::string(of.name) + "'" + similar.text());
    }

    // --- calls ------------------------------------------------------------------------------------------------------

    const type* call(expression& e)
    {
        // `math.abs(x)`: a function of a namespace, not a method of a variable `math`.
        if (e.method) {
            const std::string space = qualified_name(*e.arguments[0]);
            const auto functions = space.empty() ? std::span<const overload>() : find_function(space + "." + std::string(e.name));
            if (!functions.empty()) {
                e.method = false;
                e.name = functions.front().name;
                e.arguments.erase(e.arguments.begin());
            }
        }
        std::vector<const type*> arguments;
        for (expression* argument : e.arguments) arguments.push_back(visit(*argument));
        e.overloads = find_function(e.name);
        if (e.overloads.empty()) return wrong(e.offset, "undeclared reference to function '" + std::string(e.name) + "'");
        if (e.name == "_&&_" || e.name == "_||_") return logical(e, arguments);

        const type* result = nullptr;
        for (const overload& o : e.overloads) {
            const auto before = types_.here();
            const type* fits = fit(o, e.method, arguments);
            if (!fits) {
                types_.undo(before);
                continue;
            }
            // What several overloads give is known only when it runs.
            result = result ? types_.join(types_.settle(result), types_.settle(fits)) : fits;
        }
        if (!result) return no_overload(e, arguments);
        return result;
    }

    const type* fit(const overload& o, bool method, const std::vector<const type*>& arguments)
    {
        if (!takes(o, arguments.size(), method)) return nullptr;
        const type* a = types_.fresh();
        const type* b = types_.fresh();
        for (std::size_t i = 0; i < arguments.size(); ++i) {
            const type* wanted = types_.instantiate(o.parameters[std::min(i, o.parameters.size() - 1)], a, b);
            if (!types_.fit(wanted, arguments[i])) return nullptr;
        }
        return types_.instantiate(o.result, a, b);
    }

    // One node has any number of conditions; each that is not bool is blamed where it stands.
    const type* logical(const expression& e, const std::vector<const type*>& arguments)
    {
        for (std::size_t i = 0; i < arguments.size(); ++i)
            if (!types_.fit(&types::boolean, arguments[i]))
                wrong(e.arguments[i]->begin,
                      "'" + shown_name(e.name) + "' takes conditions, not '" + describe(*types_.settle(arguments[i])) + "'");
        return &types::boolean;
    }

    const type* no_overload(const expression& e, const std::vector<const type*>& arguments)
    {
        const auto shown = [&](std::size_t i) { return describe(*types_.settle(arguments[i])); };
        if (is_operator(e.name) && arguments.size() == 2) {
            const bool index = e.name.starts_with("_[");
            return wrong(e.offset,
                         "no such overload: " + shown(0) + (index ? "[" : " " + shown_name(e.name) + " ") + shown(1) + (index ? "]" : ""));
        }
        std::string given;
        for (std::size_t i = e.method ? 1 : 0; i < arguments.size(); ++i) given += (given.empty() ? "" : ", ") + shown(i);
        return wrong(e.offset, "no such overload: " + (e.method ? shown(0) + "." : std::string()) + shown_name(e.name) + "(" + given + ")");
    }

    // --- literals ---------------------------------------------------------------------------------------------------

    bool optional_argument(const expression& e, std::size_t i) const { return !e.optional_arguments.empty() && e.optional_arguments[i]; }

    const type* element(const expression& e, std::size_t i)
    {
        const type* of = visit(*e.arguments[i]);
        if (!optional_argument(e, i)) return of;
        const type* inner = types_.fresh();
        if (!types_.fit(table_.optional(inner), of)) return wrong(e.arguments[i]->begin, "expected an optional value");
        return inner;
    }

    const type* list(expression& e)
    {
        const type* of = nullptr;
        for (std::size_t i = 0; i < e.arguments.size(); ++i) {
            const type* next = element(e, i);
            of = of ? types_.join(of, next) : next;
        }
        return table_.list(of ? of : types_.fresh());
    }

    const type* map(expression& e)
    {
        const type *from = nullptr, *to = nullptr;
        for (std::size_t i = 0; i + 1 < e.arguments.size(); i += 2) {
            const type* key = visit(*e.arguments[i]);
            const type* content = element(e, i + 1);
            from = from ? types_.join(from, key) : key;
            to = to ? types_.join(to, content) : content;
        }
        return table_.map(from ? from : types_.fresh(), to ? to : types_.fresh());
    }

    const type* construct(expression& e)
    {
        for (expression* argument : e.arguments) visit(*argument);
        return wrong(e.offset, "undeclared type '" + std::string(e.name) + "'");
    }

    // --- macros with variables --------------------------------------------------------------------------------------

    void enter(std::size_t offset, std::string_view name, const type* of)
    {
        locals_.push_back({name, of});
        if (locals_.size() > most_locals) wrong(offset, "too many variables of macros within one another", true);
    }

    const type* fold(expression& e)
    {
        const type* range = types_.resolve(visit(*e.arguments[0]));
        const type *first = &types::dyn, *second = &types::dyn;
        if (range->kind == type_kind::list) {
            first = e.second_local.empty() ? range->first : &types::integer;
            second = range->first;
        } else if (range->kind == type_kind::map) {
            first = range->first;
            second = range->second;
        } else if (range->kind != type_kind::dyn && range->kind != type_kind::parameter) {
            wrong(e.arguments[0]->begin,
                  "'" + std::string(e.name) + "' goes over a list or a map, not over '" + describe(*types_.settle(range)) + "'");
        }
        e.slot = static_cast<std::uint32_t>(locals_.size());
        enter(e.offset, e.local, first);
        if (!e.second_local.empty()) enter(e.offset, e.second_local, second);
        if (e.arguments[1]) condition(*e.arguments[1]);
        const type* result = nullptr;
        switch (e.fold) {
        case fold_kind::all:
        case fold_kind::exists:
        case fold_kind::exists_one:
            condition(*e.arguments[2]);
            result = &types::boolean;
            break;
        case fold_kind::list: result = table_.list(visit(*e.arguments[2])); break;
        case fold_kind::map: result = table_.map(first, visit(*e.arguments[2])); break;
        case fold_kind::map_entries: {
            const type* entry = types_.resolve(visit(*e.arguments[2]));
            if (entry->kind != type_kind::map && entry->kind != type_kind::dyn) wrong(e.arguments[2]->begin, "expected a map of one entry");
            result = entry->kind == type_kind::map ? entry : &map_type;
            break;
        }
        }
        locals_.resize(e.slot);
        return result;
    }

    void condition(expression& e)
    {
        const type* of = visit(e);
        if (!types_.fit(&types::boolean, of)) wrong(e.begin, "expected a condition, not '" + describe(*types_.settle(of)) + "'");
    }

    const type* unwrap(expression& e)
    {
        const type* inner = types_.fresh();
        const type* target = visit(*e.arguments[0]);
        if (!types_.fit(table_.optional(inner), target)) wrong(e.arguments[0]->begin, "expected an optional value");
        e.slot = static_cast<std::uint32_t>(locals_.size());
        enter(e.offset, e.local, types_.resolve(target)->kind == type_kind::dyn ? &types::dyn : inner);
        const type* result = visit(*e.arguments[1]);
        locals_.resize(e.slot);
        if (!e.flat) return table_.optional(result);
        if (!types_.fit(table_.optional(types_.fresh()), result)) return wrong(e.arguments[1]->begin, "expected an optional value");
        return result;
    }

    const type* bind(expression& e)
    {
        const type* of = visit(*e.arguments[0]);
        e.slot = static_cast<std::uint32_t>(locals_.size());
        enter(e.offset, e.local, of);
        const type* result = visit(*e.arguments[1]);
        locals_.resize(e.slot);
        return result;
    }

    syntax_tree& tree_;
    const environment& names_;
    type_table& table_;
    unification types_;
    bool enforced_;
    std::vector<local> locals_;
    std::vector<mistake> mistakes_;
};

}  // namespace

std::vector<mistake> check(syntax_tree& tree, const environment& names, type_table& types, checking mode)
{
    return checker(tree, names, types, mode).run();
}

}  // namespace sallyport::policy::cel
