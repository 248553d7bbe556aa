// Conversions between types, size() and type(): langdef.md "Type Conversion Functions".
#include "gateway/policy/cel/functions.hpp"
#include "gateway/policy/cel/text.hpp"
#include "gateway/policy/cel/utf8.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace sallyport::policy::cel {
namespace {

using arguments = std::span<const value>;

value out_of_range() noexcept { return value::error("number out of range"); }

value same(workspace&, arguments a, const prepared*) { return a[0]; }

template <class T>
value whole_of_text(std::string_view text)
{
    if constexpr (std::is_signed_v<T>)
        if (text.starts_with('+')) text.remove_prefix(1);
    T number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc::result_out_of_range) return out_of_range();
    if (error != std::errc{} || end != text.data() + text.size()) return value::error("no whole number");
    return value::of(number);
}

value int_of_uint(workspace&, arguments a, const prepared*)
{
    const std::uint64_t n = a[0].natural();
    return n > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) ? out_of_range()
                                                                                    : value::of(static_cast<std::int64_t>(n));
}
value int_of_double(workspace&, arguments a, const prepared*)
{
    // Both ends excluded: langdef.md "Overflow".
    const double d = a[0].real();
    if (!(d > -9'223'372'036'854'775'808.0 && d < 9'223'372'036'854'775'808.0)) return out_of_range();
    return value::of(static_cast<std::int64_t>(d));
}
value int_of_string(workspace&, arguments a, const prepared*) { return whole_of_text<std::int64_t>(a[0].text()); }
value int_of_timestamp(workspace&, arguments a, const prepared*) { return value::of(a[0].seconds()); }

value uint_of_int(workspace&, arguments a, const prepared*)
{
    return a[0].integer() < 0 ? out_of_range() : value::of(static_cast<std::uint64_t>(a[0].integer()));
}
value uint_of_double(workspace&, arguments a, const prepared*)
{
    const double d = a[0].real();
    if (!(d >= 0 && d < 18'446'744'073'709'551'616.0)) return out_of_range();
    return value::of(static_cast<std::uint64_t>(d));
}
value uint_of_string(workspace&, arguments a, const prepared*) { return whole_of_text<std::uint64_t>(a[0].text()); }

value double_of_int(workspace&, arguments a, const prepared*) { return value::of(static_cast<double>(a[0].integer())); }
value double_of_uint(workspace&, arguments a, const prepared*) { return value::of(static_cast<double>(a[0].natural())); }
value double_of_string(workspace& work, arguments a, const prepared*)
{
    const std::string_view text = a[0].text();
    if (text.empty() || text.size() > 1000 || text.find_first_of(" \t\r\n\f\v\0xXpP(", 0, 12) != std::string_view::npos)
        return value::error("no number");
    const std::string_view copy = work.keep(text, std::string_view("\0", 1));
    char* end = nullptr;
    const double d = std::strtod(copy.data(), &end);
    if (end != copy.data() + text.size()) return value::error("no number");
    return value::of(d);
}

value string_of_int(workspace& work, arguments a, const prepared*) { return value::of(work.keep(std::to_string(a[0].integer()))); }
value string_of_uint(workspace& work, arguments a, const prepared*) { return value::of(work.keep(std::to_string(a[0].natural()))); }
value string_of_double(workspace& work, arguments a, const prepared*) { return value::of(work.keep(double_text(a[0].real()))); }
value string_of_bool(workspace&, arguments a, const prepared*)
{
    return value::of(a[0].boolean() ? std::string_view("true") : std::string_view("false"));
}
value string_of_bytes(workspace& work, arguments a, const prepared*)
{
    if (!work.spend(text_work(a[0].text().size()))) return workspace::exhausted();
    return is_utf8(a[0].text()) ? value::of(a[0].text()) : value::error("invalid UTF-8");
}
value string_of_timestamp(workspace& work, arguments a, const prepared*)
{
    return value::of(work.keep(timestamp_text(a[0].seconds(), a[0].nanoseconds())));
}
value string_of_duration(workspace& work, arguments a, const prepared*) { return value::of(work.keep(duration_text(a[0].duration()))); }

value bytes_of_string(workspace&, arguments a, const prepared*) { return value::of_bytes(a[0].text()); }

value bool_of_string(workspace&, arguments a, const prepared*)
{
    for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"})
        if (a[0].text() == yes) return value::of(true);
    for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"})
        if (a[0].text() == no) return value::of(false);
    return value::error("neither true nor false");
}

