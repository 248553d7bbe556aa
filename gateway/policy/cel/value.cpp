#include "gateway/policy/cel/value.hpp"

#include "gateway/policy/cel/environment.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace sallyport::policy::cel {
namespace {

constexpr std::int64_t first_second = -62'135'596'800;  // 0001-01-01T00:00:00Z
constexpr std::int64_t last_second = 253'402'300'799;   // 9999-12-31T23:59:59Z
constexpr std::size_t longest = std::numeric_limits<std::uint32_t>::max();
constexpr double two_to_63 = 9'223'372'036'854'775'808.0;
constexpr double two_to_64 = 18'446'744'073'709'551'616.0;

template <class T>
order ordered(T a, T b) noexcept
{
    return a < b ? order::less : b < a ? order::greater : order::equal;
}

order turned(order o) noexcept { return o == order::less ? order::greater : o == order::greater ? order::less : o; }

// A double against an integer, as CEL's numbers are compared: as points of one line (langdef.md, "Numbers"). Within the
// integer's range the double is compared as a double, so that 2^63-1 and 2^63 are equal, as cel-spec's own cases want it.
order compare_numbers(std::int64_t a, double b) noexcept
{
    if (std::isnan(b)) return order::unordered;
    if (b < -two_to_63) return order::greater;
    if (b > two_to_63) return order::less;
    return ordered(static_cast<double>(a), b);
}
order compare_numbers(std::uint64_t a, double b) noexcept
{
    if (std::isnan(b)) return order::unordered;
    if (b < 0) return order::greater;
    if (b > two_to_64) return order::less;
    return ordered(static_cast<double>(a), b);
}
order compare_numbers(std::int64_t a, std::uint64_t b) noexcept { return a < 0 ? order::less : ordered(static_cast<std::uint64_t>(a), b); }
order compare_numbers(double a, double b) noexcept { return std::isnan(a) || std::isnan(b) ? order::unordered : ordered(a, b); }

order compare_number_values(const value& a, const value& b) noexcept
{
    const bool a_int = a.is(kind::integer), a_uint = a.is(kind::natural);
    if (b.is(kind::integer)) {
        if (a_int) return ordered(a.integer(), b.integer());
        if (a_uint) return turned(compare_numbers(b.integer(), a.natural()));
        return turned(compare_numbers(b.integer(), a.real()));
    }
    if (b.is(kind::natural)) {
        if (a_int) return compare_numbers(a.integer(), b.natural());
        if (a_uint) return ordered(a.natural(), b.natural());
        return turned(compare_numbers(b.natural(), a.real()));
    }
    if (a_int) return compare_numbers(a.integer(), b.real());
    if (a_uint) return compare_numbers(a.natural(), b.real());
    return compare_numbers(a.real(), b.real());
}

order compare_text(std::string_view a, std::string_view b) noexcept { return ordered(a.compare(b), 0); }

int rank(const value& key) noexcept
{
    if (key.is(kind::boolean)) return 0;
    if (key.is_number()) return 1;
    return 2;
}

// The order in which a map keeps its keys: booleans, numbers across their types, strings.
order key_order(const value& a, const value& b) noexcept
{
    if (rank(a) != rank(b)) return ordered(rank(a), rank(b));
    return compare(a, b);
}

value equal_lists(const value& a, const value& b, workspace& work) noexcept
{
    const std::size_t size = list_size(a);
    if (size != list_size(b)) return value::of(false);
    if (!work.spend(size)) return workspace::exhausted();
    for (std::size_t i = 0; i < size; ++i) {
        const value same = equals(list_at(a, i), list_at(b, i), work);
        if (!same.is_true()) return same;
    }
    return value::of(true);
}

value equal_maps(const value& a, const value& b, workspace& work) noexcept
{
    const std::size_t size = map_size(a);
    if (size != map_size(b)) return value::of(false);
    if (!work.spend(size)) return workspace::exhausted();
    for (std::size_t i = 0; i < size; ++i) {
        const value other = map_find(b, map_key(a, i), work);
        if (other.failed()) return other.text().empty() ? value::of(false) : other;
        const value same = equals(map_content(a, i), other, work);
        if (!same.is_true()) return same;
    }
    return value::of(true);
}

value equal_optionals(const value& a, const value& b, workspace& work) noexcept
{
    if (!a.content() || !b.content()) return value::of(!a.content() && !b.content());
    return equals(*a.content(), *b.content(), work);
}

}  // namespace

