// Running a program: a walk over its operations. Errors are values; only `&&`, `||`, `?:` and the macros built on them
// look past one (cel-spec, langdef.md "Logical Operators", "Macros"). Depth is bounded by the parser, work by the
// workspace: what is outside loops runs once, and every round of a loop is paid for.
#include "gateway/policy/cel/program.hpp"

#include <array>
#include <cmath>

namespace sallyport::policy::cel {
namespace {

constexpr std::size_t few = 8;  // arguments kept on the stack

value no_overload() noexcept { return value::error("no such overload"); }

// An element's number, given as any number that is whole.
bool element_number(const value& index, std::size_t& out) noexcept
{
    constexpr auto none = static_cast<std::size_t>(-1);
    if (index.is(kind::integer)) {
        out = index.integer() < 0 ? none : static_cast<std::size_t>(index.integer());
        return true;
    }
    if (index.is(kind::natural)) {
        out = static_cast<std::size_t>(index.natural());
        return true;
    }
    if (index.is(kind::real) && std::trunc(index.real()) == index.real()) {
        out = index.real() >= 0 && index.real() < 4e9 ? static_cast<std::size_t>(index.real()) : none;
        return true;
    }
    return false;
}

std::string key_text(const value& key)
{
    if (key.is(kind::string)) return std::string(key.text().substr(0, 64));
    if (key.is(kind::integer)) return std::to_string(key.integer());
    if (key.is(kind::natural)) return std::to_string(key.natural());
    return std::string(type_name(key));
}

class evaluator {
public:
    evaluator(const std::vector<node>& nodes, activation& facts, workspace& work, value* locals)
        : nodes_(nodes.data()),
          facts_(facts),
          work_(work),
          locals_(locals)
    {
    }

    value run(const node& n)
    {
        switch (n.op) {
        case operation::constant:
        case operation::failure: return n.constant;
        case operation::variable: return facts_.load(n.slot, work_);
        case operation::local: return locals_[n.slot];
        case operation::select: return select(run(operand(n, 0)), n.constant);
        case operation::member: return found(facts_.load_member(n.slot, n.constant.text(), work_), n.constant);
        case operation::has: return has(run(operand(n, 0)), n.constant);
        case operation::has_member: return present(facts_.load_member(n.slot, n.constant.text(), work_));
        case operation::index: return index(run(operand(n, 0)), n);
        case operation::index_optional: return index_optional(n);
        case operation::select_optional: return optionally(run(operand(n, 0)), n.constant);
        case operation::and_: return logical(n, false);
        case operation::or_: return logical(n, true);
        case operation::not_: return negation(run(operand(n, 0)));
        case operation::conditional: return conditional(n);
        case operation::equal: return equality(n, true);
        case operation::not_equal: return equality(n, false);
        case operation::less:
        case operation::less_or_equal:
        case operation::greater:
        case operation::greater_or_equal: return comparison(n);
        case operation::in: return in(n);
        case operation::or_value:
        case operation::or_optional: return alternative(n);
        case operation::call: return call(n);
        case operation::list: return list(n);
        case operation::map: return map(n);
        case operation::fold_predicate: return fold_predicate(n);
        case operation::fold_list: return fold_list(n);
        case operation::fold_map: return fold_map(n);
        case operation::unwrap: return unwrap(n);
        case operation::bind: return bind(n);
        }
        return no_overload();
    }

private:
    const node& operand(const node& n, std::uint32_t i) const noexcept { return nodes_[n.first + i]; }

    // --- fields and elements ----------------------------------------------------------------------------------------

    /// Says which key was missing.
    value found(const value& v, const value& key)
    {
        return v.failed() && v.text().empty() ? work_.fail("no such key: ", key_text(key)) : v;
    }

    /// Whether a lookup found something; an error that has a message is one.
    static value present(const value& v) noexcept
    {
        if (!v.failed()) return value::of(true);
        return v.text().empty() ? value::of(false) : v;
    }

    value field(const value& object, std::string_view name)
    {
        const auto* f = object.fields().find(name);
        return f ? facts_.load(f->slot, work_) : value::error({});
    }