value timestamp_of_int(workspace&, arguments a, const prepared*) { return value::of_timestamp(a[0].integer(), 0); }
value timestamp_of_string(workspace&, arguments a, const prepared*) { return read_timestamp(a[0].text()); }
value duration_of_int(workspace&, arguments a, const prepared*)
{
    std::int64_t nanoseconds = 0;
    if (__builtin_mul_overflow(a[0].integer(), std::int64_t{1'000'000'000}, &nanoseconds)) return value::error("duration out of range");
    return value::of_duration(nanoseconds);
}
value duration_of_string(workspace&, arguments a, const prepared*)
{
    const auto nanoseconds = read_duration(a[0].text());
    return nanoseconds ? value::of_duration(*nanoseconds) : value::error("no duration, or out of range");
}

value type_of(workspace&, arguments a, const prepared*) { return value::of_type(type_name(a[0])); }

value size_of_string(workspace& work, arguments a, const prepared*)
{
    if (!work.spend(text_work(a[0].text().size()))) return workspace::exhausted();
    return value::of(static_cast<std::int64_t>(count_code_points(a[0].text())));
}
value size_of_bytes(workspace&, arguments a, const prepared*) { return value::of(static_cast<std::int64_t>(a[0].text().size())); }
value size_of_list(workspace&, arguments a, const prepared*) { return value::of(static_cast<std::int64_t>(list_size(a[0]))); }
value size_of_map(workspace&, arguments a, const prepared*) { return value::of(static_cast<std::int64_t>(map_size(a[0]))); }

using namespace types;

constexpr auto from_int = takes_of<integer>;
constexpr auto from_uint = takes_of<natural>;
constexpr auto from_double = takes_of<real>;
constexpr auto from_string = takes_of<string>;
constexpr auto from_bytes = takes_of<bytes>;
constexpr auto from_bool = takes_of<boolean>;
constexpr auto from_timestamp = takes_of<timestamp>;
constexpr auto from_duration = takes_of<duration>;
constexpr auto from_any = takes_of<a>;
constexpr auto from_list = takes_of<list_of_a>;
constexpr auto from_map = takes_of<map_of_a_b>;

constexpr auto all_conversions = std::to_array<overload>({
    {"int", false, from_int, &integer, same},
    {"int", false, from_uint, &integer, int_of_uint},
    {"int", false, from_double, &integer, int_of_double},
    {"int", false, from_string, &integer, int_of_string},
    {"int", false, from_timestamp, &integer, int_of_timestamp},
    {"uint", false, from_uint, &natural, same},
    {"uint", false, from_int, &natural, uint_of_int},
    {"uint", false, from_double, &natural, uint_of_double},
    {"uint", false, from_string, &natural, uint_of_string},
    {"double", false, from_double, &real, same},
    {"double", false, from_int, &real, double_of_int},
    {"double", false, from_uint, &real, double_of_uint},
    {"double", false, from_string, &real, double_of_string},
    {"string", false, from_string, &string, same},
    {"string", false, from_int, &string, string_of_int},
    {"string", false, from_uint, &string, string_of_uint},
    {"string", false, from_double, &string, string_of_double},
    {"string", false, from_bool, &string, string_of_bool},
    {"string", false, from_bytes, &string, string_of_bytes},
    {"string", false, from_timestamp, &string, string_of_timestamp},
    {"string", false, from_duration, &string, string_of_duration},
    {"bytes", false, from_bytes, &bytes, same},
    {"bytes", false, from_string, &bytes, bytes_of_string},
    {"bool", false, from_bool, &boolean, same},
    {"bool", false, from_string, &boolean, bool_of_string},
    {"timestamp", false, from_timestamp, &timestamp, same},
    {"timestamp", false, from_int, &timestamp, timestamp_of_int},
    {"timestamp", false, from_string, &timestamp, timestamp_of_string},
    {"duration", false, from_duration, &duration, same},
    {"duration", false, from_int, &duration, duration_of_int},
    {"duration", false, from_string, &duration, duration_of_string},
    {"dyn", false, from_any, &dyn, same},
    {"type", false, from_any, &type_of_a, type_of},
    {"size", false, from_string, &integer, size_of_string},
    {"size", false, from_bytes, &integer, size_of_bytes},
    {"size", false, from_list, &integer, size_of_list},
    {"size", false, from_map, &integer, size_of_map},
    {"size", true, from_string, &integer, size_of_string},
    {"size", true, from_bytes, &integer, size_of_bytes},
    {"size", true, from_list, &integer, size_of_list},
    {"size", true, from_map, &integer, size_of_map},
});

}  // namespace

std::span<const overload> conversion_overloads() noexcept { return all_conversions; }

}  // namespace sallyport::policy::cel
