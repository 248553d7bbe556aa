// Optional values: cel-spec's conformance suite, "optionals".
#include "gateway/policy/cel/functions.hpp"

namespace sallyport::policy::cel {
namespace {

using arguments = std::span<const value>;

value kept(workspace& work, const value& content)
{
    const auto copy = work.make<value>(1);
    copy[0] = content;
    return value::of_optional(copy.data());
}

bool is_zero(const value& v) noexcept
{
    switch (v.kind()) {
    case kind::null: return true;
    case kind::boolean: return !v.boolean();
    case kind::integer: return v.integer() == 0;
    case kind::natural: return v.natural() == 0;
    case kind::real: return v.real() == 0;
    case kind::string:
    case kind::bytes: return v.text().empty();
    case kind::duration: return v.duration() == 0;
    case kind::timestamp: return v.seconds() == 0 && v.nanoseconds() == 0;
    case kind::list:
    case kind::json_array: return list_size(v) == 0;
    case kind::map:
    case kind::json_object: return map_size(v) == 0;
    case kind::optional: return v.content() == nullptr;
    case kind::error:
    case kind::type:
    case kind::object: return false;
    }
    return false;
}

value none(workspace&, arguments, const prepared*) { return value::of_optional(nullptr); }
value some(workspace& work, arguments a, const prepared*) { return kept(work, a[0]); }
value some_unless_zero(workspace& work, arguments a, const prepared*)
{
    return is_zero(a[0]) ? value::of_optional(nullptr) : kept(work, a[0]);
}
value has_value(workspace&, arguments a, const prepared*) { return value::of(a[0].content() != nullptr); }
value content(workspace&, arguments a, const prepared*)
{
    return a[0].content() ? *a[0].content() : value::error("optional.none() has no value");
}

using namespace types;
constexpr std::array<const type*, 0> nothing{};
constexpr auto any = takes_of<a>;
constexpr auto one = takes_of<optional_of_a>;
constexpr auto two = takes_of<optional_of_a, optional_of_a>;
constexpr auto with_default = takes_of<optional_of_a, a>;

constexpr auto all_optional = std::to_array<overload>({
    {"optional.none", false, nothing, &optional_of_a, none},
    {"optional.of", false, any, &optional_of_a, some},
    {"optional.ofNonZeroValue", false, any, &optional_of_a, some_unless_zero},
    {"hasValue", true, one, &boolean, has_value},
    {"value", true, one, &a, content},
    // The alternative is not evaluated when there is a value: the evaluator's own.
    {"or", true, two, &optional_of_a, nullptr},
    {"orValue", true, with_default, &a, nullptr},
});

}  // namespace

std::span<const overload> optional_overloads() noexcept { return all_optional; }

}  // namespace sallyport::policy::cel
