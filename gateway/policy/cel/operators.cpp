// Arithmetic and the signatures of every operator. Those without a function behind them are the evaluator's own.
#include "gateway/policy/cel/functions.hpp"

#include <algorithm>
#include <limits>

namespace sallyport::policy::cel {
namespace {

using arguments = std::span<const value>;

value overflow() noexcept { return value::error("integer overflow"); }

template <class T>
T whole(const value& v) noexcept
{
    if constexpr (std::is_signed_v<T>)
        return v.integer();
    else
        return v.natural();
}

template <class T>
value add_whole(workspace&, arguments a, const prepared*)
{
    T sum = 0;
    return __builtin_add_overflow(whole<T>(a[0]), whole<T>(a[1]), &sum) ? overflow() : value::of(sum);
}
template <class T>
value subtract_whole(workspace&, arguments a, const prepared*)
{
    T difference = 0;
    return __builtin_sub_overflow(whole<T>(a[0]), whole<T>(a[1]), &difference) ? overflow() : value::of(difference);
}
template <class T>
value multiply_whole(workspace&, arguments a, const prepared*)
{
    T product = 0;
    return __builtin_mul_overflow(whole<T>(a[0]), whole<T>(a[1]), &product) ? overflow() : value::of(product);
}
template <class T>
value divide_whole(workspace&, arguments a, const prepared*)
{
    const T over = whole<T>(a[0]), by = whole<T>(a[1]);
    if (by == 0) return value::error("divide by zero");
    if constexpr (std::is_signed_v<T>)
        if (by == -1 && over == std::numeric_limits<T>::min()) return overflow();
    return value::of(static_cast<T>(over / by));
}
template <class T>
value modulus_whole(workspace&, arguments a, const prepared*)
{
    const T over = whole<T>(a[0]), by = whole<T>(a[1]);
    if (by == 0) return value::error("modulus by zero");
    if constexpr (std::is_signed_v<T>)
        if (by == -1) return over == std::numeric_limits<T>::min() ? overflow() : value::of(T{0});
    return value::of(static_cast<T>(over % by));
}

value add_real(workspace&, arguments a, const prepared*) { return value::of(a[0].real() + a[1].real()); }
value subtract_real(workspace&, arguments a, const prepared*) { return value::of(a[0].real() - a[1].real()); }
value multiply_real(workspace&, arguments a, const prepared*) { return value::of(a[0].real() * a[1].real()); }
value divide_real(workspace&, arguments a, const prepared*) { return value::of(a[0].real() / a[1].real()); }  // IEEE 754: by 0 too
value negate_real(workspace&, arguments a, const prepared*) { return value::of(-a[0].real()); }
value negate_integer(workspace&, arguments a, const prepared*)
{
    if (a[0].integer() == std::numeric_limits<std::int64_t>::min()) return overflow();
    return value::of(-a[0].integer());
}

value joined(workspace& work, const value& a, const value& b, std::string_view& out)
{
    if (!work.spend(text_work(a.text().size() + b.text().size()))) return workspace::exhausted();
    out = work.keep(a.text(), b.text());
    return value::of(true);
}
value add_strings(workspace& work, arguments a, const prepared*)
{
    std::string_view both;
    const value done = joined(work, a[0], a[1], both);
    return done.failed() ? done : value::of(both);
}
value add_bytes(workspace& work, arguments a, const prepared*)
{
    std::string_view both;
    const value done = joined(work, a[0], a[1], both);
    return done.failed() ? done : value::of_bytes(both);
}
value add_lists(workspace& work, arguments a, const prepared*)
{
    const std::size_t first = list_size(a[0]), second = list_size(a[1]);
    if (!work.spend(1 + first + second)) return workspace::exhausted();
    const auto items = work.make<value>(first + second);
    for (std::size_t i = 0; i < first; ++i) items[i] = list_at(a[0], i);
    for (std::size_t i = 0; i < second; ++i) items[first + i] = list_at(a[1], i);
    return value::of_list(items);
}

// Timestamps and durations: langdef.md "Overflow".
value moved(const value& at, std::int64_t nanoseconds)
{
    constexpr std::int64_t second = 1'000'000'000;
    std::int64_t seconds = nanoseconds / second, rest = nanoseconds % second + at.nanoseconds();
    if (rest < 0) {
        rest += second;
        --seconds;
    } else if (rest >= second) {
        rest -= second;
        ++seconds;
    }
    return value::of_timestamp(at.seconds() + seconds, static_cast<std::uint32_t>(rest));
}
value add_timestamp_duration(workspace&, arguments a, const prepared*) { return moved(a[0], a[1].duration()); }
value add_duration_timestamp(workspace&, arguments a, const prepared*) { return moved(a[1], a[0].duration()); }
value subtract_timestamp_duration(workspace&, arguments a, const prepared*)
{
    if (a[1].duration() == std::numeric_limits<std::int64_t>::min()) return value::error("duration out of range");
    return moved(a[0], -a[1].duration());
}
value subtract_timestamps(workspace&, arguments a, const prepared*)
{
    std::int64_t nanoseconds = 0;
    const std::int64_t seconds = a[0].seconds() - a[1].seconds();
    const std::int64_t rest = static_cast<std::int64_t>(a[0].nanoseconds()) - static_cast<std::int64_t>(a[1].nanoseconds());
    if (__builtin_mul_overflow(seconds, std::int64_t{1'000'000'000}, &nanoseconds) ||
        __builtin_add_overflow(nanoseconds, rest, &nanoseconds))
        return value::error("duration out of range");
    return value::of_duration(nanoseconds);
}
value add_durations(workspace&, arguments a, const prepared*)
{
    std::int64_t sum = 0;
    if (__builtin_add_overflow(a[0].duration(), a[1].duration(), &sum)) return value::error("duration out of range");
    return value::of_duration(sum);
}
value subtract_durations(workspace&, arguments a, const prepared*)
{
    std::int64_t difference = 0;
    if (__builtin_sub_overflow(a[0].duration(), a[1].duration(), &difference)) return value::error("duration out of range");
    return value::of_duration(difference);
}

using i64 = std::int64_t;
using u64 = std::uint64_t;
using namespace types;

constexpr auto ints = takes_of<integer, integer>;
constexpr auto uints = takes_of<natural, natural>;
constexpr auto doubles = takes_of<real, real>;
constexpr auto strings = takes_of<string, string>;
constexpr auto two_bytes = takes_of<bytes, bytes>;
constexpr auto booleans = takes_of<boolean, boolean>;
constexpr auto lists = takes_of<list_of_a, list_of_a>;
constexpr auto timestamps = takes_of<timestamp, timestamp>;
constexpr auto durations = takes_of<duration, duration>;
constexpr auto timestamp_duration = takes_of<timestamp, duration>;
constexpr auto duration_timestamp = takes_of<duration, timestamp>;
constexpr auto same = takes_of<a, a>;
constexpr auto conditional = takes_of<boolean, a, a>;
constexpr auto in_list = takes_of<a, list_of_a>;
constexpr auto in_map = takes_of<a, map_of_a_b>;
constexpr auto list_index = takes_of<list_of_a, integer>;
constexpr auto map_index = takes_of<map_of_a_b, a>;
constexpr auto optional_list_index = takes_of<optional_list_of_a, integer>;
constexpr auto optional_map_index = takes_of<optional_map_of_a_b, a>;
constexpr auto one_boolean = takes_of<boolean>;
constexpr auto one_integer = takes_of<integer>;
constexpr auto one_double = takes_of<real>;
// Numbers are compared across their types.
constexpr auto int_uint = takes_of<integer, natural>;
constexpr auto int_double = takes_of<integer, real>;
constexpr auto uint_int = takes_of<natural, integer>;
constexpr auto uint_double = takes_of<natural, real>;
constexpr auto double_int = takes_of<real, integer>;
constexpr auto double_uint = takes_of<real, natural>;

constexpr std::array<std::span<const type* const>, 14> comparable{ints,      uints,       doubles,    int_uint,    int_double,
                                                                  uint_int,  uint_double, double_int, double_uint, strings,
                                                                  two_bytes, booleans,    timestamps, durations};

constexpr auto fixed = std::to_array<overload>({
    {"_+_", false, ints, &integer, add_whole<i64>},
    {"_+_", false, uints, &natural, add_whole<u64>},
    {"_+_", false, doubles, &real, add_real},
    {"_+_", false, strings, &string, add_strings},
    {"_+_", false, two_bytes, &bytes, add_bytes},
    {"_+_", false, lists, &list_of_a, add_lists},
    {"_+_", false, timestamp_duration, &timestamp, add_timestamp_duration},
    {"_+_", false, duration_timestamp, &timestamp, add_duration_timestamp},
    {"_+_", false, durations, &duration, add_durations},
    {"_-_", false, ints, &integer, subtract_whole<i64>},
    {"_-_", false, uints, &natural, subtract_whole<u64>},
    {"_-_", false, doubles, &real, subtract_real},
    {"_-_", false, timestamps, &duration, subtract_timestamps},
    {"_-_", false, timestamp_duration, &timestamp, subtract_timestamp_duration},
    {"_-_", false, durations, &duration, subtract_durations},
    {"_*_", false, ints, &integer, multiply_whole<i64>},
    {"_*_", false, uints, &natural, multiply_whole<u64>},
    {"_*_", false, doubles, &real, multiply_real},
    {"_/_", false, ints, &integer, divide_whole<i64>},
    {"_/_", false, uints, &natural, divide_whole<u64>},
    {"_/_", false, doubles, &real, divide_real},
    {"_%_", false, ints, &integer, modulus_whole<i64>},
    {"_%_", false, uints, &natural, modulus_whole<u64>},
    {"-_", false, one_integer, &integer, negate_integer},
    {"-_", false, one_double, &real, negate_real},
    {"!_", false, one_boolean, &boolean, nullptr},
    {"_&&_", false, booleans, &boolean, nullptr},
    {"_||_", false, booleans, &boolean, nullptr},
    {"_?_:_", false, conditional, &a, nullptr},
    {"_==_", false, same, &boolean, nullptr},
    {"_!=_", false, same, &boolean, nullptr},
    {"_in_", false, in_list, &boolean, nullptr},
    {"_in_", false, in_map, &boolean, nullptr},
    {"_[_]", false, list_index, &a, nullptr},
    {"_[_]", false, map_index, &b, nullptr},
    {"_[_]", false, optional_list_index, &optional_of_a, nullptr},
    {"_[_]", false, optional_map_index, &optional_of_b, nullptr},
    {"_[?_]", false, list_index, &optional_of_a, nullptr},
    {"_[?_]", false, map_index, &optional_of_b, nullptr},
    {"_[?_]", false, optional_list_index, &optional_of_a, nullptr},
    {"_[?_]", false, optional_map_index, &optional_of_b, nullptr},
});

constexpr auto all_operators = [] {
    std::array<overload, fixed.size() + 4 * comparable.size()> all{};
    std::size_t n = 0;
    for (const overload& o : fixed) all[n++] = o;
    for (const std::string_view name : {"_<_", "_<=_", "_>_", "_>=_"})
        for (const auto parameters : comparable) all[n++] = overload{name, false, parameters, &boolean, nullptr};
    return all;
}();

}  // namespace

std::span<const overload> operator_overloads() noexcept { return all_operators; }

}  // namespace sallyport::policy::cel
