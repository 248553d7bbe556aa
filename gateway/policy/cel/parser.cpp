#include "gateway/policy/cel/parser.hpp"

#include "gateway/policy/cel/lexer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <limits>

namespace sallyport::policy::cel {
namespace {

constexpr auto reserved = std::to_array<std::string_view>({"as", "break", "const", "continue", "else", "for", "function", "if", "import",
                                                           "let", "loop", "package", "namespace", "return", "var", "void", "while"});

struct binary_operator {
    std::string_view symbol;
    int level;  // the higher, the tighter
    std::string_view function;
};
constexpr auto binary_operators = std::to_array<binary_operator>({
    {"||", 1, "_||_"},
    {"&&", 2, "_&&_"},
    {"<", 3, "_<_"},
    {"<=", 3, "_<=_"},
    {">", 3, "_>_"},
    {">=", 3, "_>=_"},
    {"==", 3, "_==_"},
    {"!=", 3, "_!=_"},
    {"in", 3, "_in_"},
    {"+", 4, "_+_"},
    {"-", 4, "_-_"},
    {"*", 5, "_*_"},
    {"/", 5, "_/_"},
    {"%", 5, "_%_"},
});

// Carries the first mistake up through the recursion, at load only; caught in parse().
struct refused {
    mistake why;
};

class parser {
public:
    parser(syntax_tree& tree, const std::vector<token>& tokens) : tree_(tree), tokens_(tokens) {}

    expression* run()
    {
        expression* root = parse_expression();
        if (look().kind != token_kind::end) fail(look().offset, "unexpected '" + shown(look()) + "'");
        return root;
    }

private:
    class nesting {
    public:
        explicit nesting(parser& p) : p_(p)
        {
            if (++p_.nesting_ > deepest_nesting) fail(p_.look().offset, "nested too deeply");
        }
        ~nesting() { --p_.nesting_; }
        nesting(const nesting&) = delete;
        nesting& operator=(const nesting&) = delete;

    private:
        parser& p_;
    };

    [[noreturn]] static void fail(std::size_t offset, std::string message) { throw refused{{offset, std::move(message)}}; }
    static std::string shown(const token& t) { return t.kind == token_kind::end ? "the end" : std::string(t.text.substr(0, 40)); }

