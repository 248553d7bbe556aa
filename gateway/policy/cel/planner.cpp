#include "gateway/policy/cel/planner.hpp"

#include "gateway/policy/cel/parser.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <utility>

namespace sallyport::policy::cel {
namespace {

struct own_operator {
    std::string_view name;
    operation op;
};
constexpr auto own_operators = std::to_array<own_operator>({
    {"_&&_", operation::and_},
    {"_||_", operation::or_},
    {"!_", operation::not_},
    {"_?_:_", operation::conditional},
    {"_==_", operation::equal},
    {"_!=_", operation::not_equal},
    {"_<_", operation::less},
    {"_<=_", operation::less_or_equal},
    {"_>_", operation::greater},
    {"_>=_", operation::greater_or_equal},
    {"_in_", operation::in},
    {"_[_]", operation::index},
    {"_[?_]", operation::index_optional},
    {"or", operation::or_optional},
    {"orValue", operation::or_value},
});

bool is_constant(const expression& e, kind k) noexcept { return e.kind == expression_kind::constant && e.constant.is(k); }

}  // namespace

class planner {
public:
    planner(syntax_tree&& tree, bool literals_must_work, std::vector<mistake>& mistakes)
        : tree_(std::move(tree)),
          literals_must_work_(literals_must_work),
          mistakes_(mistakes)
    {
    }

    program run()
    {
        program_.nodes_.emplace_back();
        fill(0, *tree_.root);
        program_.result_ = tree_.root->result->kind;
        note_paths(*tree_.root);
        program_.is_path_ = is_path(*tree_.root);
        program_.texts_ = std::move(tree_.texts);
        std::ranges::sort(program_.slots_);
        const auto twice = std::ranges::unique(program_.slots_);
        program_.slots_.erase(twice.begin(), twice.end());
        return std::move(program_);
    }

private:
    node& at(std::uint32_t i) { return program_.nodes_[i]; }

    void operands(std::uint32_t place, std::span<expression* const> of)
    {
        const auto first = static_cast<std::uint32_t>(program_.nodes_.size());
        at(place).first = first;
        at(place).count = static_cast<std::uint32_t>(of.size());
        program_.nodes_.resize(program_.nodes_.size() + of.size());
        for (std::uint32_t i = 0; i < of.size(); ++i) fill(first + i, *of[i]);
    }

    void fail(std::uint32_t place, std::string message)
    {
        at(place).op = operation::failure;
        at(place).constant = value::error(tree_.texts.emplace_back(std::move(message)));
    }

    void fill(std::uint32_t place, const expression& e)
    {
        switch (e.kind) {
        case expression_kind::constant: at(place).constant = e.constant; return;
        case expression_kind::identifier: identifier(place, e); return;
        case expression_kind::select: select(place, e); return;
        case expression_kind::call: call(place, e); return;
        case expression_kind::list: literal(place, e, operation::list); return;
        case expression_kind::map: literal(place, e, operation::map); return;
        case expression_kind::construct: fail(place, "undeclared type '" + std::string(e.name) + "'"); return;
        case expression_kind::fold: fold(place, e); return;
        case expression_kind::unwrap:
        case expression_kind::bind:
            at(place).op = e.kind == expression_kind::bind ? operation::bind : operation::unwrap;
            at(place).flag = !e.flat;
            use_local(place, e.slot, 1);
            operands(place, e.arguments);
            return;
        }
    }

    void use_local(std::uint32_t place, std::uint32_t slot, std::uint32_t count)
    {
        at(place).slot = slot;
        program_.locals_ = std::max(program_.locals_, slot + count);
    }

    void identifier(std::uint32_t place, const expression& e)
    {
        switch (e.means) {
        case reference::unknown: fail(place, "undeclared reference to '" + std::string(e.name) + "'"); return;
        case reference::variable:
            at(place).op = operation::variable;
            at(place).slot = e.slot;
            program_.slots_.push_back(e.slot);
            return;
        case reference::local:
            at(place).op = operation::local;
            at(place).slot = e.slot;
            return;
        case reference::type_name: at(place).constant = value::of_type(e.name); return;
        }
    }

