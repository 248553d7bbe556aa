// contains, startsWith, endsWith, matches: langdef.md "List of Standard Definitions".
#include "gateway/policy/cel/functions.hpp"
#include "gateway/policy/cel/text.hpp"

#include <re2/re2.h>

namespace sallyport::policy::cel {
namespace {

using arguments = std::span<const value>;

value contains(workspace& work, arguments a, const prepared*)
{
    if (!work.spend(1 + (a[0].text().size() + a[1].text().size()) / 16)) return workspace::exhausted();
    return value::of(find_text(a[0].text(), a[1].text()) != std::string_view::npos);
}
value starts_with(workspace& work, arguments a, const prepared*)
{
    if (!work.spend(text_work(a[1].text().size()))) return workspace::exhausted();
    return value::of(a[0].text().starts_with(a[1].text()));
}
value ends_with(workspace& work, arguments a, const prepared*)
{
    if (!work.spend(text_work(a[1].text().size()))) return workspace::exhausted();
    return value::of(a[0].text().ends_with(a[1].text()));
}

value matches(workspace& work, arguments a, const prepared* ready)
{
    // RE2 is linear in the text; a byte costs it a few nanoseconds.
    const re2::StringPiece text(a[0].text().data(), a[0].text().size());
    if (!work.spend(1 + a[0].text().size() / 4)) return workspace::exhausted();
    if (ready && ready->pattern) return value::of(re2::RE2::PartialMatch(text, *ready->pattern));
    // A pattern that is known only now: compiling it costs the more, the longer it is.
    if (!work.spend(200 + 20 * a[1].text().size())) return workspace::exhausted();
    std::string wrong;
    const auto pattern = compile_pattern(a[1].text(), wrong);
    if (!pattern) return work.fail(wrong);
    return value::of(re2::RE2::PartialMatch(text, *pattern));
}

using namespace types;
constexpr auto strings = takes_of<string, string>;

constexpr auto all_text = std::to_array<overload>({
    {"contains", true, strings, &boolean, contains},
    {"startsWith", true, strings, &boolean, starts_with},
    {"endsWith", true, strings, &boolean, ends_with},
    {"matches", true, strings, &boolean, matches, preparation::pattern},
    {"matches", false, strings, &boolean, matches, preparation::pattern},
});

}  // namespace

std::span<const overload> text_overloads() noexcept { return all_text; }

}  // namespace sallyport::policy::cel