value value::of_text(cel::kind k, std::string_view text) noexcept
{
    if (text.size() > longest) return error("a text is longer than 4 GiB");
    return value(k, text.data(), static_cast<std::uint32_t>(text.size()));
}

value value::of_timestamp(std::int64_t seconds, std::uint32_t nanoseconds) noexcept
{
    if (seconds < first_second || seconds > last_second) return error("timestamp out of range");
    value v(cel::kind::timestamp, seconds);
    v.extra_ = nanoseconds;
    return v;
}

value value::of_list(std::span<const value> items) noexcept
{
    return value(cel::kind::list, items.data(), static_cast<std::uint32_t>(std::min(items.size(), longest)));
}

value value::of_map(std::span<const map_entry> entries) noexcept
{
    return value(cel::kind::map, entries.data(), static_cast<std::uint32_t>(std::min(entries.size(), longest)));
}

value value::of_json(const json::value& v) noexcept
{
    switch (v.kind()) {
    case json::kind::null: return {};
    case json::kind::boolean: return of(v.boolean());
    case json::kind::integer: return of(v.integer());
    case json::kind::real: return of(v.real());
    case json::kind::string: return of(v.string());
    case json::kind::array: return value(cel::kind::json_array, &v, 0);
    case json::kind::object: return value(cel::kind::json_object, &v, 0);
    }
    return error("no such kind of JSON");
}

std::string_view workspace::keep(std::string_view text) { return keep(text, {}); }

std::string_view workspace::keep(std::string_view first, std::string_view second)
{
    const std::span<char> copy = make<char>(first.size() + second.size());
    if (!first.empty()) std::memcpy(copy.data(), first.data(), first.size());
    if (!second.empty()) std::memcpy(copy.data() + first.size(), second.data(), second.size());
    return {copy.data(), copy.size()};
}

std::size_t list_size(const value& list) noexcept { return list.is(kind::list) ? list.items().size() : list.json().size(); }

value list_at(const value& list, std::size_t i) noexcept
{
    return list.is(kind::list) ? list.items()[i] : value::of_json(list.json().at(i));
}

std::size_t map_size(const value& map) noexcept { return map.is(kind::map) ? map.entries().size() : map.json().size(); }

value map_key(const value& map, std::size_t i) noexcept { return map.is(kind::map) ? map.entries()[i].key : value::of(map.json().key(i)); }

value map_content(const value& map, std::size_t i) noexcept
{
    return map.is(kind::map) ? map.entries()[i].content : value::of_json(map.json().at(i));
}

value map_find(const value& map, std::string_view key, workspace& work) noexcept
{
    if (map.is(kind::json_object)) {
        // The document may search its members one by one.
        if (!work.spend(map.json().size() / 8)) return workspace::exhausted();
        const json::value* member = map.json().find(key);
        return member ? value::of_json(*member) : value::error({});
    }
    return map_find(map, value::of(key), work);
}

value map_find(const value& map, const value& key, workspace& work) noexcept
{
    if (map.is(kind::json_object)) return key.is(kind::string) ? map_find(map, key.text(), work) : value::error({});
    const auto entries = map.entries();
    if (!key.is(kind::string) && !key.is_number() && !key.is(kind::boolean)) return value::error({});
    if (key.is(kind::real) && std::isnan(key.real())) return value::error({});
    const auto at = std::lower_bound(entries.begin(), entries.end(), key, [](const map_entry& entry, const value& wanted) {
        return key_order(entry.key, wanted) == order::less;
    });
    if (at == entries.end() || key_order(at->key, key) != order::equal) return value::error({});
    return at->content;
}