    static bool is_variable(const expression& e, type_kind k) noexcept
    {
        return e.kind == expression_kind::identifier && e.means == reference::variable && e.result->kind == k;
    }

    // A field of `request` and its like is a variable of its own; an entry of a map that is a variable is asked of the
    // activation, which need not make the whole map then.
    bool known_member(std::uint32_t place, const expression& operand, std::string_view name, bool test)
    {
        if (!test && operand.result->kind == type_kind::object &&
            (operand.kind == expression_kind::identifier || operand.kind == expression_kind::select)) {
            const field* f = operand.result->fields->find(name);
            if (!f || !constant_object(operand)) return false;
            at(place).op = operation::variable;
            at(place).slot = f->slot;
            program_.slots_.push_back(f->slot);
            return true;
        }
        const expression& map = operand;
        std::uint32_t slot = 0;
        if (!variable_slot(map, slot) || map.result->kind != type_kind::map) return false;
        at(place).op = test ? operation::has_member : operation::member;
        at(place).slot = slot;
        at(place).constant = value::of(name);
        program_.slots_.push_back(slot);
        return true;
    }

    // `request`, or a field of it that is again such a struct: always there, or its fields say themselves that it is not.
    static bool constant_object(const expression& e)
    {
        if (e.result->kind != type_kind::object) return false;
        if (e.kind == expression_kind::identifier) return e.means == reference::variable;
        return e.kind == expression_kind::select && !e.test && !e.optional && constant_object(*e.arguments[0]);
    }

    // The slot that a plain chain of declared fields ends in: `request.headers`.
    static bool variable_slot(const expression& e, std::uint32_t& slot)
    {
        if (e.kind == expression_kind::identifier && e.means == reference::variable) {
            slot = e.slot;
            return true;
        }
        if (e.kind != expression_kind::select || e.test || e.optional || !constant_object(*e.arguments[0])) return false;
        const field* f = e.arguments[0]->result->fields->find(e.name);
        if (!f) return false;
        slot = f->slot;
        return true;
    }

    void select(std::uint32_t place, const expression& e)
    {
        if (!e.optional && known_member(place, *e.arguments[0], e.name, e.test)) return;
        at(place).op = e.test ? operation::has : e.optional ? operation::select_optional : operation::select;
        at(place).constant = value::of(e.name);
        operands(place, e.arguments);
    }

    void call(std::uint32_t place, const expression& e)
    {
        if (e.overloads.empty()) {
            // Its arguments are not evaluated: whatever they are, there is no answer.
            fail(place, "unbound function '" + std::string(e.name) + "'");
            return;
        }
        at(place).op = operation::call;
        at(place).overloads = e.overloads;
        at(place).method = e.method;
        const auto own = std::ranges::find(own_operators, e.name, &own_operator::name);
        if (own != own_operators.end()) {
            const bool arity =
                e.arguments.size() == e.overloads.front().parameters.size() || own->op == operation::and_ || own->op == operation::or_;
            const bool method = own->op == operation::or_value || own->op == operation::or_optional;
            if (arity && method == e.method) at(place).op = own->op;
        }
        if (at(place).op == operation::index && is_constant(*e.arguments[1], kind::string) &&
            known_member(place, *e.arguments[0], e.arguments[1]->constant.text(), false))
            return;
        if (at(place).op == operation::call) prepare(place, e);
        operands(place, e.arguments);
    }

    void prepare(std::uint32_t place, const expression& e)
    {
        if (e.arguments.size() < 2 || !is_constant(*e.arguments.back(), kind::string)) return;
        const expression& literal = *e.arguments.back();
        for (const overload& o : e.overloads) {
            if (o.prepares == preparation::none || !takes(o, e.arguments.size(), e.method)) continue;
            prepared ready;
            std::string wrong;
            if (o.prepares == preparation::pattern) {
                ready.pattern = compile_pattern(literal.constant.text(), wrong);
            } else {
                ready.zone = time_zone::find(literal.constant.text());
                if (!ready.zone) wrong = "no such time zone";
            }
            if (wrong.empty()) {
                at(place).ready = &program_.prepared_.emplace_back(std::move(ready));
            } else if (literals_must_work_) {
                mistakes_.push_back({literal.offset, wrong});
            }
            return;
        }
    }