    /// Under that name; an error without message when there is nothing.
    value lookup(const value& v, const value& name)
    {
        if (v.is_map()) return map_find(v, name.text(), work_);
        if (v.is(kind::object)) return field(v, name.text());
        return v.failed() ? v : work_.fail("no fields in a value of type ", type_name(v));
    }

    value select(const value& v, const value& name)
    {
        if (v.is(kind::optional)) return optionally(v, name);
        return found(lookup(v, name), name);
    }

    value has(const value& v, const value& name)
    {
        if (!v.is(kind::optional)) return present(lookup(v, name));
        if (!v.content()) return value::of(false);
        return has(*v.content(), name);
    }

    value some(const value& content)
    {
        const auto copy = work_.make<value>(1);
        copy[0] = content;
        return value::of_optional(copy.data());
    }

    /// A lookup's answer as an optional value.
    value maybe(const value& v)
    {
        if (!v.failed()) return some(v);
        return v.text().empty() ? value::of_optional(nullptr) : v;
    }

    value optionally(const value& v, const value& name)
    {
        if (!v.is(kind::optional)) return maybe(lookup(v, name));
        if (!v.content()) return v;
        return maybe(lookup(*v.content(), name));
    }

    value element(const value& v, const value& key)
    {
        if (v.is_map()) return map_find(v, key, work_);
        if (!v.is_list()) return v.failed() ? v : no_overload();
        std::size_t number = 0;
        if (!element_number(key, number)) return value::error("a list is indexed by whole numbers");
        if (number >= list_size(v)) return value::error({});
        return list_at(v, number);
    }

    value index(const value& v, const node& n)
    {
        if (v.failed()) return v;
        const value key = run(operand(n, 1));
        if (key.failed()) return key;
        if (v.is(kind::optional)) return v.content() ? maybe(element(*v.content(), key)) : v;
        const value content = element(v, key);
        if (!content.failed() || !content.text().empty()) return content;
        return v.is_list() ? work_.fail("index out of range: ", key_text(key)) : found(content, key);
    }

    value index_optional(const node& n)
    {
        const value v = run(operand(n, 0));
        if (v.failed()) return v;
        const value key = run(operand(n, 1));
        if (key.failed()) return key;
        if (v.is(kind::optional)) return v.content() ? maybe(element(*v.content(), key)) : v;
        return maybe(element(v, key));
    }

    // --- logic ------------------------------------------------------------------------------------------------------

    /// `decides` ends it, wherever it stands; else an error anywhere is the answer.
    value logical(const node& n, bool decides)
    {
        value failure = value::of(!decides);
        for (std::uint32_t i = 0; i < n.count; ++i) {
            const value v = run(operand(n, i));
            if (v.is(kind::boolean)) {
                if (v.boolean() == decides) return v;
            } else if (!failure.failed()) {
                failure = v.failed() ? v : no_overload();
            }
        }
        return failure;
    }

    static value negation(const value& v) noexcept
    {
        if (v.is(kind::boolean)) return value::of(!v.boolean());
        return v.failed() ? v : no_overload();
    }

    value conditional(const node& n)
    {
        const value condition = run(operand(n, 0));
        if (condition.is(kind::boolean)) return run(operand(n, condition.boolean() ? 1 : 2));
        return condition.failed() ? condition : no_overload();
    }

    // --- comparing --------------------------------------------------------------------------------------------------

    value equality(const node& n, bool wanted)
    {
        const value a = run(operand(n, 0));
        if (a.failed()) return a;
        const value b = run(operand(n, 1));
        if (b.failed()) return b;
        const value same = equals(a, b, work_);
        return same.failed() ? same : value::of(same.boolean() == wanted);
    }

    value comparison(const node& n)
    {
        const value a = run(operand(n, 0));
        if (a.failed()) return a;
        const value b = run(operand(n, 1));
        if (b.failed()) return b;
        const order o = compare(a, b);
        if (o == order::none) return no_overload();
        if (o == order::unordered) return value::of(false);
        if (n.op == operation::less) return value::of(o == order::less);
        if (n.op == operation::less_or_equal) return value::of(o != order::greater);
        if (n.op == operation::greater) return value::of(o == order::greater);
        return value::of(o != order::less);
    }

