// The library of mathematics, as cel-spec's conformance suite has it (math_ext).
#include "gateway/policy/cel/functions.hpp"

#include <cmath>
#include <limits>

namespace sallyport::policy::cel {
namespace {

using arguments = std::span<const value>;

template <order Wanted>
value extreme(arguments items)
{
    value best = items[0];
    for (const value& item : items) {
        if (!item.is_number()) return value::error("no such overload");
        if (compare(item, best) == Wanted) best = item;
    }
    return best;
}
template <order Wanted>
value extreme_of_arguments(workspace&, arguments a, const prepared*)
{
    return extreme<Wanted>(a);
}
template <order Wanted>
value extreme_of_list(workspace& work, arguments a, const prepared*)
{
    const std::size_t size = list_size(a[0]);
    if (size == 0) return value::error("an empty list has no least and no greatest");
    if (!work.spend(size)) return workspace::exhausted();
    value best = list_at(a[0], 0);
    for (std::size_t i = 0; i < size; ++i) {
        const std::array<value, 2> two{best, list_at(a[0], i)};
        best = extreme<Wanted>(two);
        if (best.failed()) return best;
    }
    return best;
}

template <double (*Function)(double)>
value rounded(workspace&, arguments a, const prepared*)
{
    return value::of(Function(a[0].real()));
}
double ceiling(double d) { return std::ceil(d); }
double flooring(double d) { return std::floor(d); }
double rounding(double d) { return std::round(d); }
double truncation(double d) { return std::trunc(d); }
double root(double d) { return std::sqrt(d); }

value root_of_int(workspace&, arguments a, const prepared*) { return value::of(std::sqrt(static_cast<double>(a[0].integer()))); }
value root_of_uint(workspace&, arguments a, const prepared*) { return value::of(std::sqrt(static_cast<double>(a[0].natural()))); }

value absolute_int(workspace&, arguments a, const prepared*)
{
    if (a[0].integer() == std::numeric_limits<std::int64_t>::min()) return value::error("integer overflow");
    return value::of(a[0].integer() < 0 ? -a[0].integer() : a[0].integer());
}
value absolute_double(workspace&, arguments a, const prepared*) { return value::of(std::fabs(a[0].real())); }
value itself(workspace&, arguments a, const prepared*) { return a[0]; }

value sign_int(workspace&, arguments a, const prepared*)
{
    const std::int64_t n = a[0].integer();
    return value::of(static_cast<std::int64_t>((n > 0) - (n < 0)));
}
value sign_uint(workspace&, arguments a, const prepared*) { return value::of(std::uint64_t{a[0].natural() > 0 ? 1U : 0U}); }
value sign_double(workspace&, arguments a, const prepared*)
{
    const double d = a[0].real();
    return value::of(std::isnan(d) ? d : static_cast<double>((d > 0) - (d < 0)));
}

value is_nan(workspace&, arguments a, const prepared*) { return value::of(std::isnan(a[0].real())); }
value is_infinite(workspace&, arguments a, const prepared*) { return value::of(std::isinf(a[0].real())); }
value is_finite(workspace&, arguments a, const prepared*) { return value::of(std::isfinite(a[0].real())); }

// Bits of an int are those of its two's complement.
std::uint64_t bits(const value& v) noexcept { return v.natural(); }
value with_bits(const value& like, std::uint64_t b) noexcept
{
    return like.is(kind::natural) ? value::of(b) : value::of(static_cast<std::int64_t>(b));
}
value bit_and(workspace&, arguments a, const prepared*) { return with_bits(a[0], bits(a[0]) & bits(a[1])); }
value bit_or(workspace&, arguments a, const prepared*) { return with_bits(a[0], bits(a[0]) | bits(a[1])); }
value bit_xor(workspace&, arguments a, const prepared*) { return with_bits(a[0], bits(a[0]) ^ bits(a[1])); }
value bit_not(workspace&, arguments a, const prepared*) { return with_bits(a[0], ~bits(a[0])); }
value shift_left(workspace&, arguments a, const prepared*)
{
    if (a[1].integer() < 0) return value::error("negative offset");
    return with_bits(a[0], a[1].integer() > 63 ? 0 : bits(a[0]) << a[1].integer());
}
value shift_right(workspace&, arguments a, const prepared*)
{
    // A logical shift: the sign does not come along (math_ext, "bit_shift_right_int_negative").
    if (a[1].integer() < 0) return value::error("negative offset");
    return with_bits(a[0], a[1].integer() > 63 ? 0 : bits(a[0]) >> a[1].integer());
}

using namespace types;
constexpr auto numbers = takes_of<number>;
constexpr auto list = takes_of<list_of_number>;
constexpr auto one_int = takes_of<integer>;
constexpr auto one_uint = takes_of<natural>;
constexpr auto one_double = takes_of<real>;
constexpr auto ints = takes_of<integer, integer>;
constexpr auto uints = takes_of<natural, natural>;
constexpr auto uint_int = takes_of<natural, integer>;

constexpr auto all_math = std::to_array<overload>({
    {"math.greatest", false, list, &dyn, extreme_of_list<order::greater>},
    {"math.greatest", false, numbers, &dyn, extreme_of_arguments<order::greater>, preparation::none, true},
    {"math.least", false, list, &dyn, extreme_of_list<order::less>},
    {"math.least", false, numbers, &dyn, extreme_of_arguments<order::less>, preparation::none, true},
    {"math.ceil", false, one_double, &real, rounded<ceiling>},
    {"math.floor", false, one_double, &real, rounded<flooring>},
    {"math.round", false, one_double, &real, rounded<rounding>},
    {"math.trunc", false, one_double, &real, rounded<truncation>},
    {"math.sqrt", false, one_double, &real, rounded<root>},
    {"math.sqrt", false, one_int, &real, root_of_int},
    {"math.sqrt", false, one_uint, &real, root_of_uint},
    {"math.abs", false, one_int, &integer, absolute_int},
    {"math.abs", false, one_uint, &natural, itself},
    {"math.abs", false, one_double, &real, absolute_double},
    {"math.sign", false, one_int, &integer, sign_int},
    {"math.sign", false, one_uint, &natural, sign_uint},
    {"math.sign", false, one_double, &real, sign_double},
    {"math.isNaN", false, one_double, &boolean, is_nan},
    {"math.isInf", false, one_double, &boolean, is_infinite},
    {"math.isFinite", false, one_double, &boolean, is_finite},
    {"math.bitAnd", false, ints, &integer, bit_and},
    {"math.bitAnd", false, uints, &natural, bit_and},
    {"math.bitOr", false, ints, &integer, bit_or},
    {"math.bitOr", false, uints, &natural, bit_or},
    {"math.bitXor", false, ints, &integer, bit_xor},
    {"math.bitXor", false, uints, &natural, bit_xor},
    {"math.bitNot", false, one_int, &integer, bit_not},
    {"math.bitNot", false, one_uint, &natural, bit_not},
    {"math.bitShiftLeft", false, ints, &integer, shift_left},
    {"math.bitShiftLeft", false, uint_int, &natural, shift_left},
    {"math.bitShiftRight", false, ints, &integer, shift_right},
    {"math.bitShiftRight", false, uint_int, &natural, shift_right},
});

}  // namespace

std::span<const overload> math_overloads() noexcept { return all_math; }

}  // namespace sallyport::policy::cel