value make_map(std::span<map_entry> entries, workspace& work)
{
    for (const map_entry& entry : entries) {
        const kind k = entry.key.kind();
        if (k != kind::string && k != kind::integer && k != kind::natural && k != kind::boolean)
            return value::error("unsupported key type");
    }
    if (!work.spend(entries.size())) return workspace::exhausted();
    std::sort(entries.begin(), entries.end(),
              [](const map_entry& a, const map_entry& b) { return key_order(a.key, b.key) == order::less; });
    const auto twice = std::adjacent_find(entries.begin(), entries.end(),
                                          [](const map_entry& a, const map_entry& b) { return key_order(a.key, b.key) == order::equal; });
    if (twice != entries.end()) return value::error("a map has the same key twice");
    return value::of_map(entries);
}

value equals(const value& a, const value& b, workspace& work) noexcept
{
    if (a.is_number() && b.is_number()) return value::of(compare_number_values(a, b) == order::equal);
    switch (a.kind()) {
    case kind::error: return a;
    case kind::null: return value::of(b.is(kind::null));
    case kind::boolean: return value::of(b.is(kind::boolean) && a.boolean() == b.boolean());
    case kind::integer:
    case kind::natural:
    case kind::real: return value::of(false);
    case kind::string:
    case kind::bytes:
    case kind::type:
        if (a.kind() != b.kind() || a.text().size() != b.text().size()) return value::of(false);
        if (!work.spend(a.text().size() / 256)) return workspace::exhausted();
        return value::of(a.text() == b.text());
    case kind::duration: return value::of(b.is(kind::duration) && a.duration() == b.duration());
    case kind::timestamp: return value::of(b.is(kind::timestamp) && a.seconds() == b.seconds() && a.nanoseconds() == b.nanoseconds());
    case kind::list:
    case kind::json_array: return b.is_list() ? equal_lists(a, b, work) : value::of(false);
    case kind::map:
    case kind::json_object: return b.is_map() ? equal_maps(a, b, work) : value::of(false);
    case kind::optional: return b.is(kind::optional) ? equal_optionals(a, b, work) : value::of(false);
    case kind::object: return value::of(b.is(kind::object) && &a.fields() == &b.fields());
    }
    return value::of(false);
}

order compare(const value& a, const value& b) noexcept
{
    if (a.is_number() && b.is_number()) return compare_number_values(a, b);
    if (a.kind() != b.kind()) return order::none;
    switch (a.kind()) {
    case kind::boolean: return ordered(a.boolean(), b.boolean());
    case kind::string:
    case kind::bytes: return compare_text(a.text(), b.text());
    case kind::duration: return ordered(a.duration(), b.duration());
    case kind::timestamp:
        if (a.seconds() != b.seconds()) return ordered(a.seconds(), b.seconds());
        return ordered(a.nanoseconds(), b.nanoseconds());
    case kind::error:
    case kind::null:
    case kind::integer:
    case kind::natural:
    case kind::real:
    case kind::type:
    case kind::list:
    case kind::map:
    case kind::optional:
    case kind::object:
    case kind::json_array:
    case kind::json_object: return order::none;
    }
    return order::none;
}

std::string_view type_name(const value& v) noexcept
{
    switch (v.kind()) {
    case kind::error: return "error";
    case kind::null: return "null_type";
    case kind::boolean: return "bool";
    case kind::integer: return "int";
    case kind::natural: return "uint";
    case kind::real: return "double";
    case kind::string: return "string";
    case kind::bytes: return "bytes";
    case kind::duration: return "google.protobuf.Duration";
    case kind::timestamp: return "google.protobuf.Timestamp";
    case kind::type: return "type";
    case kind::list:
    case kind::json_array: return "list";
    case kind::map:
    case kind::json_object: return "map";
    case kind::optional: return "optional_type";
    case kind::object: return v.fields().name;
    }
    return "error";
}

}  // namespace sallyport::policy::cel