    value in(const node& n)
    {
        const value wanted = run(operand(n, 0));
        if (wanted.failed()) return wanted;
        const node& among = operand(n, 1);
        // `x in ["a", "b"]`: the list need not be made.
        if (among.op == operation::list && among.optional.empty() && only_constants(among)) {
            for (std::uint32_t i = 0; i < among.count; ++i) {
                const value same = equals(wanted, operand(among, i).constant, work_);
                if (!same.is_false()) return same;
            }
            return value::of(false);
        }
        const value set = run(among);
        if (set.is_map()) return present(map_find(set, wanted, work_));
        if (!set.is_list()) return set.failed() ? set : no_overload();
        const std::size_t size = list_size(set);
        if (!work_.spend(size)) return workspace::exhausted();
        for (std::size_t i = 0; i < size; ++i) {
            const value same = equals(wanted, list_at(set, i), work_);
            if (!same.is_false()) return same;
        }
        return value::of(false);
    }

    bool only_constants(const node& n) const noexcept
    {
        for (std::uint32_t i = 0; i < n.count; ++i)
            if (operand(n, i).op != operation::constant) return false;
        return true;
    }

    // --- functions --------------------------------------------------------------------------------------------------

    value call(const node& n)
    {
        std::array<value, few> near;
        const std::span<value> arguments = n.count <= few ? std::span<value>(near).first(n.count) : work_.make<value>(n.count);
        for (std::uint32_t i = 0; i < n.count; ++i) {
            arguments[i] = run(operand(n, i));
            if (arguments[i].failed()) return arguments[i];
        }
        for (const overload& o : n.overloads)
            if (o.run && takes(o, arguments.size(), n.method) && accepts(o, arguments)) return o.run(work_, arguments, n.ready);
        return no_overload();
    }

    value alternative(const node& n)
    {
        const value first = run(operand(n, 0));
        if (!first.is(kind::optional)) return first.failed() ? first : no_overload();
        if (first.content()) return n.op == operation::or_value ? *first.content() : first;
        const value second = run(operand(n, 1));
        if (n.op == operation::or_optional && !second.is(kind::optional) && !second.failed()) return no_overload();
        return second;
    }

    // --- lists and maps ---------------------------------------------------------------------------------------------

    /// False when the optional element is not there; an error ends the whole.
    bool element_of(const node& n, std::uint32_t i, value& v)
    {
        v = run(operand(n, i));
        if (n.optional.empty() || n.optional[i] == 0 || v.failed()) return true;
        if (!v.is(kind::optional)) {
            v = no_overload();
            return true;
        }
        if (!v.content()) return false;
        v = *v.content();
        return true;
    }

    value list(const node& n)
    {
        const auto items = work_.make<value>(n.count);
        std::size_t size = 0;
        for (std::uint32_t i = 0; i < n.count; ++i) {
            value v;
            if (!element_of(n, i, v)) continue;
            if (v.failed()) return v;
            items[size++] = v;
        }
        return value::of_list(items.first(size));
    }

    value map(const node& n)
    {
        const auto entries = work_.make<map_entry>(n.count / 2);
        std::size_t size = 0;
        for (std::uint32_t i = 0; i + 1 < n.count; i += 2) {
            const value key = run(operand(n, i));
            if (key.failed()) return key;
            value content;
            if (!element_of(n, i + 1, content)) continue;
            if (content.failed()) return content;
            entries[size++] = {key, content};
        }
        return make_map(entries.first(size), work_);
    }

    // --- macros -----------------------------------------------------------------------------------------------------

    /// A range, and its rounds: the variables are set before each.
    struct rounds {
        value range;
        std::size_t count = 0;
    };

    bool open(const node& n, rounds& r)
    {
        r.range = run(operand(n, 0));
        if (r.range.is_list())
            r.count = list_size(r.range);
        else if (r.range.is_map())
            r.count = map_size(r.range);
        else if (!r.range.failed())
            r.range = no_overload();
        return !r.range.failed();
    }

    bool set_round(const node& n, const rounds& r, std::size_t i)
    {
        if (!work_.spend(1 + n.work)) return false;
        const bool list = r.range.is_list();
        if (n.flag) {
            locals_[n.slot] = list ? value::of(static_cast<std::int64_t>(i)) : map_key(r.range, i);
            locals_[n.slot + 1] = list ? list_at(r.range, i) : map_content(r.range, i);
        } else {
            locals_[n.slot] = list ? list_at(r.range, i) : map_key(r.range, i);
        }
        return true;
    }

