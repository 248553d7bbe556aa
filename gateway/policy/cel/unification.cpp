#include "gateway/policy/cel/unification.hpp"

namespace sallyport::policy::cel {
namespace {

bool same_shape(const type& x, const type& y) noexcept { return x.kind == y.kind && (x.kind != type_kind::object || x.fields == y.fields); }

bool is_number(type_kind k) noexcept
{
    return k == type_kind::integer || k == type_kind::natural || k == type_kind::real || k == type_kind::number;
}

bool nullable(const type& t) noexcept { return t.kind == type_kind::object && t.fields->nullable; }

}  // namespace

const type* unification::fresh()
{
    bound_.push_back(nullptr);
    return table_.parameter(bound_.size() - 1);
}

void unification::bind(std::size_t parameter, const type* to)
{
    changes_.push_back({parameter, bound_[parameter]});
    bound_[parameter] = to;
}

void unification::undo(mark m)
{
    for (; changes_.size() > m.changes; changes_.pop_back()) bound_[changes_.back().parameter] = changes_.back().before;
    bound_.resize(m.parameters);
}

const type* unification::instantiate(const type* t, const type* a, const type* b)
{
    if (!t) return nullptr;
    if (t->kind == type_kind::parameter) return t->parameter == 0 ? a : b;
    if (!t->first) return t;
    const type* first = instantiate(t->first, a, b);
    const type* second = instantiate(t->second, a, b);
    if (first == t->first && second == t->second) return t;
    if (t->kind == type_kind::list) return table_.list(first);
    if (t->kind == type_kind::map) return table_.map(first, second);
    if (t->kind == type_kind::optional) return table_.optional(first);
    return table_.type_of(first);
}

const type* unification::resolve(const type* t) const
{
    while (t->kind == type_kind::parameter && bound_[t->parameter]) t = bound_[t->parameter];
    return t;
}

bool unification::occurs(std::size_t parameter, const type* t) const
{
    t = resolve(t);
    if (t->kind == type_kind::parameter) return t->parameter == parameter;
    return (t->first && occurs(parameter, t->first)) || (t->second && occurs(parameter, t->second));
}

bool unification::fit(const type* wanted, const type* actual)
{
    // A parameter that is bound already becomes more general where it has to: `b ? 1 : dyn(x)` is dyn.
    const type* w = resolve(wanted);
    const type* a = resolve(actual);
    if (w == a) return true;
    if (w->kind == type_kind::parameter || a->kind == type_kind::parameter) {
        const type* open = w->kind == type_kind::parameter ? w : a;
        const type* other = open == w ? a : w;
        if (occurs(open->parameter, other)) return false;
        bind(open->parameter, other);
        return true;
    }
    bool fits = false;
    if (w->kind == type_kind::dyn || a->kind == type_kind::dyn) {
        fits = true;
    } else if (w->kind == type_kind::number) {
        fits = is_number(a->kind);
    } else if (w->kind == type_kind::null || a->kind == type_kind::null) {
        fits = w->kind == a->kind || nullable(*w) || nullable(*a);
    } else if (same_shape(*w, *a)) {
        fits = w->kind == type_kind::type || ((!w->first || fit(w->first, a->first)) && (!w->second || fit(w->second, a->second)));
    }
    if (fits && wanted->kind == type_kind::parameter) {
        // Rebind the last parameter of the chain.
        const type* last = wanted;
        while (bound_[last->parameter]->kind == type_kind::parameter) last = bound_[last->parameter];
        const type* general = more_general(w, a);
        if (!occurs(last->parameter, general)) bind(last->parameter, general);
    }
    return fits;
}

// Of two types that fit each other.
const type* unification::more_general(const type* x, const type* y)
{
    x = resolve(x);
    y = resolve(y);
    if (x == y) return x;
    if (x->kind == type_kind::dyn || y->kind == type_kind::dyn) return &types::dyn;
    if (x->kind == type_kind::parameter) return y;
    if (y->kind == type_kind::parameter) return x;
    if (x->kind == type_kind::null) return y;
    if (x->kind != y->kind || !x->first || x->kind == type_kind::type) return x;
    const type* first = more_general(x->first, y->first);
    if (x->kind == type_kind::list) return table_.list(first);
    if (x->kind == type_kind::optional) return table_.optional(first);
    return table_.map(first, more_general(x->second, y->second));
}

const type* unification::join(const type* x, const type* y)
{
    const mark before = here();
    if (fit(x, y)) return more_general(x, y);
    undo(before);
    return &types::dyn;
}

const type* unification::settle(const type* t)
{
    t = resolve(t);
    if (t->kind == type_kind::parameter) return &types::dyn;
    if (!t->first) return t;
    if (t->kind == type_kind::list) return table_.list(settle(t->first));
    if (t->kind == type_kind::optional) return table_.optional(settle(t->first));
    if (t->kind == type_kind::type) return table_.type_of(settle(t->first));
    return table_.map(settle(t->first), settle(t->second));
}

}  // namespace sallyport::policy::cel
