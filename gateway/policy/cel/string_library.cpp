// The library of strings, as cel-spec's conformance suite has it (string_ext). Positions count code points.
#include "gateway/policy/cel/format.hpp"
#include "gateway/policy/cel/functions.hpp"
#include "gateway/policy/cel/text.hpp"
#include "gateway/policy/cel/utf8.hpp"

#include <algorithm>
#include <limits>
#include <string>

namespace sallyport::policy::cel {
namespace {

using arguments = std::span<const value>;
constexpr std::size_t npos = std::string_view::npos;

value out_of_range(workspace& work, std::int64_t index) { return work.fail("index out of range: ", std::to_string(index)); }

// The byte of that code point; npos when the text has no such place. `text.size()` is one: behind the last.
std::size_t place(std::string_view text, std::int64_t index) noexcept
{
    return index < 0 ? npos : byte_of_code_point(text, static_cast<std::size_t>(index));
}

value number_of(std::string_view text, std::size_t byte) noexcept
{
    return value::of(byte == npos ? std::int64_t{-1} : static_cast<std::int64_t>(count_code_points(text.substr(0, byte))));
}

// Every function here reads its text a few times at most; searching is counted by needle too.
bool afford(workspace& work, arguments a) noexcept
{
    std::size_t needle = 0;
    if (a.size() > 1 && a[1].is(kind::string)) needle = a[1].text().size();
    return work.spend(text_work(a[0].is(kind::string) ? a[0].text().size() * (1 + needle / 64) : 0) + text_work(needle));
}

value char_at(workspace& work, arguments a, const prepared*)
{
    if (!afford(work, a)) return workspace::exhausted();
    const std::string_view text = a[0].text();
    const std::size_t at = place(text, a[1].integer());
    if (at == npos) return out_of_range(work, a[1].integer());
    if (at == text.size()) return value::of(std::string_view());
    return value::of(text.substr(at, first_code_point(text.substr(at)).size));
}

value index_of(workspace& work, arguments a, const prepared*)
{
    if (!afford(work, a)) return workspace::exhausted();
    const std::size_t from = a.size() > 2 ? place(a[0].text(), a[2].integer()) : 0;
    if (from == npos) return out_of_range(work, a[2].integer());
    return number_of(a[0].text(), find_text(a[0].text(), a[1].text(), from));
}

value last_index_of(workspace& work, arguments a, const prepared*)
{
    if (!afford(work, a)) return workspace::exhausted();
    const std::size_t from = a.size() > 2 ? place(a[0].text(), a[2].integer()) : npos;
    if (a.size() > 2 && from == npos) return out_of_range(work, a[2].integer());
    return number_of(a[0].text(), a[0].text().rfind(a[1].text(), from));
}

value join(workspace& work, arguments a, const prepared*)
{
    const std::string_view between = a.size() > 1 ? a[1].text() : std::string_view();
    std::string out;
    for (std::size_t i = 0; i < list_size(a[0]); ++i) {
        const value item = list_at(a[0], i);
        if (!item.is(kind::string)) return value::error("no such overload");
        if (!work.spend(text_work(item.text().size() + between.size()))) return workspace::exhausted();
        if (i > 0) out += between;
        out += item.text();
    }
    return value::of(work.keep(out));
}

template <char First, char Last, int Move>
value cased(workspace& work, arguments a, const prepared*)
{
    if (!afford(work, a)) return workspace::exhausted();
    const auto copy = work.make<char>(a[0].text().size());
    std::ranges::transform(a[0].text(), copy.begin(), [](char c) { return c >= First && c <= Last ? static_cast<char>(c + Move) : c; });
    return value::of(std::string_view(copy.data(), copy.size()));
}

value replace(workspace& work, arguments a, const prepared*)
{
    if (!afford(work, a)) return workspace::exhausted();
    std::string_view text = a[0].text();
    const std::string_view old = a[1].text(), with = a[2].text();
    std::int64_t left = a.size() > 3 ? a[3].integer() : -1;
    std::string out;
    std::size_t counted = 0;
    while (left != 0) {
        const std::size_t at = find_text(text, old);
        if (at == npos) break;
        out += text.substr(0, at);
        out += with;
        text.remove_prefix(at + old.size());
        if (left > 0) --left;
        if (old.empty()) {
            // Between all characters, as in Go's strings.Replace.
            if (text.empty()) break;
            const std::size_t size = first_code_point(text).size;
            out += text.substr(0, size);
            text.remove_prefix(size);
        }
        if (!work.spend(text_work(out.size() - counted))) return workspace::exhausted();
        counted = out.size();
    }
    out += text;
    return value::of(work.keep(out));
}

value split(workspace& work, arguments a, const prepared*)
{
    if (!afford(work, a)) return workspace::exhausted();
    std::string_view text = a[0].text();
    const std::string_view between = a[1].text();
    const std::int64_t limit = a.size() > 2 ? a[2].integer() : -1;
    if (limit == 0) return value::of_list({});
    std::vector<value> parts;
    const auto full = [&] { return limit > 0 && static_cast<std::int64_t>(parts.size()) >= limit - 1; };
    if (between.empty()) {
        while (!text.empty() && !full()) {
            const std::size_t size = first_code_point(text).size;
            parts.push_back(value::of(text.substr(0, size)));
            text.remove_prefix(size);
        }
        if (!text.empty()) parts.push_back(value::of(text));
    } else {
        for (std::size_t at = find_text(text, between); at != npos && !full(); at = find_text(text, between)) {
            parts.push_back(value::of(text.substr(0, at)));
            text.remove_prefix(at + between.size());
        }
        parts.push_back(value::of(text));
    }
    if (!work.spend(parts.size())) return workspace::exhausted();
    const auto kept = work.make<value>(parts.size());
    std::ranges::copy(parts, kept.begin());
    return value::of_list(kept);
}

value substring(workspace& work, arguments a, const prepared*)
{
    if (!afford(work, a)) return workspace::exhausted();
    const std::string_view text = a[0].text();
    const std::size_t begin = place(text, a[1].integer());
    if (begin == npos) return out_of_range(work, a[1].integer());
    if (a.size() < 3) return value::of(text.substr(begin));
    const std::size_t end = place(text, a[2].integer());
    if (end == npos) return out_of_range(work, a[2].integer());
    if (end < begin) return value::error("a substring ends before it begins");
    return value::of(text.substr(begin, end - begin));
}

// Unicode's White_Space.
bool is_space(char32_t c) noexcept
{
    return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
           c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

value trim(workspace& work, arguments a, const prepared*)
{
    if (!afford(work, a)) return workspace::exhausted();
    std::string_view text = a[0].text();
    while (!text.empty()) {
        const code_point c = first_code_point(text);
        if (!c.valid || !is_space(c.value)) break;
        text.remove_prefix(c.size);
    }
    std::size_t end = 0;
    for (std::size_t at = 0; at < text.size();) {
        const code_point c = first_code_point(text.substr(at));
        at += c.size;
        if (!c.valid || !is_space(c.value)) end = at;
    }
    return value::of(text.substr(0, end));
}

value reverse(workspace& work, arguments a, const prepared*)
{
    if (!afford(work, a)) return workspace::exhausted();
    std::string_view text = a[0].text();
    const auto copy = work.make<char>(text.size());
    std::size_t at = text.size();
    while (!text.empty()) {
        const std::size_t size = first_code_point(text).size;
        at -= size;
        std::ranges::copy(text.substr(0, size), copy.begin() + static_cast<std::ptrdiff_t>(at));
        text.remove_prefix(size);
    }
    return value::of(std::string_view(copy.data(), copy.size()));
}

value quote(workspace& work, arguments a, const prepared*)
{
    if (!afford(work, a)) return workspace::exhausted();
    constexpr std::string_view special = "\a\b\f\n\r\t\v\\\"";
    constexpr std::string_view names = "abfnrtv\\\"";
    std::string out = "\"";
    for (std::string_view text = a[0].text(); !text.empty();) {
        const code_point c = first_code_point(text);
        if (!c.valid) {
            out += "\xEF\xBF\xBD";  // U+FFFD
        } else if (const std::size_t i = c.size == 1 ? special.find(text.front()) : npos; i != npos) {
            out.push_back('\\');
            out.push_back(names[i]);
        } else {
            out += text.substr(0, c.size);
        }
        text.remove_prefix(c.size);
    }
    out.push_back('"');
    return value::of(work.keep(out));
}

value formatted(workspace& work, arguments a, const prepared*) { return format(work, a[0].text(), a[1]); }

using namespace types;
constexpr auto one = takes_of<string>;
constexpr auto two = takes_of<string, string>;
constexpr auto three = takes_of<string, string, string>;
constexpr auto string_int = takes_of<string, integer>;
constexpr auto string_int_int = takes_of<string, integer, integer>;
constexpr auto two_int = takes_of<string, string, integer>;
constexpr auto three_int = takes_of<string, string, string, integer>;
constexpr auto list = takes_of<list_of_string>;
constexpr auto list_string = takes_of<list_of_string, string>;
constexpr auto string_list = takes_of<string, list_of_dyn>;

constexpr auto all_strings = std::to_array<overload>({
    {"charAt", true, string_int, &string, char_at},
    {"indexOf", true, two, &integer, index_of},
    {"indexOf", true, two_int, &integer, index_of},
    {"lastIndexOf", true, two, &integer, last_index_of},
    {"lastIndexOf", true, two_int, &integer, last_index_of},
    {"join", true, list, &string, join},
    {"join", true, list_string, &string, join},
    {"lowerAscii", true, one, &string, cased<'A', 'Z', 32>},
    {"upperAscii", true, one, &string, cased<'a', 'z', -32>},
    {"replace", true, three, &string, replace},
    {"replace", true, three_int, &string, replace},
    {"split", true, two, &list_of_string, split},
    {"split", true, two_int, &list_of_string, split},
    {"substring", true, string_int, &string, substring},
    {"substring", true, string_int_int, &string, substring},
    {"trim", true, one, &string, trim},
    {"reverse", true, one, &string, reverse},
    {"strings.quote", false, one, &string, quote},
    {"format", true, string_list, &string, formatted},
});

}  // namespace

std::span<const overload> string_library_overloads() noexcept { return all_strings; }

}  // namespace sallyport::policy::cel