    const token& look(std::size_t ahead = 0) const noexcept { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
    const token& take() noexcept { return tokens_[at_ < tokens_.size() - 1 ? at_++ : at_]; }
    bool accept(std::string_view symbol) noexcept
    {
        if (!look().is(symbol)) return false;
        take();
        return true;
    }
    void expect(std::string_view symbol)
    {
        if (accept(symbol)) return;
        fail(look().offset,
             "expected '" + std::string(symbol) + "' before " + (look().kind == token_kind::end ? "the end" : "'" + shown(look()) + "'"));
    }

    expression& make(expression_kind kind, std::size_t offset, std::size_t begin)
    {
        expression& e = tree_.expressions.emplace_back();
        e.kind = kind;
        e.offset = offset;
        e.begin = begin;
        return e;
    }
    void add(expression& parent, expression* child)
    {
        parent.arguments.push_back(child);
        if (!child) return;
        parent.depth = std::max(parent.depth, child->depth + 1);
        if (parent.depth > deepest_tree) fail(parent.offset, "too many operators on top of one another");
    }
    expression* call(std::string_view name, std::size_t offset, std::size_t begin, std::initializer_list<expression*> arguments)
    {
        expression& e = make(expression_kind::call, offset, begin);
        e.name = name;
        for (expression* argument : arguments) add(e, argument);
        return &e;
    }
    expression* constant(const token& t, value v)
    {
        expression& e = make(expression_kind::constant, t.offset, t.offset);
        e.constant = v;
        return &e;
    }

    expression* parse_expression()
    {
        const nesting level(*this);
        expression* condition = parse_binary(1);
        if (!look().is("?")) return condition;
        const std::size_t offset = take().offset;
        expression* yes = parse_binary(1);
        expect(":");
        expression* no = parse_expression();
        return call("_?_:_", offset, condition->begin, {condition, yes, no});
    }

    static const binary_operator* operator_at(const token& t)
    {
        if (t.kind != token_kind::symbol && t.kind != token_kind::keyword) return nullptr;
        const auto found = std::ranges::find(binary_operators, t.text, &binary_operator::symbol);
        return found == binary_operators.end() ? nullptr : &*found;
    }

    expression* parse_binary(int level)
    {
        expression* left = parse_unary();
        for (const binary_operator* op = operator_at(look()); op && op->level >= level; op = operator_at(look())) {
            const std::size_t offset = take().offset;
            expression* right = parse_binary(op->level + 1);
            // `a || b || c` is one node, so that a long row of conditions is not a deep tree.
            const bool logical = op->level <= 2;
            if (logical && left->kind == expression_kind::call && left->name == op->function)
                add(*left, right);
            else
                left = call(op->function, offset, left->begin, {left, right});
        }
        return left;
    }

    expression* parse_unary()
    {
        const token& first = look();
        if (!first.is("!") && !first.is("-")) return parse_member();
        std::vector<const token*> operators;
        while (look().is(first.text)) operators.push_back(&take());
        if (look().is("!") || look().is("-")) fail(look().offset, "unexpected '" + shown(look()) + "'");
        expression* operand = nullptr;
        const bool number = look().kind == token_kind::integer || look().kind == token_kind::real;
        if (first.is("-") && number) {
            // The sign belongs to the literal: the smallest integer has no positive counterpart.
            const token* sign = operators.back();
            operators.pop_back();
            operand = parse_member(sign);
        } else {
            operand = parse_member();
        }
        for (auto op = operators.rbegin(); op != operators.rend(); ++op)
            operand = call((*op)->is("!") ? "!_" : "-_", (*op)->offset, (*op)->offset, {operand});
        return operand;
    }

    expression* parse_member(const token* sign = nullptr)
    {
        expression* e = sign ? parse_number(sign) : parse_primary();
        for (;;) {
            if (look().is(".")) {
                take();
                e = parse_selection(e);
            } else if (look().is("[")) {
                const std::size_t offset = take().offset;
                const bool optional = accept("?");
                expression* index = parse_expression();
                expect("]");
                e = call(optional ? "_[?_]" : "_[_]", offset, e->begin, {e, index});
            } else if (look().is("{") && names_a_type(*e)) {
                e = parse_construction(e);
            } else {
                return e;
            }
        }
    }

    expression* parse_selection(expression* operand)
    {
        const bool optional = accept("?");
        const token& name = take();
        const bool plain = name.kind == token_kind::identifier;
        if (!plain && name.kind != token_kind::quoted_identifier) fail(name.offset, "expected a name before '" + shown(name) + "'");
        if (plain && !optional && look().is("(")) return parse_method(operand, name);
        expression& e = make(expression_kind::select, name.offset, operand->begin);
        e.name = name.text;
        e.optional = optional;
        add(e, operand);
        return &e;
    }

    std::vector<expression*> parse_arguments(std::string_view end)
    {
        std::vector<expression*> arguments;
        while (!look().is(end)) {
            arguments.push_back(parse_expression());
            if (!accept(",")) break;
            if (look().is(end)) fail(look().offset, "expected an argument before '" + std::string(end) + "'");
        }
        expect(end);
        return arguments;
    }

    expression* parse_method(expression* target, const token& name)
    {
        expect("(");
        const std::vector<expression*> arguments = parse_arguments(")");
        if (expression* macro = expand(target, name, arguments)) return macro;
        expression& e = make(expression_kind::call, name.offset, target->begin);
        e.name = name.text;
        e.method = true;
        add(e, target);
        for (expression* argument : arguments) add(e, argument);
        return &e;
    }

    // --- macros -----------------------------------------------------------------------------------------------------

    static std::string_view simple_name(const expression* e)
    {
        if (e->kind != expression_kind::identifier || e->absolute) fail(e->begin, "expected the name of a variable");
        return e->name;
    }

    expression* expand(expression* target, const token& name, const std::vector<expression*>& arguments)
    {
        const std::size_t n = arguments.size();
        const std::string_view m = name.text;
        if (target->kind == expression_kind::identifier && target->name == "cel" && m == "bind" && n == 3)
            return bind(name, *target, arguments);
        if ((m == "optMap" || m == "optFlatMap") && n == 2) return unwrap(name, target, arguments);

        if (m == "all" && (n == 2 || n == 3)) return predicate(fold_kind::all, name, target, arguments);
        if (m == "exists" && (n == 2 || n == 3)) return predicate(fold_kind::exists, name, target, arguments);
        if (((m == "exists_one" || m == "existsOne") && n == 2) || (m == "existsOne" && n == 3))
            return predicate(fold_kind::exists_one, name, target, arguments);
        if (m == "filter" && n == 2) return fold(fold_kind::list, name, target, arguments[0], nullptr, arguments[1], arguments[0]);
        if (m == "map" && n == 2) return fold(fold_kind::list, name, target, arguments[0], nullptr, nullptr, arguments[1]);
        if (m == "map" && n == 3) return fold(fold_kind::list, name, target, arguments[0], nullptr, arguments[1], arguments[2]);
        const auto over_two = [&](fold_kind kind) {
            return fold(kind, name, target, arguments[0], arguments[1], n == 4 ? arguments[2] : nullptr, arguments.back());
        };
        if (n != 3 && n != 4) return nullptr;
        if (m == "transformList") return over_two(fold_kind::list);
        if (m == "transformMap") return over_two(fold_kind::map);
        if (m == "transformMapEntry") return over_two(fold_kind::map_entries);
        return nullptr;
    }

    expression* predicate(fold_kind kind, const token& name, expression* target, const std::vector<expression*>& arguments)
    {
        return fold(kind, name, target, arguments[0], arguments.size() == 3 ? arguments[1] : nullptr, nullptr, arguments.back());
    }

    expression* fold(fold_kind kind, const token& name, expression* range, expression* first, expression* second, expression* filter,
                     expression* each)
    {
        expression& e = make(expression_kind::fold, name.offset, range->begin);
        e.name = name.text;
        e.fold = kind;
        e.local = simple_name(first);
        if (second) {
            e.second_local = simple_name(second);
            if (e.local == e.second_local) fail(second->begin, "two variables with one name");
        }
        add(e, range);
        add(e, filter);
        add(e, each);
        return &e;
    }

    expression* bind(const token& name, const expression& target, const std::vector<expression*>& arguments)
    {
        expression& e = make(expression_kind::bind, name.offset, target.begin);
        e.local = simple_name(arguments[0]);
        add(e, arguments[1]);
        add(e, arguments[2]);
        return &e;
    }

    expression* unwrap(const token& name, expression* target, const std::vector<expression*>& arguments)
    {
        expression& e = make(expression_kind::unwrap, name.offset, target->begin);
        e.name = name.text;
        e.flat = name.text == "optFlatMap";
        e.local = simple_name(arguments[0]);
        add(e, target);
        add(e, arguments[1]);
        return &e;
    }

    expression* has(const token& name, const std::vector<expression*>& arguments)
    {
        if (arguments.size() != 1 || arguments[0]->kind != expression_kind::select || arguments[0]->test)
            fail(arguments.empty() ? name.offset : arguments[0]->begin, "has() takes one field: has(a.b)");
        arguments[0]->test = true;
        arguments[0]->begin = name.offset;
        return arguments[0];
    }

    // --- primaries --------------------------------------------------------------------------------------------------

    expression* parse_primary()
    {
        const token& t = take();
        switch (t.kind) {
        case token_kind::end: fail(t.offset, "expected an expression before the end");
        case token_kind::integer:
        case token_kind::natural:
        case token_kind::real: --at_; return parse_number(nullptr);
        case token_kind::string: return constant(t, value::of(t.text));
        case token_kind::bytes: return constant(t, value::of_bytes(t.text));
        case token_kind::identifier: return parse_name(t, false);
        case token_kind::quoted_identifier: fail(t.offset, "a quoted name stands behind a dot only");
        case token_kind::keyword:
            if (t.text == "true") return constant(t, value::of(true));
            if (t.text == "false") return constant(t, value::of(false));
            if (t.text == "null") return constant(t, value());
            break;
        case token_kind::symbol:
            if (t.text == "(") return parse_parentheses(t);
            if (t.text == "[") return parse_list(t);
            if (t.text == "{") return parse_map(t);
            if (t.text == "." && look().kind == token_kind::identifier) return parse_name(take(), true);
            break;
        }
        fail(t.offset, "expected an expression before '" + shown(t) + "'");
    }

    expression* parse_parentheses(const token& open)
    {
        expression* e = parse_expression();
        expect(")");
        e->begin = open.offset;
        return e;
    }

    expression* parse_name(const token& name, bool absolute)
    {
        if (std::ranges::find(reserved, name.text) != reserved.end())
            fail(name.offset, "'" + std::string(name.text) + "' is a reserved word");
        const std::size_t begin = absolute ? name.offset - 1 : name.offset;
        if (accept("(")) {
            const std::vector<expression*> arguments = parse_arguments(")");
            if (name.text == "has" && !absolute) return has(name, arguments);
            expression& e = make(expression_kind::call, name.offset, begin);
            e.name = name.text;
            e.absolute = absolute;
            for (expression* argument : arguments) add(e, argument);
            return &e;
        }
        expression& e = make(expression_kind::identifier, name.offset, begin);
        e.name = name.text;
        e.absolute = absolute;
        return &e;
    }

    expression* parse_list(const token& open)
    {
        expression& e = make(expression_kind::list, open.offset, open.offset);
        std::vector<bool> optional;
        while (!look().is("]")) {
            optional.push_back(accept("?"));
            add(e, parse_expression());
            if (!accept(",")) break;
        }
        expect("]");
        if (std::ranges::find(optional, true) != optional.end()) e.optional_arguments = std::move(optional);
        return &e;
    }

    expression* parse_map(const token& open)
    {
        expression& e = make(expression_kind::map, open.offset, open.offset);
        std::vector<bool> optional;
        while (!look().is("}")) {
            optional.push_back(accept("?"));
            optional.push_back(optional.back());
            add(e, parse_expression());
            expect(":");
            add(e, parse_expression());
            if (!accept(",")) break;
        }
        expect("}");
        if (std::ranges::find(optional, true) != optional.end()) e.optional_arguments = std::move(optional);
        return &e;
    }

    static bool names_a_type(const expression& e)
    {
        if (e.kind == expression_kind::identifier) return true;
        return e.kind == expression_kind::select && !e.test && !e.optional && names_a_type(*e.arguments[0]);
    }

    expression* parse_construction(expression* type)
    {
        take();
        expression& e = make(expression_kind::construct, type->begin, type->begin);
        e.name = type->name;
        while (!look().is("}")) {
            accept("?");
            const token& name = take();
            if (name.kind != token_kind::identifier && name.kind != token_kind::quoted_identifier)
                fail(name.offset, "expected the name of a field");
            expect(":");
            add(e, parse_expression());
            if (!accept(",")) break;
        }
        expect("}");
        return &e;
    }

    // --- numbers ----------------------------------------------------------------------------------------------------

    expression* parse_number(const token* sign)
    {
        const token& t = take();
        const std::size_t offset = sign ? sign->offset : t.offset;
        expression& e = make(expression_kind::constant, offset, offset);
        if (t.kind == token_kind::real) {
            // strtod, not from_chars: what is too small becomes 0, what is too large infinite, as in CEL.
            const double magnitude = std::strtod(std::string(t.text).c_str(), nullptr);
            e.constant = value::of(sign ? -magnitude : magnitude);
            return &e;
        }
        const bool hex = t.text.starts_with("0x") || t.text.starts_with("0X");
        const std::string_view digits = hex ? t.text.substr(2) : t.text;
        std::uint64_t magnitude = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), magnitude, hex ? 16 : 10);
        constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
        const std::uint64_t limit = t.kind == token_kind::natural ? std::numeric_limits<std::uint64_t>::max() : largest + (sign ? 1 : 0);
        if (error != std::errc{} || end != digits.data() + digits.size() || magnitude > limit) fail(t.offset, "a number out of range");
        if (t.kind == token_kind::natural)
            e.constant = value::of(magnitude);
        else
            e.constant = value::of(static_cast<std::int64_t>(sign ? 0 - magnitude : magnitude));
        return &e;
    }

    syntax_tree& tree_;
    const std::vector<token>& tokens_;
    std::size_t at_ = 0;
    unsigned nesting_ = 0;
};

}  // namespace

std::optional<syntax_tree> parse(std::string_view source, mistake& wrong)
{
    if (source.size() > longest_source) {
        wrong = {longest_source, "an expression is longer than 64 KiB"};
        return std::nullopt;
    }
    syntax_tree tree;
    const std::string_view text = tree.texts.emplace_back(source);
    const auto tokens = scan(text, tree.texts, wrong);
    if (!tokens) return std::nullopt;
    try {
        tree.root = parser(tree, *tokens).run();
    } catch (refused& r) {
        wrong = std::move(r.why);
        return std::nullopt;
    }
    return tree;
}

}  // namespace sallyport::policy::cel