    value fold_predicate(const node& n)
    {
        rounds r;
        if (!open(n, r)) return r.range;
        const node& predicate = operand(n, 1);
        value failure;
        std::size_t hits = 0;
        for (std::size_t i = 0; i < r.count; ++i) {
            if (!set_round(n, r, i)) return workspace::exhausted();
            value v = run(predicate);
            if (!v.is(kind::boolean) && !v.failed()) v = no_overload();
            if (v.failed()) {
                // exists_one() looks past nothing (langdef.md "Macros").
                if (n.fold == fold_kind::exists_one) return v;
                if (!failure.failed()) failure = v;
                continue;
            }
            if (n.fold == fold_kind::all && !v.boolean()) return v;
            if (n.fold == fold_kind::exists && v.boolean()) return v;
            if (v.boolean()) ++hits;
        }
        if (failure.failed()) return failure;
        if (n.fold == fold_kind::exists_one) return value::of(hits == 1);
        return value::of(n.fold == fold_kind::all);
    }

    /// Whether this round's element passes the filter; an error is in `v`.
    bool passes(const node& n, value& v)
    {
        if (n.count < 3) return true;
        v = run(operand(n, 2));
        if (!v.is(kind::boolean) && !v.failed()) v = no_overload();
        return v.is_true();
    }

    value fold_list(const node& n)
    {
        rounds r;
        if (!open(n, r)) return r.range;
        // Memory of the whole range is taken at once; it is paid for before.
        if (!work_.spend(r.count)) return workspace::exhausted();
        const auto items = work_.make<value>(r.count);
        std::size_t size = 0;
        for (std::size_t i = 0; i < r.count; ++i) {
            if (!set_round(n, r, i)) return workspace::exhausted();
            value v;
            if (!passes(n, v)) {
                if (v.failed()) return v;
                continue;
            }
            v = run(operand(n, 1));
            if (v.failed()) return v;
            items[size++] = v;
        }
        return value::of_list(items.first(size));
    }

    value fold_map(const node& n)
    {
        rounds r;
        if (!open(n, r)) return r.range;
        if (!work_.spend(2 * r.count)) return workspace::exhausted();
        const auto entries = work_.make<map_entry>(r.count);
        std::size_t size = 0;
        for (std::size_t i = 0; i < r.count; ++i) {
            if (!set_round(n, r, i)) return workspace::exhausted();
            value v;
            if (!passes(n, v)) {
                if (v.failed()) return v;
                continue;
            }
            const value key = locals_[n.slot];
            v = run(operand(n, 1));
            if (v.failed()) return v;
            if (n.fold == fold_kind::map_entries) {
                if (!v.is_map() || map_size(v) != 1) return value::error("transformMapEntry takes maps of one entry");
                entries[size++] = {map_key(v, 0), map_content(v, 0)};
            } else {
                entries[size++] = {key, v};
            }
        }
        return make_map(entries.first(size), work_);
    }

    value unwrap(const node& n)
    {
        const value v = run(operand(n, 0));
        if (!v.is(kind::optional)) return v.failed() ? v : no_overload();
        if (!v.content()) return v;
        locals_[n.slot] = *v.content();
        const value result = run(operand(n, 1));
        if (result.failed()) return result;
        if (n.flag) return some(result);
        return result.is(kind::optional) ? result : no_overload();
    }

    value bind(const node& n)
    {
        const value v = run(operand(n, 0));
        if (v.failed()) return v;
        locals_[n.slot] = v;
        return run(operand(n, 1));
    }

    const node* nodes_;
    activation& facts_;
    workspace& work_;
    value* locals_;
};

}  // namespace

value program::run(activation& facts, workspace& work) const
{
    if (nodes_.empty()) return value::error("no expression");
    value* locals = locals_ == 0 ? nullptr : work.make<value>(locals_).data();
    return evaluator(nodes_, facts, work, locals).run(nodes_.front());
}

}  // namespace sallyport::policy::cel