    void literal(std::uint32_t place, const expression& e, operation op)
    {
        at(place).op = op;
        if (!e.optional_arguments.empty()) {
            auto& flags = program_.optional_.emplace_back(e.optional_arguments.begin(), e.optional_arguments.end());
            at(place).optional = flags;
        }
        operands(place, e.arguments);
    }

    void fold(std::uint32_t place, const expression& e)
    {
        const bool list = e.fold == fold_kind::list;
        const bool map = e.fold == fold_kind::map || e.fold == fold_kind::map_entries;
        at(place).op = list ? operation::fold_list : map ? operation::fold_map : operation::fold_predicate;
        at(place).fold = e.fold;
        at(place).flag = !e.second_local.empty();
        use_local(place, e.slot, e.second_local.empty() ? 1 : 2);
        std::vector<expression*> parts{e.arguments[0], e.arguments[2]};
        if (e.arguments[1]) parts.push_back(e.arguments[1]);  // the filter last, where there is one
        const std::size_t before = program_.nodes_.size();
        operands(place, parts);
        at(place).work = static_cast<std::uint32_t>(program_.nodes_.size() - before);
    }

    // --- what is read of a variable --------------------------------------------------------------------------------

    static bool is_path(const expression& e)
    {
        if (e.kind == expression_kind::identifier) return e.means == reference::variable;
        if (e.kind == expression_kind::select) return !e.test && !e.optional && is_path(*e.arguments[0]);
        if (e.kind != expression_kind::call || e.name != "_[_]") return false;
        const expression& key = *e.arguments[1];
        return is_path(*e.arguments[0]) &&
               (is_constant(key, kind::string) || (is_constant(key, kind::integer) && key.constant.integer() >= 0));
    }

    // The last step is added by whoever asks: has(body.a) reads `a` as well.
    void path_of(const expression& e, program::path& path)
    {
        if (e.kind == expression_kind::identifier) {
            path.slot = e.slot;
            return;
        }
        path_of(*e.arguments[0], path);
        if (e.kind == expression_kind::select) {
            path.steps.push_back({e.name, -1});
        } else if (is_constant(*e.arguments[1], kind::string)) {
            path.steps.push_back({e.arguments[1]->constant.text(), -1});
        } else {
            path.steps.push_back({{}, e.arguments[1]->constant.integer()});
        }
    }

    void note_paths(const expression& e)
    {
        const bool tested = e.kind == expression_kind::select && (e.test || e.optional) && is_path(*e.arguments[0]);
        if (tested || is_path(e)) {
            path_of(e, program_.paths_.emplace_back());
            return;
        }
        for (const expression* argument : e.arguments)
            if (argument) note_paths(*argument);
    }

    syntax_tree tree_;
    bool literals_must_work_;
    std::vector<mistake>& mistakes_;
    program program_;
};

program plan(syntax_tree&& tree, bool literals_must_work, std::vector<mistake>& mistakes)
{
    return planner(std::move(tree), literals_must_work, mistakes).run();
}

compiled compile(std::string_view source, const environment& names, const compile_options& options)
{
    compiled result;
    mistake wrong;
    auto tree = parse(source, wrong);
    if (!tree) {
        result.mistakes.push_back(std::move(wrong));
        return result;
    }
    type_table types;
    result.mistakes = check(*tree, names, types, options.mode);
    if (options.wanted && result.mistakes.empty()) {
        const type& is = *tree->root->result;
        if (is.kind != options.wanted->kind && is.kind != type_kind::dyn)
            result.mistakes.push_back({tree->root->begin, "expected '" + describe(*options.wanted) + "', not '" + describe(is) + "'"});
    }
    if (!result.mistakes.empty()) return result;
    cel::program made = plan(std::move(*tree), options.literals_must_work, result.mistakes);
    if (result.mistakes.empty()) result.program = std::move(made);
    return result;
}

}  // namespace sallyport::policy::cel
